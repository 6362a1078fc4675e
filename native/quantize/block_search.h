// The search for one block, written once for every instruction set. Sums are taken in one order and nothing is fused, so
// that every set comes to the same bytes.
#pragma once

#include "search.h"

#include <cstring>

namespace luq::quantize {

// In search.cpp, so that no instruction set has its own.
uint16_t to_half(float x);
float from_half(uint16_t x);
float square_root(float x);
float times_power(float x, int exponent); // x 2^exponent
int exponent_of(float x);

struct Tuning {
    float share;  // how far d goes from least squares, which make outputs smaller, to where a block keeps its size
    float lowest; // scale that is tried, relative to a typical weight
};
template <typename Format> constexpr Tuning TUNING{};
template <> inline constexpr Tuning TUNING<Iq1M>{0.5f, 0.068f};
template <> inline constexpr Tuning TUNING<Iq2Xxs>{0.75f, 0.0205f};
template <> inline constexpr Tuning TUNING<Iq2Xs>{0.6f, 0.0205f};
template <> inline constexpr Tuning TUNING<Iq2S>{0.5f, 0.0205f};
template <> inline constexpr Tuning TUNING<Iq3Xxs>{0.25f, 0.0175f};
template <> inline constexpr Tuning TUNING<Iq3S>{0.25f, 0.073f};

// The lanes of a in another order. Clang and GCC before 12 have one of these builtins each.
#ifdef __clang__
#define LUQ_SHUFFLE(a, ...) __builtin_shufflevector(a, a, __VA_ARGS__)
#else
#define LUQ_SHUFFLE(a, ...) __builtin_shuffle(a, decltype(a){__VA_ARGS__})
#endif

template <typename Ints> LUQ_INLINE Ints smaller(Ints a, Ints b) { return a < b ? a : b; }

// Lanes of candidates, in as many vectors of the instruction set as they take.
template <typename V> struct Lanes {
    static constexpr int PARTS = CANDIDATES / V::WIDTH;
    typename V::Floats part[PARTS];

    static LUQ_INLINE Lanes of(float x) {
        Lanes result;
        for (auto & p : result.part) {
            p = x - typename V::Floats{};
        }
        return result;
    }
    // The values of weight % 4 in words of candidates.
    static LUQ_INLINE Lanes values(const uint32_t * words, int weight) {
        Lanes result;
        for (int i = 0; i < PARTS; i++) {
            typename V::Ints word;
            std::memcpy(&word, words + V::WIDTH * i, sizeof word);
            result.part[i] = __builtin_convertvector((word << (24 - 8 * (weight % 4))) >> 24, typename V::Floats);
        }
        return result;
    }
    LUQ_INLINE void add_product(const Lanes & a, const Lanes & b) {
        for (int i = 0; i < PARTS; i++) {
            part[i] += a.part[i] * b.part[i];
        }
    }
    LUQ_INLINE void take_smaller(const Lanes & a) {
        for (int i = 0; i < PARTS; i++) {
            part[i] = a.part[i] < part[i] ? a.part[i] : part[i];
        }
    }
    friend LUQ_INLINE Lanes operator*(const Lanes & a, const Lanes & b) {
        Lanes result;
        for (int i = 0; i < PARTS; i++) {
            result.part[i] = a.part[i] * b.part[i];
        }
        return result;
    }
    friend LUQ_INLINE Lanes operator+(const Lanes & a, const Lanes & b) {
        Lanes result;
        for (int i = 0; i < PARTS; i++) {
            result.part[i] = a.part[i] + b.part[i];
        }
        return result;
    }
    friend LUQ_INLINE Lanes operator-(const Lanes & a, const Lanes & b) {
        Lanes result;
        for (int i = 0; i < PARTS; i++) {
            result.part[i] = a.part[i] - b.part[i];
        }
        return result;
    }

    LUQ_INLINE float lane(int i) const {
        alignas(64) float all[CANDIDATES];
        for (int p = 0; p < PARTS; p++) {
            const typename V::Floats floats = part[p];
            std::memcpy(all + V::WIDTH * p, &floats, sizeof floats);
        }
        return all[i];
    }

    // The smallest of what is not negative, with its lane in the four lowest bits.
    LUQ_INLINE int32_t smallest() const {
        using Ints = typename V::Ints;
        Ints least{};
        for (int i = 0; i < PARTS; i++) {
            const typename V::Floats positive = part[i] > 0 ? part[i] : (typename V::Floats) {};
            Ints bits;
            std::memcpy(&bits, &positive, sizeof bits);
            bits = (bits & ~(CANDIDATES - 1)) | (V::numbers() + V::WIDTH * i);
            least = i == 0 ? bits : smaller(bits, least);
        }
        return V::smallest(least);
    }
};

LUQ_INLINE float error_of(int32_t bits) {
    bits &= ~(CANDIDATES - 1);
    float error;
    std::memcpy(&error, &bits, sizeof error);
    return error;
}

template <typename V, typename Format> class BlockSearch {
  public:
    BlockSearch() : table(neighbours<Format>()) {}

    void quantize(const float * x, const float * importance, uint8_t * out) {
        Choice choice;
        choice.d = 0;
        if (load(x, importance)) {
            try_scales();
            choice.d = half_d(best_unit());
            for (int pass = 1; pass <= PASSES && choice.d != 0; pass++) {
                unit = unit_of(choice.d);
                choose_scales(choice);
                record(choice);
                choice.d = half_d(fitted(choice, pass == PASSES ? TUNING<Format>.share : 0));
            }
        }
        if (choice.d == 0) {
            std::memset(out, 0, Format::BYTES);
        } else {
            pack<Format>(choice, out);
        }
    }

  private:
    static constexpr int GROUP = Format::GROUP, GROUPS = BLOCK / GROUP, SUBS = BLOCK / Format::SUB;
    static constexpr int PER_SUB = Format::SUB / GROUP, PASSES = 2, GUESSES = 6, STEPS = 1,
                         TRIALS = GUESSES + STEPS + PASSES;
    static constexpr bool EVEN = Format::SIGNS == Signs::EVEN, SIGNED = Format::SIGNS == Signs::IN_PATTERN;
    static constexpr bool PAIRS = EVEN && GROUP == 4; // of groups share their signs

    const Neighbours table;
    int exponent;              // of the power of two that the weights here are divided by
    float size[GROUP][GROUPS]; // weights without their sign, where patterns have none
    float w[GROUPS][GROUP], wx[GROUPS][GROUP];
    float energy[GROUPS]; // sum of w x x
    float sub_energy[SUBS], typical[SUBS], best_scale[SUBS];
    uint8_t negative[GROUPS]; // weights, a bit each
    bool odd[GROUPS];         // negative weights of eight
    float unit;               // of scales: d in the units of the weights here
    // Patterns that were found: w x v and w v v over a sub-block. Under a scale z their error is energy - 2 z wxv + z z wvv.
    int trials;
    float wxv[TRIALS][SUBS], wvv[TRIALS][SUBS];
    uint8_t negative_now[GROUPS];
    int32_t number[2][GROUPS];

    static constexpr float LARGEST = 3.40282347e38f;

    // Returns false when all weights are zero, or one is infinite.
    bool load(const float * x, const float * importance) {
        float largest = 0;
        for (int i = 0; i < BLOCK; i++) {
            const float absolute = x[i] < 0 ? -x[i] : x[i];
            largest = absolute > largest ? absolute : largest;
        }
        if (!(largest > 0 && largest <= LARGEST)) {
            return false;
        }
        exponent = exponent_of(largest);
        const float factor = times_power(1, -exponent);
        for (int g = 0; g < GROUPS; g++) {
            energy[g] = 0;
            negative[g] = 0;
            for (int i = 0; i < GROUP; i++) {
                const float scaled = x[GROUP * g + i] * factor;
                const float value = SIGNED || scaled >= 0 ? scaled : -scaled;
                negative[g] |= (scaled < 0) << i;
                size[i][g] = value;
                w[g][i] = importance[GROUP * g + i];
                wx[g][i] = w[g][i] * value;
                energy[g] += wx[g][i] * value;
            }
        }
        for (int g = 0; g < GROUPS; g++) {
            const uint8_t bits = PAIRS ? negative[g] ^ negative[g ^ 1] : negative[g];
            odd[g] = __builtin_parity(bits) != 0;
        }
        for (int s = 0; s < SUBS; s++) {
            float fourth = 0;
            sub_energy[s] = 0;
            for (int g = PER_SUB * s; g < PER_SUB * (s + 1); g++) {
                sub_energy[s] += energy[g];
                for (int i = 0; i < GROUP; i++) {
                    const float square = size[i][g] * size[i][g];
                    fourth += w[g][i] * (square * square);
                }
            }
            typical[s] = fourth > 0 ? square_root(fourth / sub_energy[s]) : 0;
        }
        return true;
    }

    // What the nearest levels of each group make, under these scales of the sub-blocks.
    void find_numbers(const float * scale) {
        float of_group[GROUPS];
        for (int g = 0; g < GROUPS; g++) {
            of_group[g] = scale[g / PER_SUB];
        }
        for (int shift = 0; shift < (SIGNED ? 2 : 1); shift++) {
            for (int g = 0; g < GROUPS; g++) {
                number[shift][g] = 0;
            }
            for (int i = GROUP - 1; i >= 0; i--) {
                for (int g = 0; g < GROUPS; g++) {
                    int32_t level = 0;
                    for (int l = 1; l < Format::LEVELS; l++) {
                        const float between =
                            (Format::VALUES[l - 1] + Format::VALUES[l]) * 0.5f + (SIGNED ? 1.0f - 2.0f * shift : 0.0f);
                        level += size[i][g] > between * of_group[g];
                    }
                    number[shift][g] = number[shift][g] * Format::LEVELS + level;
                }
            }
        }
    }

    // Sums over a group for every candidate: w x v, w v v, and the least w x v of a weight.
    struct Sums {
        Lanes<V> wxv, wvv, least;
    };

    LUQ_INLINE void prefetch(int g) const {
        for (int shift = 0; shift < (SIGNED ? 2 : 1); shift++) {
            const uint32_t * words = table.values + (size_t) number[shift][g % GROUPS] * (GROUP / 4 * CANDIDATES);
            __builtin_prefetch(words);
            if (GROUP == 8) {
                __builtin_prefetch(words + CANDIDATES);
            }
        }
    }

    LUQ_INLINE Sums sums(int g, int shift) const {
        const uint32_t * words = table.values + (size_t) number[shift][g] * (GROUP / 4 * CANDIDATES);
        Sums s;
        s.wxv = Lanes<V>::of(0);
        s.wvv = Lanes<V>::of(0);
        for (int i = 0; i < GROUP; i++) {
            Lanes<V> v = Lanes<V>::values(words + i / 4 * CANDIDATES, i);
            if (SIGNED) {
                v = v + Lanes<V>::of(1.0f - 2.0f * shift);
            }
            const Lanes<V> product = v * Lanes<V>::of(wx[g][i]);
            s.wxv = s.wxv + product;
            s.wvv.add_product(v, v * Lanes<V>::of(w[g][i]));
            if (EVEN) {
                if (i == 0) {
                    s.least = product;
                } else {
                    s.least.take_smaller(product);
                }
            }
        }
        return s;
    }

    // The best candidate of a group under a scale.
    struct Best {
        float error, wxv, wvv;
        int lane, shift;
        bool flip; // the sign of the weight that suffers least
    };

    LUQ_INLINE Best best_of(int g, float scale, const Sums & sums, int shift, bool flip) const {
        // Without a branch, which would be taken at random.
        const Lanes<V> z = Lanes<V>::of(scale),
                       wxv = EVEN ? sums.wxv - sums.least * Lanes<V>::of(flip ? 2 : 0) : sums.wxv;
        const int32_t bits = (Lanes<V>::of(energy[g]) + z * (z * sums.wvv - (wxv + wxv))).smallest();
        const int lane = bits & (CANDIDATES - 1);
        return {error_of(bits), wxv.lane(lane), sums.wvv.lane(lane), lane, shift, flip};
    }

    // Finds the best candidates of the groups of a sub-block under its scale and passes them to found(group, best).
    template <typename Found> LUQ_INLINE void find_best(int sub, float scale, Found && found) const {
        for (int g = PER_SUB * sub; g < PER_SUB * (sub + 1); g++) {
            prefetch(g + 2);
            const Sums first = sums(g, 0);
            if constexpr (PAIRS) {
                const Sums second = sums(g + 1, 0);
                Best a = best_of(g, scale, first, 0, false), b = best_of(g + 1, scale, second, 0, false);
                if (odd[g]) {
                    const Best a_flip = best_of(g, scale, first, 0, true),
                               b_flip = best_of(g + 1, scale, second, 0, true);
                    if (a_flip.error + b.error < a.error + b_flip.error) {
                        a = a_flip;
                    } else {
                        b = b_flip;
                    }
                }
                found(g, a);
                found(++g, b);
            } else if constexpr (SIGNED) {
                const Best up = best_of(g, scale, first, 0, false), down = best_of(g, scale, sums(g, 1), 1, false);
                found(g, down.error < up.error ? down : up);
            } else {
                found(g, best_of(g, scale, first, 0, EVEN && odd[g]));
            }
        }
    }

    // Finds the best patterns under these scales of the sub-blocks and adds them to the trials.
    template <typename Found> LUQ_INLINE void try_scales(const float * scale, Found && found) {
        find_numbers(scale);
        for (int s = 0; s < SUBS; s++) {
            float sum_wxv = 0, sum_wvv = 0;
            find_best(s, scale[s], [&](int g, const Best & best) LUQ_LAMBDA {
                sum_wxv += best.wxv;
                sum_wvv += best.wvv;
                found(g, best);
            });
            wxv[trials][s] = sum_wxv;
            wvv[trials][s] = sum_wvv;
        }
        trials++;
    }

    // What the best scale for given patterns takes from the error.
    static float gain(float wxv, float wvv) { return wxv > 0 ? wxv * (wxv / wvv) : 0; }

    // Finds the best scale of each sub-block, whether or not the file can hold it.
    void try_scales() {
        float scale[SUBS], best_gain[SUBS];
        float factor = TUNING<Format>.lowest;
        trials = 0;
        for (int s = 0; s < SUBS; s++) {
            best_scale[s] = best_gain[s] = 0;
        }
        while (trials < GUESSES + STEPS) {
            for (int s = 0; s < SUBS; s++) {
                scale[s] = trials < GUESSES ? typical[s] * factor : best_scale[s];
            }
            try_scales(scale, [](int, const Best &) {});
            for (int s = 0; s < SUBS; s++) {
                const float x = wxv[trials - 1][s], v = wvv[trials - 1][s], now = gain(x, v);
                if (now > best_gain[s]) {
                    best_gain[s] = now;
                    best_scale[s] = x / v;
                }
            }
            factor *= STEP;
        }
    }
    static constexpr float STEP = 1.14f;

    // The s whose 2 s + 1 comes nearest to what is not negative.
    static int nearest_scale(float ratio) {
        const float s = ratio * 0.5f;
        return s < Format::SCALES - 1 ? (int) s : Format::SCALES - 1;
    }

    // The least error of a sub-block under a scale with patterns that were found, less its energy.
    float known_error(int s, float scale) const {
        float least = 0;
        for (int t = 0; t < trials; t++) {
            const float error = scale * (scale * wvv[t][s] - (wxv[t][s] + wxv[t][s]));
            least = t == 0 || error < least ? error : least;
        }
        return least;
    }

    // The unit of scales under which those of the file serve best.
    float best_unit() const {
        float largest = 0;
        for (int s = 0; s < SUBS; s++) {
            largest = best_scale[s] > largest ? best_scale[s] : largest;
        }
        if (largest == 0) {
            return 0;
        }
        float best = 0, least = 0;
        float candidate = largest / (2 * Format::SCALES - 1) * 0.85f;
        for (int i = 0; i < UNITS; i++, candidate *= 1.03f) {
            float error = 0;
            for (int s = 0; s < SUBS; s++) {
                error += known_error(s, (2 * nearest_scale(best_scale[s] / candidate) + 1) * candidate);
            }
            if (i == 0 || error < least) {
                least = error;
                best = candidate;
            }
        }
        return best;
    }
    static constexpr int UNITS = 24;

    // Chooses the scale of each sub-block among those of the file.
    void choose_scales(Choice & choice) const {
        for (int s = 0; s < SUBS; s++) {
            const int middle = nearest_scale(best_scale[s] / unit);
            float least = 0;
            for (int tried = middle - 1; tried <= middle + 1; tried++) {
                if (tried >= 0 && tried < Format::SCALES) {
                    const float error = known_error(s, (2 * tried + 1) * unit);
                    if (tried == middle - 1 || tried == 0 || error < least) {
                        least = error;
                        choice.scale[s] = tried;
                    }
                }
            }
        }
    }

    // Puts the best patterns and signs under the chosen scales into the choice.
    void record(Choice & choice) {
        float scale[SUBS];
        for (int s = 0; s < SUBS; s++) {
            scale[s] = (2 * choice.scale[s] + 1) * unit;
        }
        try_scales(scale, [&](int g, const Best & best) { record_group(choice, g, best); });
        if constexpr (GROUP == 4) {
            for (int i = 0; i < BLOCK / 8; i++) {
                choice.signs[i] = negative_now[2 * i] | negative_now[2 * i + 1] << 4;
            }
        } else {
            std::memcpy(choice.signs, negative_now, sizeof choice.signs);
        }
    }

    void record_group(Choice & choice, int g, const Best & best) {
        const int place = number[best.shift][g];
        choice.pattern[g] = table.patterns[(size_t) place * CANDIDATES + best.lane];
        negative_now[g] = SIGNED ? best.shift : negative[g];
        if (best.flip) {
            const uint32_t * words = table.values + (size_t) place * (GROUP / 4 * CANDIDATES) + best.lane;
            int least = 0;
            float least_product = 0;
            for (int i = 0; i < GROUP; i++) {
                const float product = value_of(words[i / 4 * CANDIDATES], i) * wx[g][i];
                if (i == 0 || product < least_product) {
                    least = i;
                    least_product = product;
                }
            }
            negative_now[g] ^= 1 << least;
        }
    }

    // The unit of least squares for what was recorded, made larger by the share of what the block has lost in size.
    float fitted(const Choice & choice, float share) const {
        float wxq = 0, wqq = 0, all = 0;
        for (int s = 0; s < SUBS; s++) {
            const float scale = 2 * choice.scale[s] + 1;
            wxq += scale * wxv[trials - 1][s];
            wqq += scale * (scale * wvv[trials - 1][s]);
            all += sub_energy[s];
        }
        if (!(wxq > 0 && wqq > 0 && all > 0)) {
            return 0;
        }
        const float least_squares = wxq / wqq, kept = least_squares * (wxq / all);
        return least_squares / (1 - share * (1 - kept));
    }

    uint16_t half_d(float fitted_unit) const { return to_half(times_power(fitted_unit * Format::DIVISOR, exponent)); }
    float unit_of(uint16_t d) const { return times_power(from_half(d) / Format::DIVISOR, -exponent); }
};

template <typename V, typename Format>
void quantize_rows(const float * weights, uint8_t * out, int64_t rows, int64_t columns, const float * importance) {
    BlockSearch<V, Format> search;
    for (int64_t row = 0; row < rows; row++) {
        for (int64_t column = 0; column < columns; column += BLOCK) {
            search.quantize(weights, importance + column, out);
            weights += BLOCK;
            out += Format::BYTES;
        }
    }
}

template <typename V> constexpr InstructionSet search_of(const char * name, bool (*available)()) {
    return {name,
            available,
            quantize_rows<V, Iq1M>,
            quantize_rows<V, Iq2Xxs>,
            quantize_rows<V, Iq2Xs>,
            quantize_rows<V, Iq2S>,
            quantize_rows<V, Iq3Xxs>,
            quantize_rows<V, Iq3S>};
}

} // namespace luq::quantize
