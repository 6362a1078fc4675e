// The products that multiply.h makes for each instruction set, and the choice among them.
#pragma once

#include "panels.h"

namespace luq::kernels {

// Multiplies `count` panels that follow each other with `columns` columns of `superblocks` activation blocks each:
// out[c * stride + row], rows counted from the first panel.
using Multiply = void (*)(const uint8_t * panels, int count, int superblocks, const ActivationBlock * activations,
                          int columns, float * out, size_t stride);

// The weights of one superblock of a panel: out[column * ROWS + row]. units[i]: activations that are 1 in one column of
// the eight from 8 i on and 0 elsewhere.
using Unpack = void (*)(const uint8_t * superblock, const ActivationBlock * units, float * out);

// For one kind of panels.
struct PanelKernels {
    Multiply multiply;
    Unpack unpack;
};

struct InstructionSet {
    const char * name;
    bool (*available)(); // on this CPU
    // By panels.h.
    PanelKernels trits, grid, two_bits, three_bits, nibbles, five_bits, six_bits, six_values, iq3_xxs, iq3_s, iq4_xs;
};

#ifdef __x86_64__
extern const InstructionSet AVX512_VBMI, AVX512_VNNI, AVX_VNNI, AVX2;
#endif
#ifdef __aarch64__
extern const InstructionSet NEON_DOTPROD;
#endif
extern const InstructionSet SCALAR; // plain C++, available anywhere

// All of this architecture, the fastest first; ends with a null pointer.
extern const InstructionSet * const INSTRUCTION_SETS[];

// The one of that name, or the fastest that this CPU has if the name is null. Throws std::invalid_argument when this
// CPU lacks it.
const InstructionSet & instruction_set(const char * name);

} // namespace luq::kernels
