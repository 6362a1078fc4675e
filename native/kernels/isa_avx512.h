// AVX-512 with VNNI: a vector is a line. What CPUs with and without VBMI have in common.
#pragma once

#include "multiply.h"

#include <immintrin.h>

namespace luq::kernels {
namespace {

struct Avx512Vnni {
    using Lanes = __m512i;
    using Floats = __m512;
    static constexpr int LANES = 16, MAX_COLUMNS = 8, LARGEST = 255;

    static LUQ_INLINE Lanes zero() { return _mm512_setzero_si512(); }
    static LUQ_INLINE Lanes load(const uint8_t * p) { return _mm512_loadu_si512(p); }
    static LUQ_INLINE Lanes splat(int32_t x) { return _mm512_set1_epi32(x); }
    static LUQ_INLINE Lanes splat4(const int8_t * p) {
        int32_t quad;
        __builtin_memcpy(&quad, p, 4);
        return _mm512_set1_epi32(quad);
    }
    static LUQ_INLINE Lanes bit_and(Lanes a, Lanes b) { return _mm512_and_si512(a, b); }
    static LUQ_INLINE Lanes and_or(Lanes a, Lanes b, Lanes c) { return _mm512_ternarylogic_epi32(a, b, c, 0xEA); }
    template <int N> static LUQ_INLINE Lanes shift(Lanes a) {
        if constexpr (N == 0) {
            return a;
        } else if constexpr (N > 0) {
            return _mm512_srli_epi32(a, N);
        } else {
            return _mm512_slli_epi32(a, -N);
        }
    }
    template <int N> static LUQ_INLINE Lanes shift_signed(Lanes a) { return _mm512_srai_epi32(a, N); }
    template <int Bit> static LUQ_INLINE Lanes where_bit(Lanes a, int32_t value) {
        const __mmask16 set = _mm512_test_epi32_mask(a, _mm512_set1_epi32(1u << Bit));
        return _mm512_maskz_mov_epi32(set, _mm512_set1_epi32(value));
    }
    template <int Quads, int Largest>
    static LUQ_INLINE Lanes dot(Lanes sum, const Lanes * quants, const int8_t * activations) {
        repeat<Quads>([&](auto k) LUQ_LAMBDA {
            sum = _mm512_dpbusd_epi32(sum, quants[k], splat4(activations + 4 * k));
        });
        return sum;
    }
    static LUQ_INLINE Lanes lookup(const uint8_t * table, Lanes codes) {
        return _mm512_shuffle_epi8(_mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i *) table)), codes);
    }
    static LUQ_INLINE Lanes gather(const uint32_t * table, Lanes indices) {
        return _mm512_i32gather_epi32(indices, (const int *) table, 4);
    }
    static LUQ_INLINE Lanes select(const int32_t * table, Lanes a) {
        const __m512 words = _mm512_broadcast_f32x4(_mm_loadu_ps((const float *) table));
        return _mm512_castps_si512(_mm512_permutevar_ps(words, a));
    }
    static LUQ_INLINE Lanes add(Lanes a, Lanes b) { return _mm512_add_epi32(a, b); }
    static LUQ_INLINE Lanes multiply_add(Lanes sum, Lanes a, Lanes b) {
        return _mm512_add_epi32(sum, _mm512_mullo_epi32(a, b));
    }
    static LUQ_INLINE Lanes multiply_add_pairs(Lanes sum, Lanes a, Lanes b) { return _mm512_dpwssd_epi32(sum, a, b); }
    static LUQ_INLINE Lanes multiply_add_small(Lanes sum, Lanes a, Lanes b) { return multiply_add_pairs(sum, a, b); }

    static LUQ_INLINE Floats zero_floats() { return _mm512_setzero_ps(); }
    static LUQ_INLINE Floats splat(float x) { return _mm512_set1_ps(x); }
    static LUQ_INLINE Floats half(Lanes bits) { return _mm512_cvtph_ps(_mm512_cvtepi32_epi16(bits)); }
    static LUQ_INLINE Floats to_float(Lanes a) { return _mm512_cvtepi32_ps(a); }
    static LUQ_INLINE Floats multiply(Floats a, Floats b) { return _mm512_mul_ps(a, b); }
    static LUQ_INLINE Floats fma(Floats a, Floats b, Floats c) { return _mm512_fmadd_ps(a, b, c); }
    static LUQ_INLINE void store(float * p, Floats a) { _mm512_storeu_ps(p, a); }
};

} // namespace
} // namespace luq::kernels
