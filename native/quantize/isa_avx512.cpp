#include "block_search.h"

namespace luq::quantize {
namespace {

struct Avx512 {
    static constexpr int WIDTH = 16;
    typedef float Floats __attribute__((vector_size(64)));
    typedef int32_t Ints __attribute__((vector_size(64)));

    static LUQ_INLINE Ints numbers() { return Ints{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}; }
    static LUQ_INLINE int32_t smallest(Ints a) {
        a = smaller(a, LUQ_SHUFFLE(a, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7));
        a = smaller(a, LUQ_SHUFFLE(a, 4, 5, 6, 7, 0, 1, 2, 3, 12, 13, 14, 15, 8, 9, 10, 11));
        a = smaller(a, LUQ_SHUFFLE(a, 2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13));
        return smaller(a, LUQ_SHUFFLE(a, 1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14))[0];
    }
};

bool available() { return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw"); }

} // namespace

const InstructionSet AVX512 = search_of<Avx512>("avx512", available);

} // namespace luq::quantize
