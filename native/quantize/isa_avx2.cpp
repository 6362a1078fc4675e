#include "block_search.h"

namespace luq::quantize {
namespace {

struct Avx2 {
    static constexpr int WIDTH = 8;
    typedef float Floats __attribute__((vector_size(32)));
    typedef int32_t Ints __attribute__((vector_size(32)));

    static LUQ_INLINE Ints numbers() { return Ints{0, 1, 2, 3, 4, 5, 6, 7}; }
    static LUQ_INLINE int32_t smallest(Ints a) {
        a = smaller(a, LUQ_SHUFFLE(a, 4, 5, 6, 7, 0, 1, 2, 3));
        a = smaller(a, LUQ_SHUFFLE(a, 2, 3, 0, 1, 6, 7, 4, 5));
        return smaller(a, LUQ_SHUFFLE(a, 1, 0, 3, 2, 5, 4, 7, 6))[0];
    }
};

bool available() { return __builtin_cpu_supports("avx2"); }

} // namespace

const InstructionSet AVX2 = search_of<Avx2>("avx2", available);

} // namespace luq::quantize
