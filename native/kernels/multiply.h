// The product of panels of weights and columns of activations, written once for every instruction set.
#pragma once

#include "kernels.h"
#include "unpack.h"

namespace luq::kernels {

// Bytes ahead. The first hides the latency of memory; the second asks again for what was dropped or pushed out of the
// first-level cache since.
constexpr int PREFETCH_FAR = 8192, PREFETCH_NEAR = 4096;

// Asks for lines First .. Last-1 of what follows.
template <int First, int Last> LUQ_INLINE void prefetch(const uint8_t * lines) {
    repeat<Last - First>([&](auto i) LUQ_LAMBDA {
        __builtin_prefetch(lines + PREFETCH_NEAR + LINE_BYTES * (First + i));
        __builtin_prefetch(lines + PREFETCH_FAR + LINE_BYTES * (First + i));
    });
}

// One panel and `Columns` columns of activations, which are `superblocks` long: out[c * stride + row]. `cold`: the panel
// comes from memory.
template <typename V, typename Panels, int Columns>
void multiply_panel(const uint8_t * panel, bool cold, int superblocks, const ActivationBlock * activations, float * out,
                    size_t stride) {
    constexpr int STRIPS = ROWS / V::LANES, QUADS = Panels::COLUMNS / 4;
    using Lanes = typename V::Lanes;
    typename V::Floats result[STRIPS][Columns];
    for (auto & strip : result) {
        repeat<Columns>([&](auto c) LUQ_LAMBDA { strip[c] = V::zero_floats(); });
    }
    for (int b = 0; b < superblocks; b++, activations++) {
        for (int strip = 0; strip < STRIPS; strip++) {
            Weights<V, Panels> weights;
            weights.lines = panel + 4 * V::LANES * strip;
            Lanes total[Columns];
            repeat<Columns>([&](auto c) LUQ_LAMBDA { total[c] = V::zero(); });
            repeat<Panels::PARTS>([&](auto part) LUQ_LAMBDA {
                if (cold && strip == 0) {
                    prefetch<part * Panels::LINES / Panels::PARTS, (part + 1) * Panels::LINES / Panels::PARTS>(panel);
                }
                Lanes quants[QUADS];
                const Lanes scale = weights.template part<part>(quants);
                repeat<Columns>([&](auto c) LUQ_LAMBDA {
                    const ActivationBlock & a = activations[c * superblocks];
                    const Lanes sum = V::template dot<QUADS, Panels::LARGEST>(
                        weights.template start<part>(a), quants, a.q + Panels::COLUMNS * part);
                    total[c] = weights.multiply_scale(total[c], sum, scale);
                });
            });
            repeat<Columns>([&](auto c) LUQ_LAMBDA {
                result[strip][c] = weights.finish(result[strip][c], total[c], activations[c * superblocks]);
            });
        }
        panel += LINE_BYTES * Panels::LINES;
    }
    for (int strip = 0; strip < STRIPS; strip++) {
        repeat<Columns>([&](auto c) LUQ_LAMBDA { V::store(out + c * stride + V::LANES * strip, result[strip][c]); });
    }
}

// Panels that follow each other, times columns that do: out[c * stride + row]. As many columns share the unpacking of a
// panel as the registers hold (V::MAX_COLUMNS).
template <typename V, typename Panels>
void multiply(const uint8_t * panels, int count, int superblocks, const ActivationBlock * activations, int columns,
              float * out, size_t stride) {
    const size_t panel_bytes = (size_t) LINE_BYTES * Panels::LINES * superblocks;
    for (int p = 0; p < count; p++, panels += panel_bytes, out += ROWS) {
        int c = 0;
        const auto take = [&](auto tile) {
            if constexpr (tile <= V::MAX_COLUMNS) {
                for (; columns - c >= tile; c += tile) {
                    multiply_panel<V, Panels, tile>(
                        panels, c == 0, superblocks, activations + (size_t) c * superblocks, out + c * stride, stride);
                }
            }
        };
        take(std::integral_constant<int, 8>{});
        take(std::integral_constant<int, 4>{});
        take(std::integral_constant<int, 2>{});
        take(std::integral_constant<int, 1>{});
    }
}

// One superblock of a panel as floats: each weight is its product with an activation of 1.
template <typename V, typename Panels>
void unpack(const uint8_t * __restrict superblock, const ActivationBlock * __restrict units, float * __restrict out) {
    constexpr int QUADS = Panels::COLUMNS / 4;
    using Lanes = typename V::Lanes;
    for (int strip = 0; strip < ROWS / V::LANES; strip++, out += V::LANES) {
        Weights<V, Panels> weights;
        weights.lines = superblock + 4 * V::LANES * strip;
        repeat<Panels::PARTS>([&](auto part) LUQ_LAMBDA {
            Lanes quants[QUADS];
            const Lanes scale = weights.template part<part>(quants);
            repeat<QUADS>([&](auto k) LUQ_LAMBDA {
                // What the corrections depend on changes after eight columns at most.
                const ActivationBlock & unit = units[(Panels::COLUMNS * part + 4 * k) / 8];
                const Lanes start = weights.template start<part>(unit);
                repeat<4>([&](auto byte) LUQ_LAMBDA {
                    const Lanes quant = byte_of<V, Panels, byte>(quants[k]);
                    const Lanes total = weights.multiply_scale(V::zero(), V::add(start, quant), scale);
                    V::store(out + (Panels::COLUMNS * part + 4 * k + byte) * ROWS,
                             weights.finish(V::zero_floats(), total, unit));
                });
            });
        });
    }
}

template <typename V, typename Panels> constexpr PanelKernels PANEL_KERNELS = {multiply<V, Panels>, unpack<V, Panels>};

template <typename V> constexpr InstructionSet kernels_of(const char * name, bool (*available)()) {
    return {name,
            available,
            PANEL_KERNELS<V, TritPanels>,
            PANEL_KERNELS<V, GridPanels>,
            PANEL_KERNELS<V, TwoBitPanels>,
            PANEL_KERNELS<V, ThreeBitPanels>,
            PANEL_KERNELS<V, NibblePanels>,
            PANEL_KERNELS<V, FiveBitPanels>,
            PANEL_KERNELS<V, SixBitPanels>,
            PANEL_KERNELS<V, SixValuePanels>,
            PANEL_KERNELS<V, Iq3XxsPanels>,
            PANEL_KERNELS<V, Iq3SPanels>,
            PANEL_KERNELS<V, Iq4XsPanels>};
}

} // namespace luq::kernels
