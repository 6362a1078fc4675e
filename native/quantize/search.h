// Blocks of IQ1_M, IQ2 and IQ3 for given weights: a search for those of least error, by the importance of each column.
#pragma once

#include "formats.h"

#include "ggml.h"

#include <cstdint>

namespace luq::quantize {

// To be raised when the same weights lead to other blocks.
constexpr int VERSION = 1;

// Quantizes rows of whole blocks. importance: of each column, positive and with the mean 1 in a block.
using QuantizeRows = void (*)(const float * weights, uint8_t * out, int64_t rows, int64_t columns,
                              const float * importance);

// The search, compiled for an instruction set. All make the same bytes.
struct InstructionSet {
    const char * name;
    bool (*available)(); // on this CPU
    QuantizeRows iq1_m, iq2_xxs, iq2_xs, iq2_s, iq3_xxs, iq3_s;
};

#ifdef __x86_64__
extern const InstructionSet AVX512, AVX2;
#endif
extern const InstructionSet BASELINE; // what every CPU of this architecture has

// All of this architecture, the fastest first; ends with a null pointer.
extern const InstructionSet * const INSTRUCTION_SETS[];

// The fastest that this CPU has.
const InstructionSet & fastest();

// Whether blocks of this type are searched for.
bool searches(ggml_type type);

// Quantizes rows that are independent of each other. importance: weight of each column's errors, null for equal ones;
// what is no finite number above zero counts as the least or the largest. Weights that are not finite make their block
// zero. With no rows it makes the tables of the type, which the first rows would. Throws std::invalid_argument when the
// type is not searched for or a row is not whole blocks.
void quantize(ggml_type type, const float * weights, void * blocks, int64_t rows, int64_t columns,
              const float * importance, const InstructionSet & set = fastest());

} // namespace luq::quantize
