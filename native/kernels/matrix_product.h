// ggml's MUL_MAT with panels as its first operand, computed by the CPU backend's threads together.
#pragma once

#include "cpu_backend.h"
#include "weights.h"

#include "traits.h"

namespace luq::kernels {

class MatrixProduct : public ggml::cpu::tensor_traits {
  public:
    MatrixProduct(const WeightType & weights, const InstructionSet & set, const CpuBackend & backend)
        : weights(weights), multiply(set.*weights.multiply), backend(backend) {}

    const WeightType & weights;

    bool work_size(int threads, const ggml_tensor * product, size_t & bytes) override;
    bool compute_forward(ggml_compute_params * params, ggml_tensor * product) override;

  private:
    const Multiply multiply;
    const CpuBackend & backend;

    void quantize(const ggml_compute_params & params, const ggml_tensor & columns) const;
};

} // namespace luq::kernels
