// ggml's MUL_MAT with many columns, computed by the CPU backend's threads together.
#pragma once

#include "cpu_backend.h"
#include "gemm.h"
#include "weights.h"

#include "traits.h"

namespace luq::kernels {

// Columns that a product has at least where unpacking its weights may be worth it; more than so many change nothing about
// that.
constexpr int FEWEST_COLUMNS = TILE_COLUMNS, ENOUGH_COLUMNS = 128;

// What multiplies many columns, from how many on, up to ENOUGH_COLUMNS; null: nothing else than few.
struct ManyColumns {
    const Gemm * gemm;
    int columns;

    bool takes(const ggml_tensor & product) const { return gemm && ggml_nrows(product.src[1]) >= columns; }
};

class GemmProduct : public ggml::cpu::tensor_traits {
  public:
    bool work_size(int threads, const ggml_tensor * product, size_t & bytes) override;
    bool compute_forward(ggml_compute_params * params, ggml_tensor * product) override;

  protected:
    GemmProduct(const Gemm & gemm, const CpuBackend & backend) : gemm(gemm), backend(backend) {}

    // Weights of a row that are unpacked at a time, a multiple of every type's block: 16 rows of them, as floats, fit
    // the first-level cache.
    static constexpr int64_t DEPTH_AT_ONCE = SUPERBLOCK;

    const Gemm & gemm;
    const CpuBackend & backend;

    // Packs panel `index` of a matrix. floats: room for ROWS * DEPTH_AT_ONCE. Returns how many parts are not zero.
    virtual int pack(const ggml_tensor & matrix, int64_t index, int64_t depth, float * floats, char * panel) const = 0;

  private:
    struct Work;

    void multiply(const Work & work, const ggml_tensor & product, int64_t piece, int64_t first, int64_t count) const;
};

// Of weights in a plain buffer, as the file holds them, of any size and type but F32: image encoders, and prompts of models
// whose weights have no panels.
class RowsProduct : public GemmProduct {
  public:
    RowsProduct(ggml_type type, const Gemm & gemm, const CpuBackend & backend);

    // Whether the operands lie so that this product can read them.
    static bool takes(const ggml_tensor & product);

  private:
    const ggml_to_float_t to_float;
    const bool exact; // weights keep all bits that the file gives them

    int pack(const ggml_tensor & matrix, int64_t index, int64_t depth, float * floats, char * panel) const override;
};

// Of weights in our panels.
class PanelsProduct : public GemmProduct {
  public:
    PanelsProduct(const WeightType & weights, const InstructionSet & set, const Gemm & gemm,
                  const CpuBackend & backend);

  private:
    const WeightType & weights;
    const Unpack unpack;
    const std::vector<ActivationBlock> units;

    int pack(const ggml_tensor & matrix, int64_t index, int64_t depth, float * floats, char * panel) const override;
};

} // namespace luq::kernels
