#include "weights.h"

#define GGML_COMMON_DECL_CPP
#define GGML_COMMON_IMPL_CPP
#include "ggml-common.h"

#include <array>
#include <cmath>
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

// The 4-bit scale of a part of a block.
int scale(const block_iq2_xxs & block, int part) { return block.qs[part / 2 * 4 + 3] >> 12; }
int scale(const block_iq2_xs & block, int part) { return block.scales[part / 2] >> 4 * (part % 2) & 15; }
int scale(const block_iq2_s & block, int part) { return block.scales[part / 2] >> 4 * (part % 2) & 15; }
int scale(const block_iq3_xxs & block, int part) { return block.qs[SUPERBLOCK / 4 + 4 * part + 3] >> 4; }
int scale(const block_iq3_s & block, int part) { return block.scales[part / 2] >> 4 * (part % 2) & 15; }

void put_code(SixValuePanels, int column, uint32_t code, uint32_t * words) {
    words[column / 16] |= (code & 3) << (8 * (column % 4) + 2 * (column % 16 / 4));
    words[16 + column / 32] |= (code >> 2) << (8 * (column % 4) + column % 32 / 4);
}

void put_code(SixteenValuePanels, int column, uint32_t code, uint32_t * words) {
    words[8 * (column / 64) + column % 32 / 4] |= code << (8 * (column % 4) + 4 * (column / 32 % 2));
}

// Codes are found through ggml's own reading of a block whose factor d is 1.
template <ggml_type Type, typename Block, typename Panels> void codebook_words(const uint8_t * bytes, uint32_t * words) {
    static const auto code_of = [] {
        std::array<uint8_t, Panels::LARGEST + 1> codes{};
        for (int code = 0; code < Panels::CODES; code++) {
            codes[Panels::VALUES[code]] = code;
        }
        return codes;
    }();
    Block block;
    std::memcpy(&block, bytes, sizeof block);
    std::memset(words, 0, sizeof(uint32_t) * Panels::LINES);
    std::memcpy(&words[Panels::LINES - 1], &block.d, sizeof block.d);
    const uint16_t one = 0x3C00;
    std::memcpy(&block.d, &one, sizeof one);
    float weights[SUPERBLOCK];
    ggml_get_type_traits(Type)->to_float(&block, weights, SUPERBLOCK);
    for (int part = 0; part < Panels::PARTS; part++) {
        const int s = scale(block, part);
        words[Panels::SCALE_LINE + part / 8] |= (uint32_t) s << 4 * (part % 8);
        const float unit = (float) Panels::DIVISOR / (2 * s + 1);
        for (int column = part * Panels::COLUMNS; column < (part + 1) * Panels::COLUMNS; column++) {
            const int value = (int) std::lrint(weights[column] * unit) + Panels::OFFSET;
            put_code(Panels(), column, code_of[value], words);
        }
    }
}

template <int Offset> void offset_correction(const int16_t * sums, int32_t * correction) {
    for (int i = 0; i < SUPERBLOCK / GROUP; i++) {
        correction[i] = -Offset * sums[i];
    }
}

template <int Offset> void offset_correction_32(const int16_t * sums, int32_t * correction) {
    for (int i = 0; i < SUPERBLOCK / 32; i++) {
        correction[i] = -Offset * (sums[2 * i] + sums[2 * i + 1]);
    }
}

void minima_correction(const int16_t * sums, int32_t * correction) {
    const auto sum32 = [&](int i) -> uint32_t { return (uint16_t) (sums[2 * i] + sums[2 * i + 1]); };
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
    {GGML_TYPE_IQ2_XXS, sizeof(block_iq2_xxs), SixValuePanels::LINES, &InstructionSet::six_values,
     codebook_words<GGML_TYPE_IQ2_XXS, block_iq2_xxs, SixValuePanels>, offset_correction<SixValuePanels::OFFSET>},
    {GGML_TYPE_IQ2_XS, sizeof(block_iq2_xs), SixValuePanels::LINES, &InstructionSet::six_values,
     codebook_words<GGML_TYPE_IQ2_XS, block_iq2_xs, SixValuePanels>, offset_correction<SixValuePanels::OFFSET>},
    {GGML_TYPE_IQ2_S, sizeof(block_iq2_s), SixValuePanels::LINES, &InstructionSet::six_values,
     codebook_words<GGML_TYPE_IQ2_S, block_iq2_s, SixValuePanels>, offset_correction<SixValuePanels::OFFSET>},
    {GGML_TYPE_IQ3_XXS, sizeof(block_iq3_xxs), Iq3XxsPanels::LINES, &InstructionSet::iq3_xxs,
     codebook_words<GGML_TYPE_IQ3_XXS, block_iq3_xxs, Iq3XxsPanels>, offset_correction_32<Iq3XxsPanels::OFFSET>},
    {GGML_TYPE_IQ3_S, sizeof(block_iq3_s), Iq3SPanels::LINES, &InstructionSet::iq3_s,
     codebook_words<GGML_TYPE_IQ3_S, block_iq3_s, Iq3SPanels>, offset_correction_32<Iq3SPanels::OFFSET>},
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
