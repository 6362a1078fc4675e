// AVX2 without an integer dot product.
#include "isa_avx2.h"
#include "kernels.h"

namespace luq::kernels {
namespace {

struct Avx2 : Avx2Base {
    // Quants are at most 63: two products of 63 * 128 fit into 16 bits.
    static LUQ_INLINE Lanes dot(Lanes sum, Lanes quants, Lanes activations) {
        const __m256i pairs = _mm256_maddubs_epi16(quants, activations);
        return _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
    }
};

bool available() {
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c");
}

} // namespace

const InstructionSet AVX2{"avx2", available, multiply<Avx2, TritPanels>, multiply<Avx2, NibblePanels>,
                                 multiply<Avx2, SixBitPanels>};

} // namespace luq::kernels
