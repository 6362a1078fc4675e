// GEMM in 16-bit integers for vectors of 256 bits. `V`:
//   TILE_WIDTH         columns whose sums the registers hold, beside the 16 rows of a panel
//   dot(sum, w, a)     sum + the products of pairs, a lane a row
//
// Values of a row or column that follow each other, up to BLOCK, are whole multiples of one step, the largest of them
// MOST times it. A block of a panel is 16 steps, then [depth / 2][row] pairs; a block of a group is 16 steps, then tile
// by tile [depth / 2][column] pairs.
#pragma once

#include "gemm_tile.h"

#include <immintrin.h>

namespace luq::kernels {
namespace {

constexpr int BLOCK = 128;

// 127 times a power of two: 8-bit quants whose largest is 127 keep their values. BLOCK products of two fit 32 bits.
constexpr int MOST = 127 * 32;
static_assert((int64_t) BLOCK * MOST * MOST < (int64_t) 1 << 31);

constexpr int64_t block_bytes(int64_t depth) { return ROWS * (sizeof(float) + depth * sizeof(int16_t)); }

struct Step {
    float step, inverse;

    // Of values whose sizes, as bits, have this maximum. Where one is infinite or no number, so are all.
    explicit Step(int32_t largest)
        : step(__builtin_bit_cast(float, largest) / MOST), inverse(step > 1e-35f ? 1 / step : 0) {}
};

LUQ_INLINE __m256i sizes(__m256 a) { return _mm256_and_si256(_mm256_castps_si256(a), _mm256_set1_epi32(0x7FFFFFFF)); }

LUQ_INLINE int32_t largest_of(__m256i a) {
    __m128i b = _mm_max_epi32(_mm256_castsi256_si128(a), _mm256_extracti128_si256(a, 1));
    b = _mm_max_epi32(b, _mm_shuffle_epi32(b, 0x4E));
    return _mm_cvtsi128_si32(_mm_max_epi32(b, _mm_shuffle_epi32(b, 0xB1)));
}

LUQ_INLINE Step step_of(const float * values, int64_t count) {
    __m256i largest = _mm256_setzero_si256();
    for (int64_t i = 0; i < count; i += 8) {
        largest = _mm256_max_epi32(largest, sizes(_mm256_loadu_ps(values + i)));
    }
    return Step(largest_of(largest));
}

// 16 values.
LUQ_INLINE __m256i to_int16(const float * values, __m256 inverse) {
    const __m256i low = _mm256_cvtps_epi32(_mm256_mul_ps(_mm256_loadu_ps(values), inverse));
    const __m256i high = _mm256_cvtps_epi32(_mm256_mul_ps(_mm256_loadu_ps(values + 8), inverse));
    return _mm256_permute4x64_epi64(_mm256_packs_epi32(low, high), 0xD8);
}

// Transposes 8 x 8 words.
LUQ_INLINE void transpose(__m256i (&a)[8]) {
    __m256i b[8];
    repeat<4>([&](auto i) LUQ_LAMBDA {
        b[2 * i] = _mm256_unpacklo_epi32(a[2 * i], a[2 * i + 1]);
        b[2 * i + 1] = _mm256_unpackhi_epi32(a[2 * i], a[2 * i + 1]);
    });
    repeat<2>([&](auto i) LUQ_LAMBDA {
        a[4 * i] = _mm256_unpacklo_epi64(b[4 * i], b[4 * i + 2]);
        a[4 * i + 1] = _mm256_unpackhi_epi64(b[4 * i], b[4 * i + 2]);
        a[4 * i + 2] = _mm256_unpacklo_epi64(b[4 * i + 1], b[4 * i + 3]);
        a[4 * i + 3] = _mm256_unpackhi_epi64(b[4 * i + 1], b[4 * i + 3]);
    });
    repeat<4>([&](auto i) LUQ_LAMBDA {
        b[i] = _mm256_permute2x128_si256(a[i], a[4 + i], 0x20);
        b[4 + i] = _mm256_permute2x128_si256(a[i], a[4 + i], 0x31);
    });
    std::copy(b, b + 8, a);
}

bool pack_rows_int16(const float * rows, int64_t depth, void * panel, void *) {
    auto to = (char *) panel;
    for (int64_t first = 0; first < depth; first += BLOCK) {
        const int64_t count = std::min<int64_t>(BLOCK, depth - first);
        const auto steps = (float *) to;
        const auto words = (int32_t *) (steps + ROWS);
        for (int row = 0; row < ROWS; row += 8) {
            __m256 inverses[8];
            for (int i = 0; i < 8; i++) {
                const Step step = step_of(rows + (row + i) * depth + first, count);
                steps[row + i] = step.step;
                inverses[i] = _mm256_set1_ps(step.inverse);
            }
            for (int64_t k = 0; k < count; k += 16) {
                __m256i lines[8];
                repeat<8>([&](auto i)
                              LUQ_LAMBDA { lines[i] = to_int16(rows + (row + i) * depth + first + k, inverses[i]); });
                transpose(lines);
                repeat<8>([&](auto i) LUQ_LAMBDA {
                    _mm256_store_si256((__m256i *) (words + (k / 2 + i) * ROWS + row), lines[i]);
                });
            }
        }
        to += block_bytes(count);
    }
    return false;
}

void pack_values_int16(const float * values, int64_t stride, int64_t depth, void * panel) {
    auto to = (char *) panel;
    for (int64_t first = 0; first < depth; first += BLOCK) {
        const int64_t count = std::min<int64_t>(BLOCK, depth - first);
        const auto steps = (float *) to;
        const auto words = (int32_t *) (steps + ROWS);
        for (int row = 0; row < ROWS; row += 8) {
            const float * const from = values + first * stride + row;
            __m256i most = _mm256_setzero_si256();
            for (int64_t k = 0; k < count; k++) {
                most = _mm256_max_epi32(most, sizes(_mm256_loadu_ps(from + k * stride)));
            }
            alignas(32) int32_t largest[8];
            alignas(32) float inverses[8];
            _mm256_store_si256((__m256i *) largest, most);
            for (int i = 0; i < 8; i++) {
                const Step step(largest[i]);
                steps[row + i] = step.step;
                inverses[i] = step.inverse;
            }
            const __m256 inverse = _mm256_load_ps(inverses);
            for (int64_t k = 0; k < count; k += 2) {
                const __m256i even = _mm256_cvtps_epi32(_mm256_mul_ps(_mm256_loadu_ps(from + k * stride), inverse));
                const __m256i odd =
                    _mm256_cvtps_epi32(_mm256_mul_ps(_mm256_loadu_ps(from + (k + 1) * stride), inverse));
                _mm256_store_si256((__m256i *) (words + k / 2 * ROWS + row),
                                   _mm256_blend_epi16(even, _mm256_slli_epi32(odd, 16), 0xAA));
            }
        }
        to += block_bytes(count);
    }
}

template <typename V>
void pack_columns_int16(const float * const * columns, int64_t length, int64_t depth, void * group) {
    auto to = (char *) group;
    for (int64_t first = 0; first < depth; first += BLOCK) {
        const int64_t count = std::min<int64_t>(BLOCK, depth - first);
        const auto steps = (float *) to;
        const auto words = (int32_t *) (steps + GROUP_COLUMNS);
        for (int c = 0; c < GROUP_COLUMNS; c++) {
            alignas(32) float padded[BLOCK];
            const int64_t given = columns[c] ? std::clamp<int64_t>(length - first, 0, count) : 0;
            const float * from = padded;
            if (given == count) {
                from = columns[c] + first;
            } else {
                std::fill(padded, padded + count, 0.0f);
                std::copy_n(columns[c] + (given ? first : 0), given, padded);
            }
            const Step step = step_of(from, count);
            steps[c] = step.step;
            const __m256 inverse = _mm256_set1_ps(step.inverse);
            const int start = c / V::TILE_WIDTH * V::TILE_WIDTH;
            const int width = std::min<int>(V::TILE_WIDTH, GROUP_COLUMNS - start);
            int32_t * const tile = words + start * (count / 2) + c - start;
            for (int64_t k = 0; k < count; k += 16) {
                alignas(32) int32_t pairs[8];
                _mm256_store_si256((__m256i *) pairs, to_int16(from + k, inverse));
                for (int i = 0; i < 8; i++) {
                    tile[(k / 2 + i) * width] = pairs[i];
                }
            }
        }
        to += block_bytes(count);
    }
}

// A panel's block times that of COLUMNS columns, added to `out` or written there.
template <typename V, int COLUMNS>
LUQ_INLINE void int16_tile(const char * panel, const int32_t * columns, const float * column_steps, int64_t pairs,
                           bool add, float * out, int64_t stride) {
    const auto row_steps = (const float *) panel;
    const auto rows = (const __m256i *) (row_steps + ROWS);
    __m256i sums[COLUMNS][2];
    repeat<COLUMNS>([&](auto c) LUQ_LAMBDA { sums[c][0] = sums[c][1] = _mm256_setzero_si256(); });
    for (int64_t i = 0; i < pairs; i++) {
        const __m256i low = _mm256_load_si256(rows + 2 * i), high = _mm256_load_si256(rows + 2 * i + 1);
        repeat<COLUMNS>([&](auto c) LUQ_LAMBDA {
            const __m256i activations = _mm256_set1_epi32(columns[i * COLUMNS + c]);
            sums[c][0] = V::dot(sums[c][0], low, activations);
            sums[c][1] = V::dot(sums[c][1], high, activations);
            // Where GCC sees through, it copies and spills them.
            asm("" : "+x"(sums[c][0]), "+x"(sums[c][1]));
        });
    }
    repeat<COLUMNS>([&](auto c) LUQ_LAMBDA {
        const __m256 column_step = _mm256_broadcast_ss(column_steps + c);
        repeat<2>([&](auto half) LUQ_LAMBDA {
            float * const to = out + c * stride + 8 * half;
            const __m256 step = _mm256_mul_ps(_mm256_load_ps(row_steps + 8 * half), column_step);
            const __m256 before = add ? _mm256_loadu_ps(to) : _mm256_setzero_ps();
            _mm256_storeu_ps(to, _mm256_fmadd_ps(_mm256_cvtepi32_ps(sums[c][half]), step, before));
        });
    });
}

// A block of a panel stays in the first-level cache while the columns pass by.
template <typename V>
void multiply_int16(const void * panels, int64_t panel_bytes, int count, int, const void * groups, int64_t depth,
                    float * out, int64_t stride) {
    constexpr int FULL = GROUP_COLUMNS / V::TILE_WIDTH, REST = GROUP_COLUMNS % V::TILE_WIDTH;
    const int64_t blocks = (depth + BLOCK - 1) / BLOCK;
    const int64_t group_bytes = ROWS * (blocks * sizeof(float) + depth * sizeof(int16_t));
    for (int panel = 0; panel < count; panel++) {
        for (int64_t first = 0; first < depth; first += BLOCK) {
            const int64_t pairs = std::min<int64_t>(BLOCK, depth - first) / 2, at = first / BLOCK * block_bytes(BLOCK);
            const char * const rows = (const char *) panels + panel * panel_bytes + at;
            for (int group = 0; group < TILE_COLUMNS / GROUP_COLUMNS; group++) {
                const auto steps = (const float *) ((const char *) groups + group * group_bytes + at);
                const auto words = (const int32_t *) (steps + GROUP_COLUMNS);
                float * const to = out + group * GROUP_COLUMNS * stride + panel * ROWS;
                for (int c = 0; c < FULL * V::TILE_WIDTH; c += V::TILE_WIDTH) {
                    int16_tile<V, V::TILE_WIDTH>(
                        rows, words + c * pairs, steps + c, pairs, first > 0, to + c * stride, stride);
                }
                if constexpr (REST > 0) {
                    constexpr int c = FULL * V::TILE_WIDTH;
                    int16_tile<V, REST>(rows, words + c * pairs, steps + c, pairs, first > 0, to + c * stride, stride);
                }
            }
        }
    }
}

template <typename V> constexpr Gemm int16_gemm(const char * name, bool (*available)()) {
    return {name,
            available,
            sizeof(int16_t),
            1,
            pack_rows_int16,
            pack_values_int16,
            pack_columns_int16<V>,
            multiply_int16<V>,
            exponentials,
            BLOCK};
}

} // namespace
} // namespace luq::kernels
