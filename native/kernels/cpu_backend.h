// What ggml's CPU backend has for extensions of its own: it is not part of the public headers, and in the variant with
// one backend per instruction set the backend is a plug-in that nothing may be linked with. So it is looked up.
#pragma once

#include "ggml-backend-impl.h"
#include "ggml-cpu.h"

#include <string>
#include <vector>

namespace luq::kernels {

struct CpuBackend {
    ggml_backend_dev_t device;
    // Asked by the backend for every operation; a reference to its own list.
    std::vector<ggml_backend_buffer_type_t> & (*extra_buffer_types)();
    void (*barrier)(ggml_threadpool *);
    // A counter that the threads of one operation share.
    void (*chunk_set)(ggml_threadpool *, int value);
    int (*chunk_add)(ggml_threadpool *, int value); // returns the value before
    ggml_from_float_t quantize_q8_k;
    decltype(&ggml_get_type_traits_cpu) type_traits;
    ggml_to_float_t half_to_float, bf16_to_float; // vectors of this CPU, which ggml's type traits lack

    // From rows of this type; null where rows are not quantized, nor floats of fewer bits.
    ggml_to_float_t to_float(ggml_type type) const;

    // Of the backend that serves the CPU device. Throws std::runtime_error when it lacks any of these.
    static CpuBackend find();
};

// Columns of any operand of rank up to 4 as one sequence.
inline const char * column(const ggml_tensor & tensor, int64_t i) {
    const int64_t i1 = i % tensor.ne[1], i2 = i / tensor.ne[1] % tensor.ne[2], i3 = i / tensor.ne[1] / tensor.ne[2];
    return (const char *) tensor.data + i1 * tensor.nb[1] + i2 * tensor.nb[2] + i3 * tensor.nb[3];
}

// Of that name. Throws std::invalid_argument when ggml has none.
ggml_type type_named(const std::string & name);

} // namespace luq::kernels
