#include "cpu_backend.h"

#include <dlfcn.h>
#include <stdexcept>
#include <string>

namespace luq::kernels {
namespace {

template <typename Function> void look_up(void * library, const char * name, Function & function) {
    function = reinterpret_cast<Function>(dlsym(library, name));
    if (!function) {
        throw std::runtime_error(std::string("ggml's CPU backend has no ") + name);
    }
}

} // namespace

CpuBackend CpuBackend::find() {
    CpuBackend backend{};
    backend.device = ggml_backend_dev_by_type(GGML_BACKEND_DEVICE_TYPE_CPU);
    if (!backend.device) {
        throw std::runtime_error("ggml's CPU backend is not loaded");
    }
    // Any function of the backend tells which of the loaded libraries it is.
    void * known = ggml_backend_reg_get_proc_address(
        ggml_backend_dev_backend_reg(backend.device), "ggml_backend_dev_get_extra_bufts");
    Dl_info info;
    void * library = known && dladdr(known, &info) ? dlopen(info.dli_fname, RTLD_LAZY | RTLD_NOLOAD) : nullptr;
    if (!library) {
        throw std::runtime_error("ggml's CPU backend cannot be extended");
    }
    look_up(library, "_Z39ggml_backend_cpu_get_extra_buffer_typesv", backend.extra_buffer_types);
    look_up(library, "ggml_barrier", backend.barrier);
    look_up(library, "ggml_threadpool_chunk_set", backend.chunk_set);
    look_up(library, "ggml_threadpool_chunk_add", backend.chunk_add);
    look_up(library, "ggml_get_type_traits_cpu", backend.type_traits);
    look_up(library, "ggml_cpu_fp16_to_fp32", backend.half_to_float);
    look_up(library, "ggml_cpu_bf16_to_fp32", backend.bf16_to_float);
    backend.quantize_q8_k = backend.type_traits(GGML_TYPE_Q8_K)->from_float;
    return backend;
}

ggml_to_float_t CpuBackend::to_float(ggml_type type) const {
    switch (type) {
        case GGML_TYPE_F16:
            return half_to_float;
        case GGML_TYPE_BF16:
            return bf16_to_float;
        default:
            return ggml_get_type_traits(type)->to_float;
    }
}

ggml_type type_named(const std::string & name) {
    for (int type = 0; type < GGML_TYPE_COUNT; type++) {
        const char * known = ggml_type_name((ggml_type) type);
        if (known && name == known) {
            return (ggml_type) type;
        }
    }
    throw std::invalid_argument("ggml has no type named '" + name + "'");
}

} // namespace luq::kernels
