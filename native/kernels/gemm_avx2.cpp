// AVX2 with FMA, in floats and in 16-bit integers.
#include "gemm_int16.h"

namespace luq::kernels {
namespace {

struct Avx2Floats {
    using Word = float;
    using Floats = __m256;
    using Weights = __m256;
    static constexpr int LANES = 8, TILE_PANELS = 1, TILE_WIDTH = 6;

    static LUQ_INLINE Floats zero_floats() { return _mm256_setzero_ps(); }
    static LUQ_INLINE Weights load(const float * p) { return _mm256_load_ps(p); }
    static LUQ_INLINE Floats splat(const float * p) { return _mm256_broadcast_ss(p); }
    static LUQ_INLINE Floats fma(Floats sum, Floats w, Floats a) { return _mm256_fmadd_ps(w, a, sum); }
    static LUQ_INLINE void store(float * p, Floats a) { _mm256_storeu_ps(p, a); }
};

struct Avx2Int16 {
    static constexpr int TILE_WIDTH = 4;

    static LUQ_INLINE __m256i dot(__m256i sum, __m256i w, __m256i a) {
        return _mm256_add_epi32(sum, _mm256_madd_epi16(w, a));
    }
};

bool available() { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }

} // namespace

const Gemm GEMM_AVX2 = {
    "gemm-avx2",
    available,
    4,
    1,
    pack_rows_floats,
    pack_values_floats,
    pack_columns_floats,
    multiply_floats<Avx2Floats>,
    exponentials};

const Gemm GEMM_AVX2_INT16 = int16_gemm<Avx2Int16>("gemm-avx2int16", available);

} // namespace luq::kernels
