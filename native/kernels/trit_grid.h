// The 2048 patterns of eight trits that IQ1_M chooses from, in the forms that kernels look up.
#pragma once

#include <cstdint>

namespace luq::kernels {

constexpr int TRIT_PATTERNS = 2048;

// By a pattern's index in the file; a trit is 0, 1 or 2.
struct TritGrid {
    // Low nibbles of a line of TritPanels: byte j has column j and, two bits up, column j + 4.
    alignas(64) uint32_t words[TRIT_PATTERNS];
    // Four columns a byte, the first one lowest: the first four of eight, and the last four.
    alignas(64) uint8_t bytes[2][TRIT_PATTERNS];

    TritGrid();
};

extern const TritGrid TRIT_GRID;

} // namespace luq::kernels
