// A buffer type for weights that keeps them in panels and multiplies them there, as an extension of ggml's CPU backend.
// llama.cpp offers it each weight before its own layouts; the operations run on the CPU backend's threads.
#pragma once

#include "weights.h"

namespace luq::kernels {

// Adds the buffer type to the CPU backend, with panels of that layout and the kernels of that instruction set or, if the
// name is null, the fastest of this CPU. To be called once, before the first model is loaded and from one thread.
// Returns the instruction set's name, or "none" when this CPU has only the scalar one and none was named: then nothing
// is added. Throws std::invalid_argument for an instruction set that this CPU lacks, std::logic_error for a second call,
// std::runtime_error when the backend cannot be extended.
const char * enable(Layout layout, const char * instruction_set);

} // namespace luq::kernels
