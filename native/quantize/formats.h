// The file formats that the search makes blocks of, and for every pattern of nearest levels the patterns of the format
// that lie nearest to it.
#pragma once

#include <cstdint>

#define LUQ_LAMBDA __attribute__((always_inline))
#define LUQ_INLINE inline __attribute__((always_inline))

namespace luq::quantize {

constexpr int BLOCK = 256;     // weights
constexpr int CANDIDATES = 16; // patterns that are compared

enum class Signs : uint8_t {
    IN_PATTERN, // the patterns have negative values
    FREE,       // a bit for each weight
    EVEN,       // seven bits for eight weights: an even number of them is negative
};

// A weight is d (2 s + 1) v / DIVISOR with a scale s of SUB weights and a value v of a pattern of GROUP weights.
struct Iq1M {
    static constexpr int GROUP = 8, SUB = 16, SCALES = 8, LEVELS = 3, PATTERNS = 2048, DIVISOR = 8, BYTES = 56;
    static constexpr Signs SIGNS = Signs::IN_PATTERN;
    static constexpr int VALUES[] = {-8, 0, 8}; // and 1 more or less for all eight weights
};
struct Iq2Xxs {
    static constexpr int GROUP = 8, SUB = 32, SCALES = 16, LEVELS = 3, PATTERNS = 256, DIVISOR = 8, BYTES = 66;
    static constexpr Signs SIGNS = Signs::EVEN;
    static constexpr int VALUES[] = {8, 25, 43};
};
struct Iq2Xs {
    static constexpr int GROUP = 8, SUB = 16, SCALES = 16, LEVELS = 3, PATTERNS = 512, DIVISOR = 8, BYTES = 74;
    static constexpr Signs SIGNS = Signs::EVEN;
    static constexpr int VALUES[] = {8, 25, 43};
};
struct Iq2S {
    static constexpr int GROUP = 8, SUB = 16, SCALES = 16, LEVELS = 3, PATTERNS = 1024, DIVISOR = 8, BYTES = 82;
    static constexpr Signs SIGNS = Signs::FREE;
    static constexpr int VALUES[] = {8, 25, 43};
};
struct Iq3Xxs {
    static constexpr int GROUP = 4, SUB = 32, SCALES = 16, LEVELS = 8, PATTERNS = 256, DIVISOR = 4, BYTES = 98;
    static constexpr Signs SIGNS = Signs::EVEN;
    static constexpr int VALUES[] = {4, 12, 20, 28, 36, 44, 52, 62};
};
struct Iq3S {
    static constexpr int GROUP = 4, SUB = 32, SCALES = 16, LEVELS = 8, PATTERNS = 512, DIVISOR = 1, BYTES = 110;
    static constexpr Signs SIGNS = Signs::FREE;
    static constexpr int VALUES[] = {1, 3, 5, 7, 9, 11, 13, 15};
};

// By the number that the nearest levels of a group make, the first weight's lowest, in base LEVELS.
struct Neighbours {
    const uint32_t * values;   // [number][weight / 4][candidate], four weights a word; the nearest first
    const uint16_t * patterns; // [number][candidate], as in the file
};

// Made when they are first asked for, from any thread.
template <typename Format> Neighbours neighbours();

// The value of weight % 4 in a word.
LUQ_INLINE int value_of(uint32_t word, int weight) { return (int8_t) (word >> 8 * (weight % 4)); }

// What is written of a block.
struct Choice {
    uint16_t d;                  // a half float
    uint8_t scale[BLOCK / 16];   // s of each sub-block
    uint16_t pattern[BLOCK / 4]; // of each group
    uint8_t signs[BLOCK / 8];    // of eight weights each: those that are negative. IQ1_M: 1 where values are one less
};

template <typename Format> void pack(const Choice & choice, uint8_t * block);

} // namespace luq::quantize
