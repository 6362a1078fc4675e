// How weights and activations lie in memory while they are multiplied.
//
// A panel holds 16 rows of a weight matrix. It is cut into superblocks of 256 columns, and a superblock into lines of
// 64 bytes: one 32-bit word of each of the 16 rows. A line of quants thus holds 4 columns x 16 rows for every bit plane,
// which is what one 64-byte (or two 32-byte, or four 16-byte) integer dot product takes. Panels, superblocks and lines
// follow each other without a gap, and lines lie in the order in which the product first needs them: a thread reads its
// share of a matrix as one linear stream.
#pragma once

#include <cstddef>
#include <cstdint>

namespace luq::kernels {

constexpr int ROWS = 16;        // of a panel
constexpr int SUPERBLOCK = 256; // columns; ggml's QK_K
constexpr int GROUP = 16;       // columns that share a sum of activations
constexpr int LINE_BYTES = 4 * ROWS;

// One superblock of a column of activations: ggml's Q8_K, and what a weight type needs of its sums.
struct ActivationBlock {
    float d; // activation = d * q
    int8_t q[SUPERBLOCK];
    int32_t correction[SUPERBLOCK / 4]; // see the weight types below
};

// Weight types. LINES: lines of a superblock. PARTS: runs of columns with one scale; COLUMNS of each. LARGEST: quant as
// the dot product takes it.

// weight = d/8 * (2s+1) * (8t +- 1), t in {-1, 0, 1}, s of 3 bits per 16 columns, the sign per 8 columns.
//   line  0      bit i: the sign of columns 8i..8i+7, 1 is +
//   lines 1, 2   eight s each, of 3 bits; above them the low (1) or the high (2) byte of d
//   lines 3..18  trits t+1, line 3 + i: columns 16i..16i+15; bits 2k and 2k+1 of byte j: column 16i + 4k + j
// The dot product takes 8(t+1). correction[4i + b] is what it lacks, where b are the two signs of columns 16i..16i+15:
// -8 * their sum, and + or - the sum of each eight. 2.375 bits a weight.
struct TritPanels {
    static constexpr int LINES = 19, PARTS = 16, COLUMNS = 16, LARGEST = 16;
    static constexpr int SIGN_LINE = 0, SCALE_LINE = 1, TRIT_LINE = 3;
};

// The same weights as the file holds them: eight columns are an index of TritGrid. The dot product takes 8(t+1) + (0 or 2),
// which is 9 too much: correction[i] = -9 * sum of columns 16i..16i+15.
//   lines 0, 1   s and d, as in TritPanels
//   lines 2..13  three lines for 64 columns:
//     two         low 8 bits of indices, byte j of line i: columns 32i + 8j .. 32i + 8j + 7
//     one         their high 3 bits and above them the sign, low nibble of byte j: of byte j of the first of the two,
//                 high nibble: of the second
// 1.75 bits a weight.
struct GridPanels {
    static constexpr int LINES = 14, PARTS = 16, COLUMNS = 16, LARGEST = 18;
    static constexpr int OFFSET = 9, SCALE_LINE = 0;
    static constexpr int low_line(int i) { return 2 + 3 * (i / 2) + i % 2; } // columns 32i..32i+31
    static constexpr int high_line(int i) { return 4 + 3 * i; }              // columns 64i..64i+63
};

// weight = d * s * q - dmin * m, q of 4 bits, s and m of 6 bits per 32 columns: ggml's Q4_K, its words as they are.
//   line  0      d and dmin
//   lines 1..3   s and m, packed by ggml
//   lines 4..35  quants, line 4 + 8i + k: low nibble of byte j: column 64i + 4k + j, high nibble: 32 columns further
// correction[0..3]: pairs of 16-bit sums of 32 columns, (0, 2), (1, 3), (4, 6) and (5, 7), to be multiplied with m.
// 4.5 bits a weight.
struct NibblePanels {
    static constexpr int LINES = 36, PARTS = 8, COLUMNS = 32, LARGEST = 15;
    static constexpr int QUANT_LINE = 4;
};

// The same with q of 5 bits: ggml's Q5_K, its words as they are.
//   lines 0..3   as in NibblePanels
//   lines 4..11  high bits, bit i of byte j of line 4 + k: column 32i + 4k + j
//   lines 12..43 low bits, as NibblePanels' quants lie
// 5.5 bits a weight.
struct FiveBitPanels {
    static constexpr int LINES = 44, PARTS = 8, COLUMNS = 32, LARGEST = 31;
    static constexpr int HIGH_LINE = 4, QUANT_LINE = 12;
};

// weight = d * s * q - dmin * m, q of 2 bits, s and m of 4 bits per 16 columns: ggml's Q2_K, its words in another order.
//   line  0      d and dmin
//   lines 1..4   four s each, low nibble of a byte, and four m, high nibble
//   lines 5..20  quants, line 5 + 8i + 4h + k: bits 2j and 2j+1 of byte b: column 128i + 32j + 16h + 4k + b
// correction[0..7]: pairs of 16-bit sums of 16 columns, (4i, 4i + 2) and (4i + 1, 4i + 3), to be multiplied with m.
// 2.625 bits a weight.
struct TwoBitPanels {
    static constexpr int LINES = 21, PARTS = 16, COLUMNS = 16, LARGEST = 3;
    static constexpr int SCALE_LINE = 1, QUANT_LINE = 5;
};

// weight = d * (s - 32) * (q - 4), q of 3 bits, s of 6 bits per 16 columns: ggml's Q3_K, its words in another order.
//   line  0      d in the low half
//   lines 1..3   s, packed by ggml
//   lines 4..11  high bits, bit 4i + j of byte b of line 4 + 4h + k: column 128i + 32j + 16h + 4k + b
//   lines 12..27 low bits, as TwoBitPanels' quants lie
// correction[i] = -4 * sum of columns 16i..16i+15. 3.5 bits a weight.
struct ThreeBitPanels {
    static constexpr int LINES = 28, PARTS = 16, COLUMNS = 16, LARGEST = 7;
    static constexpr int OFFSET = 4, SCALE_LINE = 1, HIGH_LINE = 4, QUANT_LINE = 12;
};

// weight = d * s * (q - 32), q of 6 bits, s of 8 bits and signed, per 16 columns: Q6_K.
//   line  0      d in the low half
//   lines 1..4   four s each
//   lines 5..52  twelve lines for 64 columns:
//     eight       low 4 bits, low nibble of byte j of line k: column 4k + j, high nibble: 32 columns further
//     four        high 2 bits, bits 2k and 2k+1 of byte j of line i: column 16i + 4k + j
// correction[i] = -32 * sum of columns 16i..16i+15. 6.625 bits a weight.
struct SixBitPanels {
    static constexpr int LINES = 53, PARTS = 16, COLUMNS = 16, LARGEST = 63;
    static constexpr int OFFSET = 32, SCALE_LINE = 1;
    static constexpr int low_line(int i) { return 5 + 12 * i; }   // the first of eight, columns 64i..64i+63
    static constexpr int high_line(int i) { return 13 + 12 * i; } // the first of four
};

// weight = d / DIVISOR * (2s+1) * v, v one of VALUES - OFFSET, s of 4 bits: ggml's types with a codebook. A code is an
// index of VALUES; SIZE_SHIFT takes sizes to 0, 1, 2 and so on; RUNS: runs of 8 columns that share words.
// correction[i] = -OFFSET * sum of part i's columns.

// Six values, s per 16 columns: IQ2_XXS, IQ2_XS and IQ2_S.
//   line  0      d in the low half
//   lines 1, 2   eight s each
//   lines 3..26  three lines for 32 columns:
//     two         low 2 bits of codes, as trits lie
//     one         their high bit, bit k of byte j: column 4k + j
// 3.375 bits a weight.
struct SixValuePanels {
    static constexpr int LINES = 27, PARTS = 16, COLUMNS = 16, LARGEST = 86;
    static constexpr int OFFSET = 43, DIVISOR = 8, CODES = 6, RUNS = 4, SIZE_SHIFT = 4, SCALE_LINE = 1, CODE_LINE = 3;
    static constexpr int low_line(int i) { return CODE_LINE + 3 * i; } // the first of two, columns 32i..32i+31
    static constexpr int high_line(int i) { return CODE_LINE + 2 + 3 * i; }
    static constexpr uint8_t VALUES[16] = {0, 18, 35, 51, 68, 86};
};

// Sixteen values, s per 32 columns: IQ3_XXS and IQ3_S.
//   line  0      d in the low half
//   line  1      s
//   lines 2..33  codes, as Q4_K's quants lie
// 4.25 bits a weight.
struct SixteenValuePanels {
    static constexpr int LINES = 34, PARTS = 8, COLUMNS = 32, CODES = 16, RUNS = 8, SCALE_LINE = 1, CODE_LINE = 2;
};

struct Iq3XxsPanels : SixteenValuePanels {
    static constexpr int LARGEST = 124, OFFSET = 62, DIVISOR = 4, SIZE_SHIFT = 3;
    static constexpr uint8_t VALUES[16] = {0, 10, 18, 26, 34, 42, 50, 58, 66, 74, 82, 90, 98, 106, 114, 124};
};

struct Iq3SPanels : SixteenValuePanels {
    static constexpr int LARGEST = 30, OFFSET = 15, DIVISOR = 1, SIZE_SHIFT = 1;
    static constexpr uint8_t VALUES[16] = {0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30};
};

// weight = d * (s - 32) * v, v one of sixteen, s of 6 bits per 32 columns: ggml's IQ4_XS, its words as they are.
//   line  0      d, and above it bits 2i and 2i+1: the high 2 bits of part i's s
//   line  1      the low 4 bits of each s
//   lines 2..33  codes, line 2 + 4i + k: low nibble of byte j: column 32i + 4k + j, high nibble: 16 columns further
// VALUES are v + 128; less 128, they are v as signed bytes. correction[i] = -128 * sum of part i's columns. 4.25 bits a
// weight.
struct Iq4XsPanels {
    static constexpr int LINES = 34, PARTS = 8, COLUMNS = 32, LARGEST = 241, OFFSET = 128;
    static constexpr int SCALE_LINE = 1, CODE_LINE = 2;
    static constexpr uint8_t VALUES[16] = {1, 24, 45, 63, 79, 93, 106, 118, 129, 141, 153, 166, 181, 197, 217, 241};
    static constexpr uint8_t SIGNED_VALUES[16] = {
        129, 152, 173, 191, 207, 221, 234, 246, 1, 13, 25, 38, 53, 69, 89, 113};
};

} // namespace luq::kernels
