// ggml's weight types that have panels: from the file's blocks to panels, from floats to activation blocks.
#pragma once

#include "kernels.h"

#include "ggml.h"

#include <cstdint>
#include <vector>

namespace luq::kernels {

// What panels are made for: speed, or the file's size.
enum class Layout { FAST, COMPACT };

// A type of weights in one kind of panels.
struct WeightType {
    ggml_type type;
    bool fast, compact; // layouts that have them
    size_t block_bytes; // of a superblock of one row, in the file
    int lines;          // of a superblock of a panel
    PanelKernels InstructionSet::* kernels;
    void (*to_words)(const uint8_t * block, uint32_t * words);                          // one word a line
    void (*correct)(const int8_t * quants, const int16_t * sums, int32_t * correction); // sums: of 16 columns each

    // Of one panel; columns are a multiple of SUPERBLOCK.
    size_t panel_bytes(int64_t columns) const;
    // Panels first .. last-1 of a matrix whose rows lie in `blocks` as in the file.
    void pack(const uint8_t * blocks, uint8_t * panels, int64_t columns, int64_t first, int64_t last) const;
};

// Null if the type has no panels in this layout.
const WeightType * weight_type(ggml_type type, Layout layout);

// For Unpack.
std::vector<ActivationBlock> units_of(const WeightType & weights);

// ggml's quantization of floats to Q8_K, and the corrections of the weight type. `quantize` is ggml's from_float of
// Q8_K.
void quantize_activations(const float * values, int64_t superblocks, const WeightType & weights,
                          void (*quantize)(const float *, void *, int64_t), ActivationBlock * activations);

} // namespace luq::kernels
