// A buffer type for weights that keeps them in panels and multiplies them there, as an extension of ggml's CPU backend.
// llama.cpp offers it each weight before its own layouts; the operations run on the CPU backend's threads.
#pragma once

#include "attention.h"
#include "matrix_product.h"

#include <array>
#include <memory>
#include <string>

namespace luq::kernels {

// What multiplies weights, by ggml_type.
struct Choice {
    std::array<const InstructionSet *, GGML_TYPE_COUNT> sets; // in panels; null: no panels
    std::array<ManyColumns, GGML_TYPE_COUNT> many;            // in panels and in rows
};

// "type=set,type=set", both by name, as in "iq1_m=avx512vnni,q4_K=avx2", and "type*columns=gemm" for products of that many
// columns and more, as in "f16*32=gemm-amxbf16"; the name of a set alone, for every type; or null for the fastest sets of
// this CPU, by rule. Throws std::invalid_argument for what this CPU or ggml does not know.
Choice choice_of(const char * text);

// The buffer type, in the CPU backend's list from `join` on. Weights that lie in it must not outlive it.
class PanelBuffers : public ggml::cpu::extra_buffer_type {
  public:
    // threads: that pack a weight when it is loaded.
    PanelBuffers(const CpuBackend & backend, Layout layout, const Choice & choice, int threads);

    ggml_backend_buffer_type * buffer_type() { return &type; }
    const MatrixProduct * product_of(const ggml_tensor & matrix) const; // null where it has no panels
    void join();                                                        // in front of llama.cpp's own layouts
    void leave();

    const int threads;

    bool supports_op(ggml_backend_dev_t, const ggml_tensor * op) override;
    ggml::cpu::tensor_traits * get_tensor_traits(const ggml_tensor * op) override;

  private:
    CpuBackend backend;
    ggml_backend_buffer_type type;
    std::vector<std::unique_ptr<MatrixProduct>> products; // by ggml_type; null where a type has no panels

    MatrixProduct * product(const ggml_tensor & matrix) const;
    bool holds(const ggml_tensor * tensor) const;
};

// For products of many columns and attention of many queries whose operands lie in plain buffers. No buffer type for weights, but asked
// for every operation as those are; in the CPU backend's list from `join` on.
class PlainOperations : public ggml::cpu::extra_buffer_type {
  public:
    PlainOperations(const CpuBackend & backend, const Choice & choice);

    void join();
    void leave();

    bool supports_op(ggml_backend_dev_t, const ggml_tensor * op) override;
    ggml::cpu::tensor_traits * get_tensor_traits(const ggml_tensor * op) override;

  private:
    CpuBackend backend;
    const Choice choice;
    ggml_backend_buffer_type type;
    std::vector<std::unique_ptr<RowsProduct>> products; // by ggml_type; null where many columns have no kernels
    std::unique_ptr<Attention> attention;               // in the kernels of halves, which keys and values are
};

// Adds the buffer type to the CPU backend, with panels of that layout and these kernels (choice_of). To be called once,
// before the first model is loaded and from one thread. Returns the names of the instruction sets in use, or "none" when
// no type is multiplied by our kernels: then nothing is added. Throws as choice_of does, std::logic_error for a second
// call, std::runtime_error when the backend cannot be extended.
std::string enable(Layout layout, const char * text, int threads);

} // namespace luq::kernels
