// AVX-VNNI: AVX2 with an integer dot product.
#include "isa_avx2.h"

namespace luq::kernels {
namespace {

struct AvxVnni : Avx2Base {
    template <int Quads, int Largest>
    static LUQ_INLINE Lanes dot(Lanes sum, const Lanes * quants, const int8_t * activations) {
        repeat<Quads>([&](auto k) LUQ_LAMBDA {
            sum = _mm256_dpbusd_avx_epi32(sum, quants[k], splat4(activations + 4 * k));
        });
        return sum;
    }
    static LUQ_INLINE Lanes multiply_add_pairs(Lanes sum, Lanes a, Lanes b) {
        return _mm256_dpwssd_avx_epi32(sum, a, b);
    }
    static LUQ_INLINE Lanes multiply_add_small(Lanes sum, Lanes a, Lanes b) { return multiply_add_pairs(sum, a, b); }
};

bool available() {
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c") &&
           __builtin_cpu_supports("avxvnni");
}

} // namespace

const InstructionSet AVX_VNNI = kernels_of<AvxVnni>("avxvnni", available);

} // namespace luq::kernels
