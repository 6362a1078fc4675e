#include "trit_grid.h"

#define GGML_COMMON_DECL_CPP
#define GGML_COMMON_IMPL_CPP
#include "ggml-common.h"

namespace luq::kernels {

TritGrid::TritGrid() : bytes{} {
    static_assert(sizeof(iq1s_grid) == sizeof(uint64_t) * TRIT_PATTERNS);
    for (int i = 0; i < TRIT_PATTERNS; i++) {
        // The file's patterns have bytes -1, 0 and 1.
        const uint64_t trits = ((iq1s_grid[i] & 0x0303030303030303) + 0x0101010101010101) & 0x0303030303030303;
        words[i] = (uint32_t) trits | (uint32_t) (trits >> 32) << 2;
        for (int column = 0; column < 8; column++) {
            bytes[column / 4][i] |= (trits >> 8 * column & 3) << 2 * (column % 4);
        }
    }
}

const TritGrid TRIT_GRID;

} // namespace luq::kernels
