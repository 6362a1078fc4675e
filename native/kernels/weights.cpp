#include "weights.h"

#include "trit_grid.h"

#define GGML_COMMON_DECL_CPP
#define GGML_COMMON_IMPL_CPP
#include "ggml-common.h"

#include <array>
#include <cstring>

namespace luq::kernels {
namespace {

static_assert(QK_K == SUPERBLOCK);

// Four 16-bit words hold 3 bits for each of four runs of 16 columns, and above them 4 bits of d.
void ternary_scales(const block_iq1_m & block, uint32_t words[2]) {
    uint16_t packed[4];
    std::memcpy(packed, block.scales, sizeof packed);
    const uint32_t d = packed[0] >> 12 | packed[1] >> 12 << 4 | packed[2] >> 12 << 8 | packed[3] >> 12 << 12;
    words[0] = (packed[0] & 0xFFFu) | (packed[1] & 0xFFFu) << 12 | (d & 0xFF) << 24;
    words[1] = (packed[2] & 0xFFFu) | (packed[3] & 0xFFFu) << 12 | (d >> 8) << 24;
}

void trit_words(const uint8_t * bytes, uint32_t * words) {
    const auto & block = *reinterpret_cast<const block_iq1_m *>(bytes);
    uint32_t & signs = words[TritPanels::SIGN_LINE];
    signs = 0;
    for (int i = 0; i < SUPERBLOCK / 16; i++) {
        const int high = block.qh[i];
        words[TritPanels::TRIT_LINE + i] = TRIT_GRID.words[block.qs[2 * i] | (high & 7) << 8] |
                                           TRIT_GRID.words[block.qs[2 * i + 1] | (high & 0x70) << 4] << 4;
        signs |= (uint32_t) (!(high & 0x08) | !(high & 0x80) << 1) << 2 * i;
    }
    ternary_scales(block, words + TritPanels::SCALE_LINE);
}

void grid_words(const uint8_t * bytes, uint32_t * words) {
    const auto & block = *reinterpret_cast<const block_iq1_m *>(bytes);
    for (int i = 0; i < 4; i++) {
        std::memcpy(words + GridPanels::low_line(2 * i), block.qs + 8 * i, 8);
        // The file's byte has the two nibbles of neighbours; a set sign is - there.
        uint32_t nibbles = 0;
        for (int j = 0; j < 4; j++) {
            const uint32_t left = block.qh[4 * i + j / 2] >> 4 * (j % 2) & 15;
            const uint32_t right = block.qh[4 * i + 2 + j / 2] >> 4 * (j % 2) & 15;
            nibbles |= (left | right << 4) << 8 * j;
        }
        words[GridPanels::high_line(i)] = nibbles ^ 0x88888888;
    }
    ternary_scales(block, words + GridPanels::SCALE_LINE);
}

template <typename Block, typename Panels> void words_as_they_are(const uint8_t * block, uint32_t * words) {
    static_assert(sizeof(Block) == sizeof(uint32_t) * Panels::LINES);
    std::memcpy(words, block, sizeof(Block));
}

void two_bit_words(const uint8_t * bytes, uint32_t * words) {
    const auto & block = *reinterpret_cast<const block_q2_K *>(bytes);
    static_assert(sizeof block == sizeof(uint32_t) * TwoBitPanels::LINES);
    std::memcpy(words, &block.data, sizeof block.data);
    std::memcpy(words + TwoBitPanels::SCALE_LINE, block.scales, sizeof block.scales);
    std::memcpy(words + TwoBitPanels::QUANT_LINE, block.qs, sizeof block.qs);
}

void three_bit_words(const uint8_t * bytes, uint32_t * words) {
    const auto & block = *reinterpret_cast<const block_q3_K *>(bytes);
    words[0] = block.d;
    std::memcpy(words + ThreeBitPanels::SCALE_LINE, block.scales, sizeof block.scales);
    std::memcpy(words + ThreeBitPanels::HIGH_LINE, block.hmask, sizeof block.hmask);
    std::memcpy(words + ThreeBitPanels::QUANT_LINE, block.qs, sizeof block.qs);
}

uint32_t word_of(const void * words, int i) {
    uint32_t word;
    std::memcpy(&word, (const uint8_t *) words + sizeof word * i, sizeof word);
    return word;
}

void six_bit_words(const uint8_t * bytes, uint32_t * words) {
    const auto & block = *reinterpret_cast<const block_q6_K *>(bytes);
    words[0] = block.d;
    std::memcpy(words + SixBitPanels::SCALE_LINE, block.scales, sizeof block.scales);
    for (int i = 0; i < SUPERBLOCK / 64; i++) {
        // The file's nibbles of a byte are 64 columns apart, its pairs of bits 32.
        const uint8_t * low = block.ql + 64 * (i / 2);
        const uint8_t * high = block.qh + 32 * (i / 2);
        const int nibble = i % 2 * 4;
        for (int k = 0; k < 8; k++) {
            words[SixBitPanels::low_line(i) + k] =
                (word_of(low, k) >> nibble & 0x0F0F0F0F) | (word_of(low, 8 + k) >> nibble & 0x0F0F0F0F) << 4;
        }
        for (int run = 0; run < 4; run++) {
            const int shift = nibble + run / 2 * 2;
            uint32_t & pairs = words[SixBitPanels::high_line(i) + run];
            pairs = 0;
            for (int k = 0; k < 4; k++) {
                pairs |= (word_of(high, run % 2 * 4 + k) >> shift & 0x03030303) << 2 * k;
            }
        }
    }
}

// The 4-bit scale of a part of a block.
int scale(const block_iq2_xxs & block, int part) { return block.qs[part / 2 * 4 + 3] >> 12; }
int scale(const block_iq2_xs & block, int part) { return block.scales[part / 2] >> 4 * (part % 2) & 15; }
int scale(const block_iq2_s & block, int part) { return block.scales[part / 2] >> 4 * (part % 2) & 15; }
int scale(const block_iq3_xxs & block, int part) { return block.qs[SUPERBLOCK / 4 + 4 * part + 3] >> 4; }
int scale(const block_iq3_s & block, int part) { return block.scales[part / 2] >> 4 * (part % 2) & 15; }

// Sizes and signs of eight columns; bit i of signs: column i is negative.
struct Run {
    uint64_t sizes;
    uint8_t signs;
};

Run run_of(const block_iq2_xxs & block, int run) {
    const uint32_t indices = word_of(block.qs, run / 4 * 2), signs = word_of(block.qs, run / 4 * 2 + 1);
    return {iq2xxs_grid[indices >> 8 * (run % 4) & 255], ksigns_iq2xs[signs >> 7 * (run % 4) & 127]};
}

Run run_of(const block_iq2_xs & block, int run) {
    return {iq2xs_grid[block.qs[run] & 511], ksigns_iq2xs[block.qs[run] >> 9]};
}

Run run_of(const block_iq2_s & block, int run) {
    const int high = block.qh[run / 4] >> 2 * (run % 4) & 3;
    return {iq2s_grid[block.qs[run] | high << 8], block.qs[SUPERBLOCK / 8 + run]};
}

Run run_of(const block_iq3_xxs & block, int run) {
    const uint32_t signs = word_of(block.qs + SUPERBLOCK / 4, run / 4);
    return {iq3xxs_grid[block.qs[2 * run]] | (uint64_t) iq3xxs_grid[block.qs[2 * run + 1]] << 32,
            ksigns_iq2xs[signs >> 7 * (run % 4) & 127]};
}

Run run_of(const block_iq3_s & block, int run) {
    const int high = block.qh[run / 4] >> 2 * (run % 4);
    return {iq3s_grid[block.qs[2 * run] | (high & 1) << 8] |
                (uint64_t) iq3s_grid[block.qs[2 * run + 1] | (high & 2) << 7] << 32,
            block.signs[run]};
}

// Each bit of a byte as a byte 0xFF or 0.
constexpr std::array<uint64_t, 256> byte_masks() {
    std::array<uint64_t, 256> masks{};
    for (int bits = 0; bits < 256; bits++) {
        for (int i = 0; i < 8; i++) {
            masks[bits] |= (uint64_t) (bits >> i & 1 ? 0xFF : 0) << 8 * i;
        }
    }
    return masks;
}
constexpr std::array<uint64_t, 256> BYTE_MASKS = byte_masks();

// VALUES lie symmetrically around zero: the code of a size is in the upper half, that of its negative mirrors it. Eight
// at a time, a byte each.
template <typename Panels> uint64_t codes_of(const Run & run) {
    constexpr uint64_t EACH = 0x0101010101010101, MASK = Panels::CODES > 8 ? 15 : 7;
    const uint64_t positive = (run.sizes >> Panels::SIZE_SHIFT & 7 * EACH) + Panels::CODES / 2 * EACH;
    const uint64_t negative = BYTE_MASKS[run.signs];
    return (positive ^ (negative & EACH * MASK)) - (negative & EACH * (MASK + 1 - Panels::CODES));
}

// The words of the codes of Panels::RUNS runs of eight columns, from this one on.
template <typename Panels, typename Block> void put_codes(const Block & block, int run, uint32_t * words) {
    const auto codes = [&](int i) { return codes_of<Panels>(run_of(block, run + i)); };
    if constexpr (Panels::CODES > 8) {
        for (int i = 0; i < 4; i++) {
            const uint64_t pairs = codes(i) | codes(i + 4) << 4;
            std::memcpy(words + Panels::CODE_LINE + run + 2 * i, &pairs, sizeof pairs);
        }
    } else {
        uint32_t low[4], high = 0;
        for (int i = 0; i < 4; i++) {
            const uint64_t both = codes(i);
            const uint32_t first = (uint32_t) both, last = (uint32_t) (both >> 32);
            low[i] = (first & 0x03030303) | (last & 0x03030303) << 2;
            high |= (first >> 2 & 0x01010101) << 2 * i | (last >> 2 & 0x01010101) << (2 * i + 1);
        }
        words[Panels::low_line(run / 4)] = low[0] | low[1] << 4;
        words[Panels::low_line(run / 4) + 1] = low[2] | low[3] << 4;
        words[Panels::high_line(run / 4)] = high;
    }
}

template <typename Block, typename Panels> void codebook_words(const uint8_t * bytes, uint32_t * words) {
    const auto & block = *reinterpret_cast<const Block *>(bytes);
    for (int run = 0; run < SUPERBLOCK / 8; run += Panels::RUNS) {
        put_codes<Panels>(block, run, words);
    }
    std::memset(words, 0, sizeof(uint32_t) * Panels::CODE_LINE);
    std::memcpy(words, &block.d, sizeof block.d);
    for (int part = 0; part < Panels::PARTS; part++) {
        words[Panels::SCALE_LINE + part / 8] |= (uint32_t) scale(block, part) << 4 * (part % 8);
    }
}

void sign_correction(const int8_t * quants, const int16_t * sums, int32_t * correction) {
    for (int i = 0; i < SUPERBLOCK / GROUP; i++) {
        int left = 0;
        for (int j = 0; j < GROUP / 2; j++) {
            left += quants[GROUP * i + j];
        }
        const int right = sums[i] - left;
        for (int signs = 0; signs < 4; signs++) {
            correction[4 * i + signs] = -8 * sums[i] + (signs & 1 ? left : -left) + (signs & 2 ? right : -right);
        }
    }
}

template <int Offset> void offset_correction(const int8_t *, const int16_t * sums, int32_t * correction) {
    for (int i = 0; i < SUPERBLOCK / GROUP; i++) {
        correction[i] = -Offset * sums[i];
    }
}

template <int Offset> void offset_correction_32(const int8_t *, const int16_t * sums, int32_t * correction) {
    for (int i = 0; i < SUPERBLOCK / 32; i++) {
        correction[i] = -Offset * (sums[2 * i] + sums[2 * i + 1]);
    }
}

void minima_correction(const int8_t *, const int16_t * sums, int32_t * correction) {
    const auto sum32 = [&](int i) -> uint32_t { return (uint16_t) (sums[2 * i] + sums[2 * i + 1]); };
    const int first[4] = {0, 1, 4, 5};
    for (int i = 0; i < 4; i++) {
        correction[i] = (int32_t) (sum32(first[i]) | sum32(first[i] + 2) << 16);
    }
}

void minima_correction_16(const int8_t *, const int16_t * sums, int32_t * correction) {
    for (int i = 0; i < 4; i++) {
        for (int odd = 0; odd < 2; odd++) {
            const uint32_t first = (uint16_t) sums[4 * i + odd], second = (uint16_t) sums[4 * i + 2 + odd];
            correction[2 * i + odd] = (int32_t) (first | second << 16);
        }
    }
}

constexpr bool FAST = true, COMPACT = true;

// Where they are no larger than in the file but for 2 %, panels serve both layouts.
const WeightType WEIGHT_TYPES[] = {
    {GGML_TYPE_IQ1_M, FAST, !COMPACT, sizeof(block_iq1_m), TritPanels::LINES, &InstructionSet::trits, trit_words,
     sign_correction},
    {GGML_TYPE_IQ1_M, !FAST, COMPACT, sizeof(block_iq1_m), GridPanels::LINES, &InstructionSet::grid, grid_words,
     offset_correction<GridPanels::OFFSET>},
    {GGML_TYPE_Q2_K, FAST, COMPACT, sizeof(block_q2_K), TwoBitPanels::LINES, &InstructionSet::two_bits, two_bit_words,
     minima_correction_16},
    {GGML_TYPE_Q3_K, FAST, COMPACT, sizeof(block_q3_K), ThreeBitPanels::LINES, &InstructionSet::three_bits,
     three_bit_words, offset_correction<ThreeBitPanels::OFFSET>},
    {GGML_TYPE_Q4_K, FAST, COMPACT, sizeof(block_q4_K), NibblePanels::LINES, &InstructionSet::nibbles,
     words_as_they_are<block_q4_K, NibblePanels>, minima_correction},
    {GGML_TYPE_Q5_K, FAST, COMPACT, sizeof(block_q5_K), FiveBitPanels::LINES, &InstructionSet::five_bits,
     words_as_they_are<block_q5_K, FiveBitPanels>, minima_correction},
    {GGML_TYPE_Q6_K, FAST, COMPACT, sizeof(block_q6_K), SixBitPanels::LINES, &InstructionSet::six_bits, six_bit_words,
     offset_correction<SixBitPanels::OFFSET>},
    {GGML_TYPE_IQ2_XXS, FAST, !COMPACT, sizeof(block_iq2_xxs), SixValuePanels::LINES, &InstructionSet::six_values,
     codebook_words<block_iq2_xxs, SixValuePanels>, offset_correction<SixValuePanels::OFFSET>},
    {GGML_TYPE_IQ2_XS, FAST, !COMPACT, sizeof(block_iq2_xs), SixValuePanels::LINES, &InstructionSet::six_values,
     codebook_words<block_iq2_xs, SixValuePanels>, offset_correction<SixValuePanels::OFFSET>},
    {GGML_TYPE_IQ2_S, FAST, !COMPACT, sizeof(block_iq2_s), SixValuePanels::LINES, &InstructionSet::six_values,
     codebook_words<block_iq2_s, SixValuePanels>, offset_correction<SixValuePanels::OFFSET>},
    {GGML_TYPE_IQ3_XXS, FAST, !COMPACT, sizeof(block_iq3_xxs), Iq3XxsPanels::LINES, &InstructionSet::iq3_xxs,
     codebook_words<block_iq3_xxs, Iq3XxsPanels>, offset_correction_32<Iq3XxsPanels::OFFSET>},
    {GGML_TYPE_IQ3_S, FAST, !COMPACT, sizeof(block_iq3_s), Iq3SPanels::LINES, &InstructionSet::iq3_s,
     codebook_words<block_iq3_s, Iq3SPanels>, offset_correction_32<Iq3SPanels::OFFSET>},
    {GGML_TYPE_IQ4_XS, FAST, COMPACT, sizeof(block_iq4_xs), Iq4XsPanels::LINES, &InstructionSet::iq4_xs,
     words_as_they_are<block_iq4_xs, Iq4XsPanels>, offset_correction_32<Iq4XsPanels::OFFSET>},
};

} // namespace

const WeightType * weight_type(ggml_type type, Layout layout) {
    for (const WeightType & known : WEIGHT_TYPES) {
        if (known.type == type && (layout == Layout::FAST ? known.fast : known.compact)) {
            return &known;
        }
    }
    return nullptr;
}

size_t WeightType::panel_bytes(int64_t columns) const { return (size_t) LINE_BYTES * lines * (columns / SUPERBLOCK); }

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

std::vector<ActivationBlock> units_of(const WeightType & weights) {
    std::vector<ActivationBlock> units(SUPERBLOCK / 8);
    for (size_t i = 0; i < units.size(); i++) {
        int16_t sums[SUPERBLOCK / GROUP] = {};
        units[i].d = 1;
        std::memset(units[i].q, 0, sizeof units[i].q);
        units[i].q[8 * i] = 1;
        sums[8 * i / GROUP] = 1;
        weights.correct(units[i].q, sums, units[i].correction);
    }
    return units;
}

void quantize_activations(const float * values, int64_t superblocks, const WeightType & weights,
                          void (*quantize)(const float *, void *, int64_t), ActivationBlock * activations) {
    for (int64_t b = 0; b < superblocks; b++) {
        block_q8_K block{}; // ggml leaves the sums of a block of zeros as they are
        quantize(values + b * SUPERBLOCK, &block, SUPERBLOCK);
        activations[b].d = block.d;
        std::memcpy(activations[b].q, block.qs, SUPERBLOCK);
        weights.correct(block.qs, block.bsums, activations[b].correction);
    }
}

} // namespace luq::kernels
