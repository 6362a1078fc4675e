// llama.cpp's own kernels, as far as this machine shall not use them for every type that they know.
#pragma once

#include "cpu_backend.h"

#include <set>

namespace luq::kernels {

// The name that plain rows have beside those of layouts.
constexpr const char * ROWS_NAME = "rows";

// Has llama.cpp use its layout of that name, such as "AMX" or "CPU_REPACK", for these types of weights only. The layout
// "rows" stands for weights as they lie in the file: other types are multiplied by plain C++ then, slow and right. To be
// called before the first model is loaded and from one thread. Throws std::invalid_argument for a layout that this CPU
// has not, std::runtime_error when the backend cannot be extended.
void restrict_layout(const std::string & name, const std::set<ggml_type> & types);

} // namespace luq::kernels
