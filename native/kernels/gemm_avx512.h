// What GEMM needs of AVX-512, in floats or in bf16.
#pragma once

#include "gemm_tile.h"

#include <immintrin.h>

namespace luq::kernels {
namespace {

// Transposes 16 x 16 words.
LUQ_INLINE void transpose(__m512i (&a)[16]) {
    __m512i b[16];
    repeat<8>([&](auto i) LUQ_LAMBDA {
        b[2 * i] = _mm512_unpacklo_epi32(a[2 * i], a[2 * i + 1]);
        b[2 * i + 1] = _mm512_unpackhi_epi32(a[2 * i], a[2 * i + 1]);
    });
    repeat<4>([&](auto i) LUQ_LAMBDA {
        a[4 * i] = _mm512_unpacklo_epi64(b[4 * i], b[4 * i + 2]);
        a[4 * i + 1] = _mm512_unpackhi_epi64(b[4 * i], b[4 * i + 2]);
        a[4 * i + 2] = _mm512_unpacklo_epi64(b[4 * i + 1], b[4 * i + 3]);
        a[4 * i + 3] = _mm512_unpackhi_epi64(b[4 * i + 1], b[4 * i + 3]);
    });
    repeat<4>([&](auto i) LUQ_LAMBDA {
        b[i] = _mm512_shuffle_i32x4(a[i], a[4 + i], 0x88);
        b[4 + i] = _mm512_shuffle_i32x4(a[i], a[4 + i], 0xDD);
        b[8 + i] = _mm512_shuffle_i32x4(a[8 + i], a[12 + i], 0x88);
        b[12 + i] = _mm512_shuffle_i32x4(a[8 + i], a[12 + i], 0xDD);
    });
    repeat<8>([&](auto i) LUQ_LAMBDA {
        a[i] = _mm512_shuffle_i32x4(b[i], b[8 + i], 0x88);
        a[8 + i] = _mm512_shuffle_i32x4(b[i], b[8 + i], 0xDD);
    });
}

// Words first .. first+15 of a column; zeros behind its end.
LUQ_INLINE __m512 floats_at(const float * column, int64_t first, int64_t length) {
    if (!column || first >= length) {
        return _mm512_setzero_ps();
    }
    const int64_t left = length - first;
    return _mm512_maskz_loadu_ps(left >= 16 ? 0xFFFF : (__mmask16) ((1u << left) - 1), column + first);
}

// 16 floats as bf16, the nearest, to even.
LUQ_INLINE __m256i to_bf16(__m512 a) {
#ifdef __AVX512BF16__
    return (__m256i) _mm512_cvtneps_pbh(a);
#else
    const __m512i bits = _mm512_castps_si512(a);
    const __m512i odd = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
    const __m512i rounded = _mm512_add_epi32(bits, _mm512_add_epi32(odd, _mm512_set1_epi32(0x7FFF)));
    return _mm512_cvtepi32_epi16(_mm512_srli_epi32(rounded, 16));
#endif
}
LUQ_INLINE __m512 from_bf16(__m256i a) { return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(a), 16)); }
LUQ_INLINE __m512i join(__m256i low, __m256i high) { return _mm512_inserti64x4(_mm512_castsi256_si512(low), high, 1); }

// A part of a panel: [depth / 2][row] pairs of bf16.
[[maybe_unused]] bool pack_rows_bf16(const float * rows, int64_t depth, void * first, void * second) {
    auto to = (__m512i *) first, rest = (__m512i *) second;
    __m512i bits = _mm512_setzero_si512();
    for (int64_t k = 0; k < depth; k += DEPTH_STEP, to += 16) {
        __m512i words[16];
        for (int row = 0; row < ROWS; row++) {
            const __m512 low = _mm512_loadu_ps(rows + row * depth + k),
                         high = _mm512_loadu_ps(rows + row * depth + k + 16);
            bits = _mm512_or_si512(bits, _mm512_castps_si512(low));
            bits = _mm512_or_si512(bits, _mm512_castps_si512(high));
            words[row] = join(to_bf16(low), to_bf16(high));
        }
        transpose(words);
        for (int i = 0; i < 16; i++) {
            _mm512_store_si512(to + i, words[i]);
        }
    }
    const bool exact = !_mm512_test_epi32_mask(bits, _mm512_set1_epi32(0xFFFF));
    for (int64_t k = 0; rest && k < depth; k += DEPTH_STEP, rest += 16) {
        __m512i words[16] = {};
        for (int row = 0; !exact && row < ROWS; row++) {
            const __m512 low = _mm512_loadu_ps(rows + row * depth + k),
                         high = _mm512_loadu_ps(rows + row * depth + k + 16);
            words[row] = join(to_bf16(_mm512_sub_ps(low, from_bf16(to_bf16(low)))),
                              to_bf16(_mm512_sub_ps(high, from_bf16(to_bf16(high)))));
        }
        if (!exact) {
            transpose(words);
        }
        for (int i = 0; i < 16; i++) {
            _mm512_store_si512(rest + i, words[i]);
        }
    }
    return !exact;
}

[[maybe_unused]] void pack_values_bf16(const float * values, int64_t stride, int64_t depth, void * first) {
    auto to = (__m512i *) first;
    for (int64_t k = 0; k < depth; k += 2, values += 2 * stride, to++) {
        const __m512i even = _mm512_cvtepu16_epi32(to_bf16(_mm512_loadu_ps(values)));
        const __m512i odd = _mm512_cvtepu16_epi32(to_bf16(_mm512_loadu_ps(values + stride)));
        _mm512_store_si512(to, _mm512_or_si512(even, _mm512_slli_epi32(odd, 16)));
    }
}

} // namespace
} // namespace luq::kernels
