// Weights of a panel as the multiplication takes them, type by type, for every instruction set. `V` is a vector of
// 32-bit lanes, one lane a row; isa_*.cpp define it:
//   shift<N>            to the right, to the left if N is negative
//   and_or(a, b, c)     a & b | c
//   where_bit<I>(a, x)  x where bit I of a is set, else 0
//   lookup(table, a)    each byte of a, which is below 16, from the table
//   gather(table, a)    the word of the table that a lane names
//   select(table, a)    the word of four that the two lowest bits of a lane name
//   multiply_add        adds a product to the first operand; _small that of a 16-bit number and one that is not negative
//                       either; _pairs two products of 16-bit halves
//   fma(a, b, c)        a * b + c, in floats
//   dot<N, Largest>     adds the products of N vectors of quants and as many fours of activations, of signed bytes where
//                       Largest is above V::LARGEST
#pragma once

#include "panels.h"
#include "trit_grid.h"

#include <utility>

#define LUQ_LAMBDA __attribute__((always_inline))
#define LUQ_INLINE inline __attribute__((always_inline))

namespace luq::kernels {

// Calls body with the constants 0 .. N-1: shifts need their distance when they are compiled.
template <typename Body, int... I> LUQ_INLINE void repeat(Body && body, std::integer_sequence<int, I...>) {
    (body(std::integral_constant<int, I>{}), ...);
}
template <int N, typename Body> LUQ_INLINE void repeat(Body && body) {
    repeat(body, std::make_integer_sequence<int, N>{});
}

// Whether the dot product takes quants less Panels::OFFSET, as signed bytes.
template <typename V, typename Panels> constexpr bool SIGNED_QUANTS = Panels::LARGEST > V::LARGEST;

template <typename V, typename Panels, int Byte> LUQ_INLINE typename V::Lanes byte_of(typename V::Lanes quants) {
    if constexpr (SIGNED_QUANTS<V, Panels>) {
        return V::template shift_signed<24>(V::template shift<8 * Byte - 24>(quants));
    } else {
        return V::bit_and(V::template shift<8 * Byte>(quants), V::splat(0xFF));
    }
}

// One superblock of a panel, or the rows of it that a vector holds:
//   part<P>         the quants of part P, four columns a vector, as bytes 0..LARGEST or signed; returns the part's scale
//   multiply_scale  adds scale * sum of a part to the superblock's total
//   finish          adds the superblock to the result, with its factors and the activations'
//   start<P>        what the sum of part P begins with
template <typename V, typename Panels> struct Weights;

// Of types whose quants are shifted by an offset: a part has one correction for all rows. Signed quants need none.
template <typename V, typename Panels> struct OffsetWeights {
    const uint8_t * lines;

    template <int P> static LUQ_INLINE typename V::Lanes start(const ActivationBlock & a) {
        return SIGNED_QUANTS<V, Panels> ? V::zero() : V::splat(a.correction[P]);
    }
};

// Of those of them that have d in the low half of line 0: a weight is d / Divisor * scale * quant.
template <typename V, typename Panels, int Divisor = 1> struct FactorWeights : OffsetWeights<V, Panels> {
    using Lanes = typename V::Lanes;
    using OffsetWeights<V, Panels>::lines;

    static LUQ_INLINE Lanes multiply_scale(Lanes total, Lanes sum, Lanes scale) {
        return V::multiply_add(total, sum, scale);
    }

    LUQ_INLINE typename V::Floats finish(typename V::Floats result, Lanes total, const ActivationBlock & a) const {
        const auto d = V::half(V::load(lines));
        return V::fma(V::multiply(d, V::splat(a.d / Divisor)), V::to_float(total), result);
    }
};

// Of types with minima: d and dmin are the halves of line 0.
template <typename V> struct MinimaWeights {
    const uint8_t * lines;

    template <int P> static LUQ_INLINE typename V::Lanes start(const ActivationBlock &) { return V::zero(); }

    // What `finish` returns. minima: the sum over the parts of m times the sum of its activations.
    LUQ_INLINE typename V::Floats less_minima(typename V::Floats result, typename V::Lanes total,
                                              typename V::Lanes minima, const ActivationBlock & a) const {
        const auto factors = V::load(lines);
        const auto d = V::half(V::bit_and(factors, V::splat(0xFFFF)));
        const auto dmin = V::half(V::template shift<16>(factors));
        const auto scaled = V::fma(V::multiply(d, V::splat(a.d)), V::to_float(total), result);
        return V::fma(V::multiply(dmin, V::splat(-a.d)), V::to_float(minima), scaled);
    }
};

// Nibbles of part P, of 32 columns: those of an even part are the low ones of eight lines.
template <typename V, int FirstLine, int P>
LUQ_INLINE void nibbles(const uint8_t * lines, typename V::Lanes quants[8]) {
    repeat<8>([&](auto k) LUQ_LAMBDA {
        const auto pair = V::load(lines + LINE_BYTES * (FirstLine + 8 * (P / 2) + k));
        quants[k] = V::bit_and(V::template shift<4 * (P % 2)>(pair), V::splat(0x0F0F0F0F));
    });
}

// Of IQ1_M in either layout.
template <typename V, typename Panels> struct TernaryWeights : OffsetWeights<V, Panels> {
    using Lanes = typename V::Lanes;
    using OffsetWeights<V, Panels>::lines;

    template <int P> LUQ_INLINE Lanes scale() const {
        const Lanes scales = V::load(lines + LINE_BYTES * (Panels::SCALE_LINE + P / 8));
        return V::and_or(V::template shift<3 * (P % 8) - 1>(scales), V::splat(14), V::splat(1));
    }

    // |sum| <= 16 * 127 * 9 and the scale fit into 16 bits.
    static LUQ_INLINE Lanes multiply_scale(Lanes total, Lanes sum, Lanes scale) {
        return V::multiply_add_small(total, sum, scale);
    }

    LUQ_INLINE typename V::Floats finish(typename V::Floats result, Lanes total, const ActivationBlock & a) const {
        const Lanes low = V::template shift<24>(V::load(lines + LINE_BYTES * Panels::SCALE_LINE));
        const Lanes high = V::template shift<16>(V::load(lines + LINE_BYTES * (Panels::SCALE_LINE + 1)));
        const auto d = V::half(V::and_or(high, V::splat(0xFF00), low));
        return V::fma(V::multiply(d, V::splat(a.d / 8)), V::to_float(total), result);
    }
};

template <typename V> struct Weights<V, TritPanels> : TernaryWeights<V, TritPanels> {
    using Lanes = typename V::Lanes;
    template <int P> LUQ_INLINE Lanes part(Lanes quants[4]) const {
        const Lanes trits = V::load(this->lines + LINE_BYTES * (TritPanels::TRIT_LINE + P));
        repeat<4>([&](auto k) LUQ_LAMBDA {
            quants[k] = V::bit_and(V::template shift<2 * k - 3>(trits), V::splat(0x18181818));
        });
        return this->template scale<P>();
    }

    // The signs are the same for eight columns: they choose among sums instead of taking part in the product.
    template <int P> LUQ_INLINE Lanes start(const ActivationBlock & a) const {
        const Lanes signs = V::load(this->lines + LINE_BYTES * TritPanels::SIGN_LINE);
        return V::select(a.correction + 4 * P, V::template shift<2 * P>(signs));
    }
};

template <typename V> struct Weights<V, GridPanels> : TernaryWeights<V, GridPanels> {
    using Lanes = typename V::Lanes;

    // From a line of trits and the bits of a line that are the signs of its two runs of eight columns.
    template <int Left, int Right> static LUQ_INLINE void spread(Lanes trits, Lanes signs, Lanes quants[4]) {
        const Lanes eight = V::splat(0x18181818);
        const Lanes left = V::template where_bit<Left>(signs, 0x02020202);
        const Lanes right = V::template where_bit<Right>(signs, 0x02020202);
        quants[0] = V::and_or(V::template shift<-3>(trits), eight, left);
        quants[1] = V::and_or(V::template shift<-1>(trits), eight, left);
        quants[2] = V::and_or(V::template shift<1>(trits), eight, right);
        quants[3] = V::and_or(V::template shift<3>(trits), eight, right);
    }

    template <int P> LUQ_INLINE Lanes part(Lanes quants[4]) const {
        constexpr int BYTE = 16 * (P % 2), NIBBLE = BYTE + 4 * (P / 2 % 2); // where the first of two runs is
        const Lanes low = V::load(this->lines + LINE_BYTES * GridPanels::low_line(P / 2));
        const Lanes high = V::load(this->lines + LINE_BYTES * GridPanels::high_line(P / 4));
        const auto run = [&](auto i) LUQ_LAMBDA {
            const Lanes eight = V::bit_and(V::template shift<BYTE + 8 * i>(low), V::splat(0xFF));
            return V::gather(TRIT_GRID.words,
                             V::and_or(V::template shift<NIBBLE + 8 * i - 8>(high), V::splat(0x700), eight));
        };
        const Lanes left = run(std::integral_constant<int, 0>{}), right = run(std::integral_constant<int, 1>{});
        spread<NIBBLE + 3, NIBBLE + 11>(
            V::and_or(V::template shift<-4>(right), V::splat((int32_t) 0xF0F0F0F0), left), high, quants);
        return this->template scale<P>();
    }
};

// Two bits of each quant of part P, of Q2_K and Q3_K.
template <typename V, typename Panels, int P>
LUQ_INLINE void pairs_of_bits(const uint8_t * lines, typename V::Lanes quants[4]) {
    repeat<4>([&](auto k) LUQ_LAMBDA {
        const auto four = V::load(lines + LINE_BYTES * (Panels::QUANT_LINE + 8 * (P / 8) + 4 * (P % 2) + k));
        quants[k] = V::bit_and(V::template shift<P % 8 / 2 * 2>(four), V::splat(0x03030303));
    });
}

template <typename V> struct Weights<V, TwoBitPanels> : MinimaWeights<V> {
    using Lanes = typename V::Lanes;
    using MinimaWeights<V>::lines;

    template <int P> LUQ_INLINE Lanes part(Lanes quants[4]) const {
        pairs_of_bits<V, TwoBitPanels, P>(lines, quants);
        const Lanes scales = V::load(lines + LINE_BYTES * (TwoBitPanels::SCALE_LINE + P / 4));
        return V::bit_and(V::template shift<8 * (P % 4)>(scales), V::splat(15));
    }

    // |sum| <= 16 * 127 * 3 and the scale fit into 16 bits.
    static LUQ_INLINE Lanes multiply_scale(Lanes total, Lanes sum, Lanes scale) {
        return V::multiply_add_small(total, sum, scale);
    }

    LUQ_INLINE typename V::Floats finish(typename V::Floats result, Lanes total, const ActivationBlock & a) const {
        Lanes minima = V::zero();
        repeat<4>([&](auto i) LUQ_LAMBDA {
            const Lanes both = V::load(lines + LINE_BYTES * (TwoBitPanels::SCALE_LINE + i));
            const Lanes even = V::bit_and(V::template shift<4>(both), V::splat(0x000F000F));
            const Lanes odd = V::bit_and(V::template shift<12>(both), V::splat(0x000F000F));
            minima = V::multiply_add_pairs(minima, even, V::splat(a.correction[2 * i]));
            minima = V::multiply_add_pairs(minima, odd, V::splat(a.correction[2 * i + 1]));
        });
        return this->less_minima(result, total, minima, a);
    }
};

template <typename V> struct Weights<V, ThreeBitPanels> : FactorWeights<V, ThreeBitPanels> {
    using Lanes = typename V::Lanes;
    using FactorWeights<V, ThreeBitPanels>::lines;

    template <int P> LUQ_INLINE Lanes part(Lanes quants[4]) const {
        pairs_of_bits<V, ThreeBitPanels, P>(lines, quants);
        repeat<4>([&](auto k) LUQ_LAMBDA {
            const Lanes high = V::load(lines + LINE_BYTES * (ThreeBitPanels::HIGH_LINE + 4 * (P % 2) + k));
            quants[k] = V::and_or(V::template shift<P / 2 - 2>(high), V::splat(0x04040404), quants[k]);
        });
        const Lanes low = V::load(lines + LINE_BYTES * (ThreeBitPanels::SCALE_LINE + P / 4 % 2));
        const Lanes high = V::load(lines + LINE_BYTES * (ThreeBitPanels::SCALE_LINE + 2));
        const Lanes four = V::bit_and(V::template shift<8 * (P % 4) + 4 * (P / 8)>(low), V::splat(15));
        const Lanes scale = V::and_or(V::template shift<8 * (P % 4) + 2 * (P / 4) - 4>(high), V::splat(0x30), four);
        return V::add(scale, V::splat(-32));
    }
};

// Of Q4_K and Q5_K.
template <typename V, typename Panels> struct NibbleWeights : MinimaWeights<V> {
    using Lanes = typename V::Lanes;
    using MinimaWeights<V>::lines;

    template <int P> LUQ_INLINE Lanes part(Lanes quants[8]) const {
        nibbles<V, Panels::QUANT_LINE, P>(lines, quants);
        const Lanes low = V::load(lines + LINE_BYTES);
        const Lanes high = V::load(lines + LINE_BYTES * 3);
        const Lanes scale = V::template shift<8 * (P % 4)>(P < 4 ? low : high);
        return P < 4 ? V::bit_and(scale, V::splat(0x3F))
                     : V::and_or(V::template shift<8 * (P % 4) + 2>(low), V::splat(0x30),
                                 V::bit_and(scale, V::splat(0x0F)));
    }

    static LUQ_INLINE Lanes multiply_scale(Lanes total, Lanes sum, Lanes scale) {
        return V::multiply_add(total, sum, scale);
    }

    LUQ_INLINE typename V::Floats finish(typename V::Floats result, Lanes total, const ActivationBlock & a) const {
        const Lanes bytes = V::splat(0x00FF00FF);
        const Lanes low = V::load(lines + LINE_BYTES * 2);
        const Lanes high = V::template shift<4>(V::load(lines + LINE_BYTES * 3));
        const Lanes m0 = V::bit_and(low, V::splat(0x3F3F3F3F));
        const Lanes m4 =
            V::and_or(V::template shift<2>(low), V::splat(0x30303030), V::bit_and(high, V::splat(0x0F0F0F0F)));
        Lanes minima = V::multiply_add_pairs(V::zero(), V::bit_and(m0, bytes), V::splat(a.correction[0]));
        minima = V::multiply_add_pairs(minima, V::bit_and(V::template shift<8>(m0), bytes), V::splat(a.correction[1]));
        minima = V::multiply_add_pairs(minima, V::bit_and(m4, bytes), V::splat(a.correction[2]));
        minima = V::multiply_add_pairs(minima, V::bit_and(V::template shift<8>(m4), bytes), V::splat(a.correction[3]));
        return this->less_minima(result, total, minima, a);
    }
};

template <typename V> struct Weights<V, NibblePanels> : NibbleWeights<V, NibblePanels> {};

template <typename V> struct Weights<V, FiveBitPanels> : NibbleWeights<V, FiveBitPanels> {
    using Lanes = typename V::Lanes;

    template <int P> LUQ_INLINE Lanes part(Lanes quants[8]) const {
        const Lanes scale = NibbleWeights<V, FiveBitPanels>::template part<P>(quants);
        repeat<8>([&](auto k) LUQ_LAMBDA {
            const Lanes high = V::load(this->lines + LINE_BYTES * (FiveBitPanels::HIGH_LINE + k));
            quants[k] = V::and_or(V::template shift<P - 4>(high), V::splat(0x10101010), quants[k]);
        });
        return scale;
    }
};

template <typename V> struct Weights<V, SixBitPanels> : FactorWeights<V, SixBitPanels> {
    using Lanes = typename V::Lanes;
    using FactorWeights<V, SixBitPanels>::lines;

    template <int P> LUQ_INLINE Lanes part(Lanes quants[4]) const {
        const Lanes nibble = V::splat(0x0F0F0F0F);
        const Lanes upper = V::splat(0x30303030);
        const Lanes high = V::load(lines + LINE_BYTES * (SixBitPanels::high_line(P / 4) + P % 4));
        repeat<4>([&](auto k) LUQ_LAMBDA {
            const Lanes low = V::load(lines + LINE_BYTES * (SixBitPanels::low_line(P / 4) + P % 2 * 4 + k));
            quants[k] = V::and_or(V::template shift<2 * k - 4>(high), upper,
                                  V::bit_and(V::template shift<P % 4 / 2 * 4>(low), nibble));
        });
        const Lanes scales = V::load(lines + LINE_BYTES * (SixBitPanels::SCALE_LINE + P / 4));
        return V::template shift_signed<24>(V::template shift<-(24 - 8 * (P % 4))>(scales));
    }
};

// Of the types with a codebook; `codes` is the derived type's.
template <typename V, typename Panels, typename Derived>
struct CodebookWeights : FactorWeights<V, Panels, Panels::DIVISOR> {
    using Lanes = typename V::Lanes;
    using FactorWeights<V, Panels, Panels::DIVISOR>::lines;

    template <int P> LUQ_INLINE Lanes part(Lanes quants[Panels::COLUMNS / 4]) const {
        static_cast<const Derived *>(this)->template codes<P>(quants);
        repeat<Panels::COLUMNS / 4>([&](auto k) LUQ_LAMBDA { quants[k] = V::lookup(Panels::VALUES, quants[k]); });
        const Lanes scales = V::load(lines + LINE_BYTES * (Panels::SCALE_LINE + P / 8));
        return V::and_or(V::template shift<4 * (P % 8) - 1>(scales), V::splat(30), V::splat(1));
    }
};

template <typename V>
struct Weights<V, SixValuePanels> : CodebookWeights<V, SixValuePanels, Weights<V, SixValuePanels>> {
    using Lanes = typename V::Lanes;
    template <int P> LUQ_INLINE void codes(Lanes quants[4]) const {
        const Lanes low = V::load(this->lines + LINE_BYTES * (SixValuePanels::low_line(P / 2) + P % 2));
        const Lanes high = V::load(this->lines + LINE_BYTES * SixValuePanels::high_line(P / 2));
        repeat<4>([&](auto k) LUQ_LAMBDA {
            quants[k] = V::and_or(V::template shift<P % 2 * 4 + k - 2>(high), V::splat(0x04040404),
                                  V::bit_and(V::template shift<2 * k>(low), V::splat(0x03030303)));
        });
    }
};

template <typename V, typename Panels>
struct SixteenValueWeights : CodebookWeights<V, Panels, SixteenValueWeights<V, Panels>> {
    using Lanes = typename V::Lanes;
    template <int P> LUQ_INLINE void codes(Lanes quants[8]) const {
        nibbles<V, Panels::CODE_LINE, P>(this->lines, quants);
    }
};
template <typename V> struct Weights<V, Iq3XxsPanels> : SixteenValueWeights<V, Iq3XxsPanels> {};
template <typename V> struct Weights<V, Iq3SPanels> : SixteenValueWeights<V, Iq3SPanels> {};

template <typename V> struct Weights<V, Iq4XsPanels> : FactorWeights<V, Iq4XsPanels> {
    using Lanes = typename V::Lanes;
    using FactorWeights<V, Iq4XsPanels>::lines;

    template <int P> LUQ_INLINE Lanes part(Lanes quants[8]) const {
        const uint8_t * values = SIGNED_QUANTS<V, Iq4XsPanels> ? Iq4XsPanels::SIGNED_VALUES : Iq4XsPanels::VALUES;
        repeat<4>([&](auto k) LUQ_LAMBDA {
            const Lanes pair = V::load(lines + LINE_BYTES * (Iq4XsPanels::CODE_LINE + 4 * P + k));
            quants[k] = V::lookup(values, V::bit_and(pair, V::splat(0x0F0F0F0F)));
            quants[4 + k] = V::lookup(values, V::bit_and(V::template shift<4>(pair), V::splat(0x0F0F0F0F)));
        });
        const Lanes low = V::load(lines + LINE_BYTES * Iq4XsPanels::SCALE_LINE);
        const Lanes scale = V::and_or(V::template shift<12 + 2 * P>(V::load(lines)), V::splat(0x30),
                                      V::bit_and(V::template shift<4 * P>(low), V::splat(15)));
        return V::add(scale, V::splat(-32));
    }
};

} // namespace luq::kernels
