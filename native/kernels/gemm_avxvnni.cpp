// AVX-VNNI, in 16-bit integers.
#include "gemm_int16.h"

namespace luq::kernels {
namespace {

struct AvxVnniInt16 {
    static constexpr int TILE_WIDTH = 6;

    static LUQ_INLINE __m256i dot(__m256i sum, __m256i w, __m256i a) { return _mm256_dpwssd_avx_epi32(sum, w, a); }
};

bool available() {
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("avxvnni");
}

} // namespace

const Gemm GEMM_AVXVNNI = int16_gemm<AvxVnniInt16>("gemm-avxvnni", available);

} // namespace luq::kernels
