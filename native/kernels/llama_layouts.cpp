#include "llama_layouts.h"

#include "traits.h"

#include <algorithm>
#include <stdexcept>

namespace luq::kernels {
namespace {

// A layout that refuses some types. It stands in the place of the layout itself, whose buffers know it by its address.
struct Restricted : ggml::cpu::extra_buffer_type {
    ggml::cpu::extra_buffer_type * layout;
    std::set<ggml_type> types;

    bool supports_op(ggml_backend_dev_t device, const ggml_tensor * op) override {
        return op->src[0] && types.count(op->src[0]->type) && layout->supports_op(device, op);
    }

    ggml::cpu::tensor_traits * get_tensor_traits(const ggml_tensor * op) override {
        return layout->get_tensor_traits(op);
    }
};

// ggml's MUL_MAT with rows as they lie in the file, in plain C++.
class PlainProduct : public ggml::cpu::tensor_traits {
  public:
    bool work_size(int threads, const ggml_tensor * product, size_t & bytes) override {
        bytes = sizeof(float) * threads * product->src[0]->ne[0];
        return true;
    }

    bool compute_forward(ggml_compute_params * params, ggml_tensor * product) override {
        const ggml_tensor & matrix = *product->src[0];
        const ggml_tensor & columns = *product->src[1];
        const auto to_float = ggml_get_type_traits(matrix.type)->to_float;
        const int64_t width = matrix.ne[0], rows = ggml_nrows(&matrix);
        // So many matrices of the second operand share one of the first.
        const int64_t sharing2 = columns.ne[2] / matrix.ne[2], sharing3 = columns.ne[3] / matrix.ne[3];
        float * weights = static_cast<float *>(params->wdata) + params->ith * width;
        for (int64_t r = rows * params->ith / params->nth; r < rows * (params->ith + 1) / params->nth; r++) {
            const int64_t i1 = r % matrix.ne[1], i23 = r / matrix.ne[1];
            const int64_t i2 = i23 % matrix.ne[2], i3 = i23 / matrix.ne[2];
            if (matrix.type == GGML_TYPE_F32) {
                std::copy_n((const float *) at(matrix, 0, i1, i2, i3), width, weights);
            } else {
                to_float(at(matrix, 0, i1, i2, i3), weights, width);
            }
            for (int64_t c3 = i3 * sharing3; c3 < (i3 + 1) * sharing3; c3++) {
                for (int64_t c2 = i2 * sharing2; c2 < (i2 + 1) * sharing2; c2++) {
                    for (int64_t c1 = 0; c1 < columns.ne[1]; c1++) {
                        *(float *) at(*product, i1, c1, c2, c3) =
                            dot(weights, (const float *) at(columns, 0, c1, c2, c3), width);
                    }
                }
            }
        }
        return true;
    }

  private:
    // Several sums, which need not wait for each other.
    static float dot(const float * a, const float * b, int64_t count) {
        constexpr int SUMS = 8;
        double sums[SUMS] = {};
        for (; count >= SUMS; count -= SUMS, a += SUMS, b += SUMS) {
            for (int i = 0; i < SUMS; i++) {
                sums[i] += (double) a[i] * b[i];
            }
        }
        for (int64_t i = 0; i < count; i++) {
            sums[0] += (double) a[i] * b[i];
        }
        double sum = 0;
        for (double part : sums) {
            sum += part;
        }
        return (float) sum;
    }

    static char * at(const ggml_tensor & tensor, int64_t i0, int64_t i1, int64_t i2, int64_t i3) {
        return (char *) tensor.data + i0 * tensor.nb[0] + i1 * tensor.nb[1] + i2 * tensor.nb[2] + i3 * tensor.nb[3];
    }
};

// No layout for weights, but asked for every operation as those are.
struct PlainRows : ggml::cpu::extra_buffer_type {
    std::set<ggml_type> types; // that llama.cpp multiplies right
    PlainProduct product;
    ggml_backend_buffer_type buffer_type;

    bool supports_op(ggml_backend_dev_t, const ggml_tensor *) override { return false; }

    ggml::cpu::tensor_traits * get_tensor_traits(const ggml_tensor * op) override {
        if (op->op != GGML_OP_MUL_MAT || types.count(op->src[0]->type) || op->src[1]->type != GGML_TYPE_F32 ||
            op->src[1]->nb[0] != sizeof(float)) {
            return nullptr;
        }
        const ggml_backend_buffer_t buffer = op->src[0]->view_src ? op->src[0]->view_src->buffer : op->src[0]->buffer;
        return !buffer || ggml_backend_buft_is_host(buffer->buft) ? &product : nullptr;
    }
};

void replace_rows(const CpuBackend & backend, const std::set<ggml_type> & types) {
    static PlainRows rows;
    rows.types = types;
    rows.buffer_type = *ggml_backend_cpu_buffer_type();
    rows.buffer_type.iface.get_name = [](ggml_backend_buffer_type_t) { return "LUQ_PLAIN_ROWS"; };
    rows.buffer_type.device = backend.device;
    rows.buffer_type.context = static_cast<ggml::cpu::extra_buffer_type *>(&rows);
    auto & known = backend.extra_buffer_types();
    if (std::find(known.begin(), known.end(), &rows.buffer_type) == known.end()) {
        known.push_back(&rows.buffer_type);
    }
}

} // namespace

void restrict_layout(const std::string & name, const std::set<ggml_type> & types) {
    const CpuBackend backend = CpuBackend::find();
    if (name == ROWS_NAME) {
        replace_rows(backend, types);
        return;
    }
    for (ggml_backend_buffer_type_t layout : backend.extra_buffer_types()) {
        if (name == ggml_backend_buft_name(layout)) {
            auto * restricted = new Restricted; // as long as the process, like every layout
            restricted->layout = static_cast<ggml::cpu::extra_buffer_type *>(layout->context);
            restricted->types = types;
            layout->context = static_cast<ggml::cpu::extra_buffer_type *>(restricted);
            return;
        }
    }
    throw std::invalid_argument("llama.cpp has no layout '" + name + "' on this CPU");
}

} // namespace luq::kernels
