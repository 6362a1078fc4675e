// Every kernel that a model's weights may meet on this CPU, tried against plain C++ and timed: ours with each instruction
// set and kind of panels, and llama.cpp's with rows as they lie in the file and with each of its layouts.
#pragma once

#include "panel_buffers.h"

namespace luq::kernels {

// What is tried at a time.
struct Trial {
    ggml_type type;
    std::string set;           // an instruction set or GEMM of ours, "rows", or a layout of llama.cpp's, by name
    const WeightType * panels; // null for llama.cpp's, and for a GEMM with rows as they lie in the file
    ggml_backend_buffer_type_t layout; // of llama.cpp's weights; null for ours
    const Gemm * gemm;                 // null for all others

    // "fast", "compact", "both" for the layouts of ours that have it, "stock" for llama.cpp's.
    const char * layouts() const;
};

// In an order that a build and a CPU always have: type by type, and of a type what is taken by rule first.
std::vector<Trial> trials(const CpuBackend & backend);

struct Verdict {
    double error;     // the largest, as a part of what is allowed: up to 1 is right. Infinite where it is no number
    double one, many; // 10^9 products of a weight and an activation a second on one core, in cache, with MANY_COLUMNS;
                      // of a GEMM: with FEWEST_COLUMNS, and with ENOUGH_COLUMNS
};

constexpr int MANY_COLUMNS = 32;

// Takes some ten milliseconds and 10 MB. One thread at a time; nothing else may compute with the backend.
Verdict run(const CpuBackend & cpu, const Trial & trial);

} // namespace luq::kernels
