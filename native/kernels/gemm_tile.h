// The inner loop of Gemm::multiply for vector instruction sets. `V` is a vector of floats, one lane a row:
//   LANES, TILE_PANELS, TILE_WIDTH   lanes; panels and columns whose sums the registers hold
//   Word                             what one step multiplies of a row: a float, or two bf16
//   load(p), splat(p)                words of LANES rows; the word of one column for all rows
//   fma(sum, w, a)                   sum + w * a
#pragma once

#include "gemm.h"
#include "unpack.h"

#include <algorithm>
#include <cstring>
#include <limits>

namespace luq::kernels {

// Words of a panel: [part][step][row], of a group: [step][column].
template <typename V, int PANELS, int COLUMNS, int PARTS>
LUQ_INLINE void gemm_tile(const typename V::Word * panels, int64_t panel_words, const typename V::Word * columns,
                          int64_t steps, float * out, int64_t stride) {
    constexpr int VECTORS = ROWS / V::LANES * PANELS;
    const int64_t part_words = steps * ROWS;
    typename V::Floats sums[COLUMNS][VECTORS];
    repeat<COLUMNS>([&](auto c) LUQ_LAMBDA {
        repeat<VECTORS>([&](auto v) LUQ_LAMBDA { sums[c][v] = V::zero_floats(); });
    });
    for (int64_t step = 0; step < steps; step++, columns += GROUP_COLUMNS, panels += ROWS) {
        repeat<PARTS>([&](auto part) LUQ_LAMBDA {
            typename V::Weights weights[VECTORS];
            repeat<VECTORS>([&](auto v) LUQ_LAMBDA {
                constexpr int PER_PANEL = ROWS / V::LANES;
                weights[v] =
                    V::load(panels + v / PER_PANEL * panel_words + part * part_words + v % PER_PANEL * V::LANES);
            });
            repeat<COLUMNS>([&](auto c) LUQ_LAMBDA {
                const auto activation = V::splat(columns + c);
                repeat<VECTORS>([&](auto v) LUQ_LAMBDA { sums[c][v] = V::fma(sums[c][v], weights[v], activation); });
            });
        });
    }
    repeat<COLUMNS>([&](auto c) LUQ_LAMBDA {
        repeat<VECTORS>([&](auto v) LUQ_LAMBDA { V::store(out + c * stride + v * V::LANES, sums[c][v]); });
    });
}

template <typename V, int PANELS, int PARTS>
void gemm_columns(const typename V::Word * panels, int64_t panel_words, const typename V::Word * columns, int64_t steps,
                  float * out, int64_t stride) {
    constexpr int FULL = GROUP_COLUMNS / V::TILE_WIDTH, REST = GROUP_COLUMNS % V::TILE_WIDTH;
    for (int tile = 0; tile < FULL; tile++) {
        gemm_tile<V, PANELS, V::TILE_WIDTH, PARTS>(
            panels, panel_words, columns + tile * V::TILE_WIDTH, steps, out + tile * V::TILE_WIDTH * stride, stride);
    }
    if constexpr (REST > 0) {
        gemm_tile<V, PANELS, REST, PARTS>(
            panels, panel_words, columns + FULL * V::TILE_WIDTH, steps, out + FULL * V::TILE_WIDTH * stride, stride);
    }
}

template <typename V, int PARTS>
void gemm_panels(const void * all_panels, int64_t panel_bytes, int count, const void * all_groups, int64_t steps,
                 float * out, int64_t stride) {
    const auto panels = (const typename V::Word *) all_panels, groups = (const typename V::Word *) all_groups;
    const int64_t panel_words = panel_bytes / sizeof *panels;
    for (int group = 0; group < TILE_COLUMNS / GROUP_COLUMNS; group++) {
        const auto columns = groups + group * steps * GROUP_COLUMNS;
        float * to = out + group * GROUP_COLUMNS * stride;
        int panel = 0;
        for (; count - panel >= V::TILE_PANELS; panel += V::TILE_PANELS) {
            gemm_columns<V, V::TILE_PANELS, PARTS>(
                panels + panel * panel_words, panel_words, columns, steps, to + panel * ROWS, stride);
        }
        for (; panel < count; panel++) {
            gemm_columns<V, 1, PARTS>(
                panels + panel * panel_words, panel_words, columns, steps, to + panel * ROWS, stride);
        }
    }
}

// Gemm::multiply in floats.
template <typename V>
void multiply_floats(const void * panels, int64_t panel_bytes, int count, int, const void * groups, int64_t depth,
                     float * out, int64_t stride) {
    gemm_panels<V, 1>(panels, panel_bytes, count, groups, depth, out, stride);
}

// In an anonymous namespace: each instruction set compiles its own.
namespace {

// A panel of floats: [depth][row].
[[maybe_unused]] bool pack_rows_floats(const float * rows, int64_t depth, void * panel, void *) {
    const auto to = (float *) panel;
    for (int64_t first = 0; first < depth; first += 8) { // a few lines stay in the cache while the rows pass by
        for (int row = 0; row < ROWS; row++) {
            for (int64_t k = first; k < first + 8; k++) {
                to[k * ROWS + row] = rows[row * depth + k];
            }
        }
    }
    return false;
}

[[maybe_unused]] void pack_values_floats(const float * values, int64_t stride, int64_t depth, void * panel) {
    for (int64_t k = 0; k < depth; k++) {
        std::memcpy((float *) panel + k * ROWS, values + k * stride, sizeof(float) * ROWS);
    }
}

// A group of floats: [depth][column].
[[maybe_unused]] void pack_columns_floats(const float * const * columns, int64_t length, int64_t depth, void * group) {
    const auto to = (float *) group;
    for (int64_t first = 0; first < depth; first += 8) {
        for (int c = 0; c < GROUP_COLUMNS; c++) {
            for (int64_t k = first; k < first + 8; k++) {
                to[k * GROUP_COLUMNS + c] = columns[c] && k < length ? columns[c][k] : 0;
            }
        }
    }
}

// e^x for x <= 0, to 2e-7 of itself; 0 below -87. 2^x = 2^n * 2^r with |r| <= 1/2, the latter by its Taylor polynomial.
LUQ_INLINE float exponential(float x) {
    const float power = (x < -87.0f ? -87.0f : x) * 1.44269504f;
    const float shifted = power + 12582912.0f; // 1.5 * 2^23: the sum's last bits are the nearest whole number
    const float r = power - (shifted - 12582912.0f);
    const float fraction =
        1 + r * (0.693147181f +
                 r * (0.240226507f +
                      r * (0.0555041087f + r * (0.00961812911f + r * (0.00133335581f + r * 0.000154035304f)))));
    const uint32_t bits = __builtin_bit_cast(uint32_t, fraction) + (__builtin_bit_cast(uint32_t, shifted) << 23);
    return x < -87.0f ? 0 : __builtin_bit_cast(float, bits);
}

// Gemm::exponentials, for compilers to make vectors of.
[[maybe_unused]] float exponentials(float * values, int64_t count, float scale, const float * mask, float & largest) {
    constexpr int LANES = 16;
    constexpr float NOTHING = -std::numeric_limits<float>::infinity();
    const int64_t whole = count / LANES * LANES;
    if (mask) { // a score is masked whatever it is
        for (int64_t i = 0; i < count; i++) {
            values[i] = mask[i] == NOTHING ? NOTHING : scale * values[i] + mask[i];
        }
    } else {
        for (int64_t i = 0; i < count; i++) {
            values[i] *= scale;
        }
    }
    float most[LANES], sums[LANES] = {};
    std::fill(most, most + LANES, largest);
    for (int64_t i = 0; i < whole; i += LANES) {
        for (int lane = 0; lane < LANES; lane++) {
            most[lane] = most[lane] < values[i + lane] ? values[i + lane] : most[lane];
        }
    }
    for (int64_t i = whole; i < count; i++) {
        most[0] = most[0] < values[i] ? values[i] : most[0];
    }
    for (float m : most) {
        largest = largest < m ? m : largest;
    }
    const float top = largest == NOTHING ? 0 : largest;
    for (int64_t i = 0; i < whole; i += LANES) {
        for (int lane = 0; lane < LANES; lane++) {
            values[i + lane] = exponential(values[i + lane] - top);
            sums[lane] += values[i + lane];
        }
    }
    for (int64_t i = whole; i < count; i++) {
        values[i] = exponential(values[i] - top);
        sums[0] += values[i];
    }
    float sum = 0;
    for (float s : sums) {
        sum += s;
    }
    return sum;
}

} // namespace

} // namespace luq::kernels
