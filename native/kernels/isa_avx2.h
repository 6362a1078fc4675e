// AVX2: a vector is half a line. What AVX2 and AVX-VNNI have in common.
#pragma once

#include "multiply.h"

#include <immintrin.h>

namespace luq::kernels {
namespace {

struct Avx2Base {
    using Lanes = __m256i;
    using Floats = __m256;
    static constexpr int LANES = 8, MAX_COLUMNS = 4, LARGEST = 255;

    static LUQ_INLINE Lanes zero() { return _mm256_setzero_si256(); }
    static LUQ_INLINE Lanes load(const uint8_t * p) { return _mm256_loadu_si256((const __m256i *) p); }
    static LUQ_INLINE Lanes splat(int32_t x) { return _mm256_set1_epi32(x); }
    static LUQ_INLINE Lanes splat4(const int8_t * p) {
        int32_t quad;
        __builtin_memcpy(&quad, p, 4);
        return _mm256_set1_epi32(quad);
    }
    static LUQ_INLINE Lanes bit_and(Lanes a, Lanes b) { return _mm256_and_si256(a, b); }
    static LUQ_INLINE Lanes and_or(Lanes a, Lanes b, Lanes c) { return _mm256_or_si256(_mm256_and_si256(a, b), c); }
    template <int N> static LUQ_INLINE Lanes shift(Lanes a) {
        if constexpr (N == 0) {
            return a;
        } else if constexpr (N > 0) {
            return _mm256_srli_epi32(a, N);
        } else {
            return _mm256_slli_epi32(a, -N);
        }
    }
    template <int N> static LUQ_INLINE Lanes shift_signed(Lanes a) { return _mm256_srai_epi32(a, N); }
    template <int Bit> static LUQ_INLINE Lanes where_bit(Lanes a, int32_t value) {
        return _mm256_and_si256(_mm256_srai_epi32(_mm256_slli_epi32(a, 31 - Bit), 31), _mm256_set1_epi32(value));
    }
    static LUQ_INLINE Lanes lookup(const uint8_t * table, Lanes codes) {
        return _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *) table)), codes);
    }
    static LUQ_INLINE Lanes gather(const uint32_t * table, Lanes indices) {
        return _mm256_i32gather_epi32((const int *) table, indices, 4);
    }
    static LUQ_INLINE Lanes select(const int32_t * table, Lanes a) {
        const __m256 words = _mm256_broadcast_ps((const __m128 *) table);
        return _mm256_castps_si256(_mm256_permutevar_ps(words, a));
    }
    static LUQ_INLINE Lanes add(Lanes a, Lanes b) { return _mm256_add_epi32(a, b); }
    static LUQ_INLINE Lanes multiply_add(Lanes sum, Lanes a, Lanes b) {
        return _mm256_add_epi32(sum, _mm256_mullo_epi32(a, b));
    }

    static LUQ_INLINE Floats zero_floats() { return _mm256_setzero_ps(); }
    static LUQ_INLINE Floats splat(float x) { return _mm256_set1_ps(x); }
    static LUQ_INLINE Floats half(Lanes bits) {
        const __m256i low = _mm256_and_si256(bits, _mm256_set1_epi32(0xFFFF));
        const __m256i words = _mm256_permute4x64_epi64(_mm256_packus_epi32(low, low), 0x08);
        return _mm256_cvtph_ps(_mm256_castsi256_si128(words));
    }
    static LUQ_INLINE Floats to_float(Lanes a) { return _mm256_cvtepi32_ps(a); }
    static LUQ_INLINE Floats multiply(Floats a, Floats b) { return _mm256_mul_ps(a, b); }
    static LUQ_INLINE Floats fma(Floats a, Floats b, Floats c) { return _mm256_fmadd_ps(a, b, c); }
    static LUQ_INLINE void store(float * p, Floats a) { _mm256_storeu_ps(p, a); }
};

} // namespace
} // namespace luq::kernels
