// AVX-512 with BF16: two products a lane and instruction.
#include "gemm_avx512.h"

namespace luq::kernels {
namespace {

struct Avx512Bf16 {
    using Word = uint32_t;
    using Floats = __m512;
    using Weights = __m512i;
    static constexpr int LANES = 16, TILE_PANELS = 3, TILE_WIDTH = 8;

    static LUQ_INLINE Floats zero_floats() { return _mm512_setzero_ps(); }
    static LUQ_INLINE Weights load(const Word * p) { return _mm512_load_si512(p); }
    static LUQ_INLINE __m512i splat(const Word * p) { return _mm512_set1_epi32(*p); }
    static LUQ_INLINE Floats fma(Floats sum, __m512i w, __m512i a) {
        return _mm512_dpbf16_ps(sum, (__m512bh) w, (__m512bh) a);
    }
    static LUQ_INLINE void store(float * p, Floats a) { _mm512_storeu_ps(p, a); }
};

bool available() { return __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512bf16"); }

void pack_columns(const float * const * columns, int64_t length, int64_t depth, void * group) {
    for (int64_t k = 0; k < depth; k += DEPTH_STEP) {
        __m512i words[16];
        for (int c = 0; c < GROUP_COLUMNS; c++) {
            words[c] = join(to_bf16(floats_at(columns[c], k, length)), to_bf16(floats_at(columns[c], k + 16, length)));
        }
        transpose(words);
        for (int i = 0; i < 16; i++) {
            _mm512_store_si512((uint32_t *) group + (k / 2 + i) * GROUP_COLUMNS, words[i]);
        }
    }
}

void multiply(const void * panels, int64_t panel_bytes, int count, int parts, const void * groups, int64_t depth,
              float * out, int64_t stride) {
    (parts == 1 ? gemm_panels<Avx512Bf16, 1>
                : gemm_panels<Avx512Bf16, 2>) (panels, panel_bytes, count, groups, depth / 2, out, stride);
}

} // namespace

const Gemm GEMM_AVX512_BF16 = {
    "gemm-avx512bf16", available, 2, 2, pack_rows_bf16, pack_values_bf16, pack_columns, multiply, exponentials};

} // namespace luq::kernels
