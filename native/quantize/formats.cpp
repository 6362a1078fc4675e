#include "formats.h"

#include <algorithm>
#include <cstring>
#include <vector>

#define GGML_COMMON_DECL_CPP
#define GGML_COMMON_IMPL_CPP
#include "ggml-common.h"

namespace luq::quantize {
namespace {

// The value of a weight in a pattern, the first weight's byte lowest.
template <typename Word> int byte_of(Word pattern, int weight) { return (int8_t) (pattern >> 8 * weight); }

template <typename Format> int value_in(int pattern, int weight);
template <> int value_in<Iq1M>(int pattern, int weight) { return 8 * byte_of(iq1s_grid[pattern], weight); }
template <> int value_in<Iq2Xxs>(int pattern, int weight) { return byte_of(iq2xxs_grid[pattern], weight); }
template <> int value_in<Iq2Xs>(int pattern, int weight) { return byte_of(iq2xs_grid[pattern], weight); }
template <> int value_in<Iq2S>(int pattern, int weight) { return byte_of(iq2s_grid[pattern], weight); }
template <> int value_in<Iq3Xxs>(int pattern, int weight) { return byte_of(iq3xxs_grid[pattern], weight); }
template <> int value_in<Iq3S>(int pattern, int weight) { return byte_of(iq3s_grid[pattern], weight); }

struct Tables {
    std::vector<uint32_t> values;
    std::vector<uint16_t> patterns;
};

template <typename Format> Tables make_tables() {
    constexpr int GROUP = Format::GROUP, PATTERNS = Format::PATTERNS;
    std::vector<int> values(GROUP * PATTERNS);
    for (int weight = 0; weight < GROUP; weight++) {
        for (int p = 0; p < PATTERNS; p++) {
            values[weight * PATTERNS + p] = value_in<Format>(p, weight);
        }
    }
    int numbers = 1;
    for (int weight = 0; weight < GROUP; weight++) {
        numbers *= Format::LEVELS;
    }
    Tables made;
    made.values.resize((size_t) numbers * GROUP / 4 * CANDIDATES);
    made.patterns.resize((size_t) numbers * CANDIDATES);
    std::vector<int> distance(PATTERNS); // with the pattern's number below, so that no two are equal
    for (int number = 0; number < numbers; number++) {
        for (int p = 0; p < PATTERNS; p++) {
            distance[p] = 0;
        }
        for (int weight = 0, rest = number; weight < GROUP; weight++, rest /= Format::LEVELS) {
            const int level = Format::VALUES[rest % Format::LEVELS];
            for (int p = 0; p < PATTERNS; p++) {
                const int difference = values[weight * PATTERNS + p] - level;
                distance[p] += difference * difference;
            }
        }
        for (int p = 0; p < PATTERNS; p++) {
            distance[p] = distance[p] * PATTERNS + p;
        }
        std::partial_sort(distance.begin(), distance.begin() + CANDIDATES, distance.end());
        for (int c = 0; c < CANDIDATES; c++) {
            const int pattern = distance[c] % PATTERNS;
            made.patterns[number * CANDIDATES + c] = pattern;
            for (int weight = 0; weight < GROUP; weight++) {
                made.values[(number * GROUP / 4 + weight / 4) * CANDIDATES + c] |=
                    (uint32_t) (uint8_t) values[weight * PATTERNS + pattern] << 8 * (weight % 4);
            }
        }
    }
    return made;
}

void put(void * out, const void * value, size_t bytes) { std::memcpy(out, value, bytes); }

// Four groups of signs and a scale above them.
uint32_t signs_and_scale(const uint8_t * signs, int scale) {
    uint32_t word = (uint32_t) scale << 28;
    for (int i = 0; i < 4; i++) {
        word |= (uint32_t) (signs[i] & 127) << 7 * i;
    }
    return word;
}

uint8_t two_scales(const uint8_t * scale) { return scale[0] | scale[1] << 4; }

} // namespace

template <typename Format> Neighbours neighbours() {
    static const Tables made = make_tables<Format>();
    return {made.values.data(), made.patterns.data()};
}

template <> void pack<Iq1M>(const Choice & choice, uint8_t * block) {
    auto & out = *reinterpret_cast<block_iq1_m *>(block);
    std::memset(&out, 0, sizeof out);
    for (int group = 0; group < BLOCK / 8; group++) {
        const int high = choice.pattern[group] >> 8 | (choice.signs[group] & 1) << 3;
        out.qs[group] = (uint8_t) choice.pattern[group];
        out.qh[group / 2] |= high << 4 * (group % 2);
    }
    for (int word = 0; word < 4; word++) {
        uint16_t bits = (choice.d >> 4 * word & 15) << 12;
        for (int i = 0; i < 4; i++) {
            bits |= choice.scale[4 * word + i] << 3 * i;
        }
        put(out.scales + 2 * word, &bits, 2);
    }
}

template <> void pack<Iq2Xxs>(const Choice & choice, uint8_t * block) {
    auto & out = *reinterpret_cast<block_iq2_xxs *>(block);
    put(&out.d, &choice.d, 2);
    for (int sub = 0; sub < BLOCK / 32; sub++) {
        uint32_t words[2] = {0, signs_and_scale(choice.signs + 4 * sub, choice.scale[sub])};
        for (int i = 0; i < 4; i++) {
            words[0] |= (uint32_t) choice.pattern[4 * sub + i] << 8 * i;
        }
        put(out.qs + 4 * sub, words, 8);
    }
}

template <> void pack<Iq2Xs>(const Choice & choice, uint8_t * block) {
    auto & out = *reinterpret_cast<block_iq2_xs *>(block);
    put(&out.d, &choice.d, 2);
    for (int group = 0; group < BLOCK / 8; group++) {
        out.qs[group] = choice.pattern[group] | (choice.signs[group] & 127) << 9;
    }
    for (int i = 0; i < BLOCK / 32; i++) {
        out.scales[i] = two_scales(choice.scale + 2 * i);
    }
}

template <> void pack<Iq2S>(const Choice & choice, uint8_t * block) {
    auto & out = *reinterpret_cast<block_iq2_s *>(block);
    std::memset(&out, 0, sizeof out);
    put(&out.d, &choice.d, 2);
    for (int group = 0; group < BLOCK / 8; group++) {
        out.qs[group] = (uint8_t) choice.pattern[group];
        out.qs[BLOCK / 8 + group] = choice.signs[group];
        out.qh[group / 4] |= choice.pattern[group] >> 8 << 2 * (group % 4);
    }
    for (int i = 0; i < BLOCK / 32; i++) {
        out.scales[i] = two_scales(choice.scale + 2 * i);
    }
}

template <> void pack<Iq3Xxs>(const Choice & choice, uint8_t * block) {
    auto & out = *reinterpret_cast<block_iq3_xxs *>(block);
    put(&out.d, &choice.d, 2);
    for (int group = 0; group < BLOCK / 4; group++) {
        out.qs[group] = (uint8_t) choice.pattern[group];
    }
    for (int sub = 0; sub < BLOCK / 32; sub++) {
        const uint32_t word = signs_and_scale(choice.signs + 4 * sub, choice.scale[sub]);
        put(out.qs + BLOCK / 4 + 4 * sub, &word, 4);
    }
}

template <> void pack<Iq3S>(const Choice & choice, uint8_t * block) {
    auto & out = *reinterpret_cast<block_iq3_s *>(block);
    std::memset(&out, 0, sizeof out);
    put(&out.d, &choice.d, 2);
    for (int group = 0; group < BLOCK / 4; group++) {
        out.qs[group] = (uint8_t) choice.pattern[group];
        out.qh[group / 8] |= choice.pattern[group] >> 8 << group % 8;
    }
    put(out.signs, choice.signs, sizeof out.signs);
    for (int i = 0; i < BLOCK / 64; i++) {
        out.scales[i] = two_scales(choice.scale + 2 * i);
    }
}

template Neighbours neighbours<Iq1M>();
template Neighbours neighbours<Iq2Xxs>();
template Neighbours neighbours<Iq2Xs>();
template Neighbours neighbours<Iq2S>();
template Neighbours neighbours<Iq3Xxs>();
template Neighbours neighbours<Iq3S>();

} // namespace luq::quantize
