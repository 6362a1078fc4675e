// ggml's FLASH_ATTN_EXT with many queries: of image encoders, where all of a window or a picture sees itself, and of
// prompts. Keys are taken block by block, and of those before a row keeps its largest exponent, the sum and the result, so
// memory does not grow with their number.
#pragma once

#include "cpu_backend.h"
#include "gemm.h"

#include "traits.h"

namespace luq::kernels {

class Attention : public ggml::cpu::tensor_traits {
  public:
    Attention(const Gemm & gemm, const CpuBackend & backend) : gemm(gemm), backend(backend) {}

    // Whether this computes what the operation asks for, and its operands lie so that it can read them.
    static bool takes(const ggml_tensor & attention);

    bool work_size(int threads, const ggml_tensor * attention, size_t & bytes) override;
    // Returns false, and leaves the operation to ggml, if keys or values are not finite: a weight of 0 would not keep
    // those of one sequence from another one.
    bool compute_forward(ggml_compute_params * params, ggml_tensor * attention) override;

  private:
    struct Row;
    struct Work;

    const Gemm & gemm;
    const CpuBackend & backend;

    void unit(const Work & work, ggml_tensor & attention, int64_t unit) const;
    void begin(const Work & work, ggml_tensor & attention, int64_t first, int64_t count, int64_t kv_head,
               int64_t batch) const;
    void pack_tile(const float * const * columns, int64_t length, int64_t depth, char * groups) const;
    void pack_keys(const Work & work, const ggml_tensor & k, int64_t key, int64_t keys, int64_t head,
                   int64_t batch) const;
    void pack_values(const Work & work, const ggml_tensor & v, int64_t key, int64_t keys, int64_t head,
                     int64_t batch) const;
    void tile(const Work & work, int64_t first, int64_t count, int64_t key, int64_t keys, float scale) const;
};

} // namespace luq::kernels
