// ggml's MUL_MAT with panels as its first operand, computed by the CPU backend's threads together.
#pragma once

#include "gemm_product.h"

#include <memory>

namespace luq::kernels {

class MatrixProduct : public ggml::cpu::tensor_traits {
  public:
    // many: for products of that many columns or more.
    MatrixProduct(const WeightType & weights, const InstructionSet & set, const ManyColumns & many,
                  const CpuBackend & backend);

    const WeightType & weights;

    bool work_size(int threads, const ggml_tensor * product, size_t & bytes) override;
    bool compute_forward(ggml_compute_params * params, ggml_tensor * product) override;

  private:
    const Multiply multiply;
    const ManyColumns many_columns;
    std::unique_ptr<PanelsProduct> many; // null where those have no kernels
    const CpuBackend & backend;

    void quantize(const ggml_compute_params & params, const ggml_tensor & columns) const;
};

} // namespace luq::kernels
