#include "weights.h"

#define GGML_COMMON_DECL_CPP
#define GGML_COMMON_IMPL_CPP
#include "ggml-common.h"

#include <cstring>

namespace luq::kernels {
namespace {

static_assert(QK_K == SUPERBLOCK);

// Eight trits of IQ1_M, as bytes 0, 1, 2. Its 11-bit indices name words of a grid with bytes -1, 0, 1.
uint64_t trits_of(const block_iq1_m & block, int run) {
    const int high = block.qh[run / 2] >> (4 * (run % 2)) & 7;
    const uint64_t bytes = iq1s_grid[block.qs[run] | high << 8];
    return ((bytes & 0x0303030303030303) + 0x0101010101010101) & 0x0303030303030303;
}

void trit_words(const uint8_t * bytes, uint32_t * words) {
    const auto & block = *reinterpret_cast<const block_iq1_m *>(bytes);
    std::memset(words, 0, sizeof(uint32_t) * TritPanels::LINES);
    for (int run = 0; run < SUPERBLOCK / 8; run++) {
        const uint64_t trits = trits_of(block, run);
        words[run / 2] |= (uint32_t) trits << 4 * (run % 2) | (uint32_t) (trits >> 32) << (4 * (run % 2) + 2);
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

// Sizes and signs of eight columns; bit i of signs: column i is negative.
struct Run {
    uint64_t sizes;
    uint8_t  signs;
};

uint32_t word_of(const void * words, int i) {
    uint32_t word;
    std::memcpy(&word, (const uint8_t *) words + sizeof word * i, sizeof word);
    return word;
}

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

// Puts the codes of eight columns, a byte each, where they belong.
void put_run(SixValuePanels, int run, uint64_t codes, uint32_t * words) {
    const uint64_t low = codes & 0x0303030303030303, high = codes >> 2 & 0x0101010101010101;
    words[run / 2] |= (uint32_t) low << 4 * (run % 2) | (uint32_t) (low >> 32) << (4 * (run % 2) + 2);
    words[16 + run / 4] |= (uint32_t) high << 2 * (run % 4) | (uint32_t) (high >> 32) << (2 * (run % 4) + 1);
}

void put_run(SixteenValuePanels, int run, uint64_t codes, uint32_t * words) {
    uint32_t * quad = words + 8 * (run / 8) + 2 * (run % 4);
    quad[0] |= (uint32_t) codes << 4 * (run / 4 % 2);
    quad[1] |= (uint32_t) (codes >> 32) << 4 * (run / 4 % 2);
}

// VALUES lie symmetrically around zero: the code of a size is in the upper half, that of its negative mirrors it. Eight
// at a time, a byte each.
template <typename Panels> uint64_t codes_of(const Run & run) {
    constexpr uint64_t EACH = 0x0101010101010101, MASK = Panels::CODES > 8 ? 15 : 7;
    const uint64_t positive = (run.sizes >> Panels::SIZE_SHIFT & 7 * EACH) + Panels::CODES / 2 * EACH;
    const uint64_t bits     = run.signs * EACH & 0x8040201008040201;
    const uint64_t negative = (((bits & 0x7F * EACH) + 0x7F * EACH) | bits) >> 7 & EACH;
    return (positive ^ negative * MASK) - negative * (MASK + 1 - Panels::CODES);
}

template <typename Block, typename Panels> void codebook_words(const uint8_t * bytes, uint32_t * words) {
    const auto & block = *reinterpret_cast<const Block *>(bytes);
    std::memset(words, 0, sizeof(uint32_t) * Panels::LINES);
    for (int run = 0; run < SUPERBLOCK / 8; run++) {
        put_run(Panels(), run, codes_of<Panels>(run_of(block, run)), words);
    }
    for (int part = 0; part < Panels::PARTS; part++) {
        words[Panels::SCALE_LINE + part / 8] |= (uint32_t) scale(block, part) << 4 * (part % 8);
    }
    std::memcpy(&words[Panels::LINES - 1], &block.d, sizeof block.d);
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
     codebook_words<block_iq2_xxs, SixValuePanels>, offset_correction<SixValuePanels::OFFSET>},
    {GGML_TYPE_IQ2_XS, sizeof(block_iq2_xs), SixValuePanels::LINES, &InstructionSet::six_values,
     codebook_words<block_iq2_xs, SixValuePanels>, offset_correction<SixValuePanels::OFFSET>},
    {GGML_TYPE_IQ2_S, sizeof(block_iq2_s), SixValuePanels::LINES, &InstructionSet::six_values,
     codebook_words<block_iq2_s, SixValuePanels>, offset_correction<SixValuePanels::OFFSET>},
    {GGML_TYPE_IQ3_XXS, sizeof(block_iq3_xxs), Iq3XxsPanels::LINES, &InstructionSet::iq3_xxs,
     codebook_words<block_iq3_xxs, Iq3XxsPanels>, offset_correction_32<Iq3XxsPanels::OFFSET>},
    {GGML_TYPE_IQ3_S, sizeof(block_iq3_s), Iq3SPanels::LINES, &InstructionSet::iq3_s,
     codebook_words<block_iq3_s, Iq3SPanels>, offset_correction_32<Iq3SPanels::OFFSET>},
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
