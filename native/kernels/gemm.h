// Products with many columns (GEMM), as image encoders and long prompts have them: a few rows of weights at a time are
// brought from any type to one common form, once for thousands of columns. Written once for every instruction set.
//
//   panel    16 rows of weights; depth is a multiple of DEPTH_STEP, zeros behind the end
//   group    16 columns of activations of the same depth
#pragma once

#include "panels.h"

#include <cstdint>
#include <string>

namespace luq::kernels {

constexpr int64_t round_up(int64_t n, int64_t step) { return (n + step - 1) / step * step; }

constexpr int GROUP_COLUMNS = 16;
constexpr int DEPTH_STEP = 32;
constexpr int TILE_COLUMNS = 2 * GROUP_COLUMNS; // that multiply takes at once

struct Gemm {
    const char * name;
    bool (*available)(); // on this CPU
    int value_bytes;     // of a packed weight or activation
    int parts;           // of a panel, one behind the other

    // Packs a piece of a panel: 16 rows of `depth` floats, of a multiple of DEPTH_STEP, that follow each other. Where a
    // value has fewer bits than a float, `second` gets what `first` lacks, unless it is null. Returns whether that is
    // more than zeros.
    bool (*pack_rows)(const float * rows, int64_t depth, void * first, void * second);

    // The same from floats whose rows lie side by side: values[k * stride + row].
    void (*pack_values)(const float * values, int64_t stride, int64_t depth, void * first);

    // Packs one group: 16 columns of `length` floats, padded to `depth`; a null pointer is a column of zeros.
    void (*pack_columns)(const float * const * columns, int64_t length, int64_t depth, void * group);

    // `count` panels that begin every `panel_bytes` bytes, `parts` of each, times two groups that follow each other:
    // out[c * stride + 16 * panel + row], all of it written.
    void (*multiply)(const void * panels, int64_t panel_bytes, int count, int parts, const void * groups, int64_t depth,
                     float * out, int64_t stride);

    // values[i] = exp(scale * values[i] + mask[i] - largest), where `largest` becomes that of itself and all the
    // exponents; no mask if it is null; zeros where the mask is minus infinity. Returns their sum.
    float (*exponentials)(float * values, int64_t count, float scale, const float * mask, float & largest);

    // Values of a row or column that share a step, whose whole multiples they are; 0: each value stands for itself.
    int block = 0;

    // Of a depth that starts at a whole block.
    int64_t part_bytes(int64_t depth) const {
        return ROWS * (depth * value_bytes + (block ? (depth + block - 1) / block * (int64_t) sizeof(float) : 0));
    }
    int64_t panel_bytes(int64_t depth) const { return parts * part_bytes(depth); }
    int64_t group_bytes(int64_t depth) const { return part_bytes(depth) / ROWS * GROUP_COLUMNS; }
};

#ifdef __x86_64__
extern const Gemm GEMM_AMX_BF16, GEMM_AVX512_BF16, GEMM_AVX512, GEMM_AVXVNNI, GEMM_AVX2_INT16, GEMM_AVX2;
#endif
#ifdef __aarch64__
extern const Gemm GEMM_NEON;
#endif

// All of this architecture, the fastest first; ends with a null pointer.
extern const Gemm * const GEMMS[];

// The one of that name, which begins with "gemm-". Throws std::invalid_argument when this CPU lacks it.
const Gemm & gemm_named(const std::string & name);

} // namespace luq::kernels
