// AVX2 without an integer dot product.
#include "isa_avx2.h"

#include <algorithm>
#include <climits>

namespace luq::kernels {
namespace {

struct Avx2 : Avx2Base {
    static constexpr int LARGEST = 127;

    // Pairs of products are summed in 16 bits as long as they fit. Of signed quants the sign moves to the activations.
    template <int Quads, int Largest>
    static LUQ_INLINE Lanes dot(Lanes sum, const Lanes * quants, const int8_t * activations) {
        if constexpr (Largest > LARGEST) {
            repeat<Quads>([&](auto k) LUQ_LAMBDA {
                const __m256i moved = _mm256_sign_epi8(splat4(activations + 4 * k), quants[k]);
                const __m256i pairs = _mm256_maddubs_epi16(_mm256_abs_epi8(quants[k]), moved);
                sum = _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
            });
            return sum;
        } else {
            return dot_unsigned<Quads, Largest>(sum, quants, activations);
        }
    }

    template <int Quads, int Largest>
    static LUQ_INLINE Lanes dot_unsigned(Lanes sum, const Lanes * quants, const int8_t * activations) {
        constexpr int RUN = std::min(Quads, SHRT_MAX / (2 * 128 * Largest));
        static_assert(RUN > 0 && Quads % RUN == 0);
        repeat<Quads / RUN>([&](auto run) LUQ_LAMBDA {
            __m256i pairs = _mm256_setzero_si256();
            repeat<RUN>([&](auto i) LUQ_LAMBDA {
                const int k = run * RUN + i;
                pairs = _mm256_add_epi16(pairs, _mm256_maddubs_epi16(quants[k], splat4(activations + 4 * k)));
            });
            sum = _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
        });
        return sum;
    }
    static LUQ_INLINE Lanes multiply_add_pairs(Lanes sum, Lanes a, Lanes b) {
        return _mm256_add_epi32(sum, _mm256_madd_epi16(a, b));
    }
    static LUQ_INLINE Lanes multiply_add_small(Lanes sum, Lanes a, Lanes b) { return multiply_add_pairs(sum, a, b); }
};

bool available() {
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c");
}

} // namespace

const InstructionSet AVX2 = kernels_of<Avx2>("avx2", available);

} // namespace luq::kernels
