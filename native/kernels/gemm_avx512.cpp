// AVX-512, in floats.
#include "gemm_avx512.h"

namespace luq::kernels {
namespace {

struct Avx512Floats {
    using Word = float;
    using Floats = __m512;
    using Weights = __m512;
    static constexpr int LANES = 16, TILE_PANELS = 3, TILE_WIDTH = 8;

    static LUQ_INLINE Floats zero_floats() { return _mm512_setzero_ps(); }
    static LUQ_INLINE Weights load(const float * p) { return _mm512_load_ps(p); }
    static LUQ_INLINE Floats splat(const float * p) { return _mm512_set1_ps(*p); }
    static LUQ_INLINE Floats fma(Floats sum, Floats w, Floats a) { return _mm512_fmadd_ps(w, a, sum); }
    static LUQ_INLINE void store(float * p, Floats a) { _mm512_storeu_ps(p, a); }
};

bool available() { return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw"); }

bool pack_rows(const float * rows, int64_t depth, void * panel, void *) {
    for (int64_t k = 0; k < depth; k += 16) {
        __m512i words[16];
        for (int row = 0; row < ROWS; row++) {
            words[row] = _mm512_loadu_si512(rows + row * depth + k);
        }
        transpose(words);
        for (int i = 0; i < 16; i++) {
            _mm512_store_si512((float *) panel + (k + i) * ROWS, words[i]);
        }
    }
    return false;
}

void pack_columns(const float * const * columns, int64_t length, int64_t depth, void * group) {
    for (int64_t k = 0; k < depth; k += 16) {
        __m512i words[16];
        for (int c = 0; c < GROUP_COLUMNS; c++) {
            words[c] = _mm512_castps_si512(floats_at(columns[c], k, length));
        }
        transpose(words);
        for (int i = 0; i < 16; i++) {
            _mm512_store_si512((float *) group + (k + i) * GROUP_COLUMNS, words[i]);
        }
    }
}

} // namespace

const Gemm GEMM_AVX512 = {
    "gemm-avx512", available, 4, 1, pack_rows, pack_values_floats, pack_columns, multiply_floats<Avx512Floats>,
    exponentials};

} // namespace luq::kernels
