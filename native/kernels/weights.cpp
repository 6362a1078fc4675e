#include "weights.h"

#define GGML_COMMON_DECL_CPP
#define GGML_COMMON_IMPL_CPP
#include "ggml-common.h"

#include <cstring>

namespace luq::kernels {
namespace {

static_assert(QK_K == SUPERBLOCK);

// A word of the grid that IQ1_M's 11-bit indices name: eight trits as bytes -1, 0, 1.
uint64_t trits_of(const block_iq1_m & block, int run) {
    const int high = block.qh[run / 2] >> (4 * (run % 2)) & 7;
    return iq1s_grid[block.qs[run] | high << 8];
}

void trit_words(const uint8_t * bytes, uint32_t * words) {
    const auto & block = *reinterpret_cast<const block_iq1_m *>(bytes);
    std::memset(words, 0, sizeof(uint32_t) * TritPanels::LINES);
    for (int run = 0; run < SUPERBLOCK / 8; run++) {
        const uint64_t trits = trits_of(block, run);
        for (int i = 0; i < 8; i++) {
            const int column = 8 * run + i;
            const uint32_t trit = (int8_t) (trits >> 8 * i) + 1;
            words[column / 16] |= trit << (8 * (column % 4) + 2 * (column % 16 / 4));
        }
        const bool negative = block.qh[run / 2] >> (4 * (run % 2)) & 8;
        words[16] |= (uint32_t) !negative << run;
    }
    // Four 16-bit words hold 3 bits for each of four runs of 16 columns, and above them 4 bits of d.
    uint16_t packed[4];
    std::memcpy(packed, block.scales, sizeof packed);
    uint32_t d = 0;
    for (int i = 0; i < 4; i++) {
        words[17 + i / 2] |= (packed[i] & 0xFFFu) << (12 * (i % 2));
        d |= (uint32_t) (packed[i] >> 12) << (4 * i);
    }
    words[17] |= (d & 0xFF) << 24;
    words[18] |= (d >> 8) << 24;
}

void nibble_words(const uint8_t * block, uint32_t * words) {
    static_assert(sizeof(block_q4_K) == sizeof(uint32_t) * NibblePanels::LINES);
    std::memcpy(words, block, sizeof(block_q4_K));
}

void six_bit_words(const uint8_t * block, uint32_t * words) {
    words[SixBitPanels::LINES - 1] = 0;
    std::memcpy(words, block, sizeof(block_q6_K));
}

template <int Offset> void offset_correction(const int16_t * sums, int32_t * correction) {
    for (int i = 0; i < SUPERBLOCK / GROUP; i++) {
        correction[i] = -Offset * sums[i];
    }
}

void minima_correction(const int16_t * sums, int32_t * correction) {
    const auto sum32 = [&](int i) { return (uint32_t) (uint16_t) (sums[2 * i] + sums[2 * i + 1]); };
    const int first[4] = {0, 1, 4, 5};
    for (int i = 0; i < 4; i++) {
        correction[i] = (int32_t) (sum32(first[i]) | sum32(first[i] + 2) << 16);
    }
}

const WeightType WEIGHT_TYPES[] = {
    {GGML_TYPE_IQ1_M, sizeof(block_iq1_m), TritPanels::LINES, &InstructionSet::trits, trit_words,
     offset_correction<TritPanels::OFFSET>},
    {GGML_TYPE_Q4_K, sizeof(block_q4_K), NibblePanels::LINES, &InstructionSet::nibbles, nibble_words, minima_correction},
    {GGML_TYPE_Q6_K, sizeof(block_q6_K), SixBitPanels::LINES, &InstructionSet::six_bits, six_bit_words,
     offset_correction<SixBitPanels::OFFSET>},
};

} // namespace

const WeightType * weight_type(ggml_type type) {
    for (const WeightType & known : WEIGHT_TYPES) {
        if (known.type == type) {
            return &known;
        }
    }
    return nullptr;
}

size_t WeightType::panel_bytes(int64_t columns) const {
    return (size_t) LINE_BYTES * lines * (columns / SUPERBLOCK);
}

void WeightType::pack(const uint8_t * blocks, uint8_t * panels, int64_t columns, int64_t first, int64_t last) const {
    const int64_t superblocks = columns / SUPERBLOCK;
    uint32_t words[64];
    for (int64_t panel = first; panel < last; panel++) {
        for (int64_t b = 0; b < superblocks; b++) {
            auto line = reinterpret_cast<uint32_t *>(panels + panel * panel_bytes(columns) + b * lines * LINE_BYTES);
            for (int row = 0; row < ROWS; row++) {
                to_words(blocks + ((panel * ROWS + row) * superblocks + b) * block_bytes, words);
                for (int i = 0; i < lines; i++) {
                    line[i * ROWS + row] = words[i];
                }
            }
        }
    }
}

void quantize_activations(const float * values, int64_t superblocks, const WeightType & weights,
                          void (*quantize)(const float *, void *, int64_t), ActivationBlock * activations) {
    for (int64_t b = 0; b < superblocks; b++) {
        block_q8_K block{}; // ggml leaves the sums of a block of zeros as they are
        quantize(values + b * SUPERBLOCK, &block, SUPERBLOCK);
        activations[b].d = block.d;
        std::memcpy(activations[b].q, block.qs, SUPERBLOCK);
        weights.correct(block.bsums, activations[b].correction);
    }
}

} // namespace luq::kernels
