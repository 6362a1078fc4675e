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

// ggml's MUL_MAT and MUL_MAT_ID with rows as they lie in the file, in plain C++.
class PlainProduct : public ggml::cpu::tensor_traits {
  public:
    bool work_size(int threads, const ggml_tensor * product, size_t & bytes) override {
        bytes = sizeof(float) * threads * 2 * product->src[0]->ne[0];
        return true;
    }

    bool compute_forward(ggml_compute_params * params, ggml_tensor * product) override {
        const ggml_tensor & matrix = *product->src[0];
        const int64_t width = matrix.ne[0], rows = ggml_nrows(&matrix);
        float * const weights = static_cast<float *>(params->wdata) + params->ith * 2 * width;
        float * const room = weights + width;
        for (int64_t r = rows * params->ith / params->nth; r < rows * (params->ith + 1) / params->nth; r++) {
            const int64_t i1 = r % matrix.ne[1], i23 = r / matrix.ne[1];
            const int64_t i2 = i23 % matrix.ne[2], i3 = i23 / matrix.ne[2];
            const float * const row = floats(matrix, i1, i2, i3, weights);
            if (product->op == GGML_OP_MUL_MAT_ID) {
                expert(*product, row, i1, i2, room);
            } else {
                all(*product, row, i1, i2, i3, room);
            }
        }
        return true;
    }

  private:
    // Row i1 of matrix i2, i3 times the columns of the matrices that share it.
    static void all(const ggml_tensor & product, const float * weights, int64_t i1, int64_t i2, int64_t i3,
                    float * room) {
        const ggml_tensor &matrix = *product.src[0], &columns = *product.src[1];
        const int64_t sharing2 = columns.ne[2] / matrix.ne[2], sharing3 = columns.ne[3] / matrix.ne[3];
        for (int64_t c3 = i3 * sharing3; c3 < (i3 + 1) * sharing3; c3++) {
            for (int64_t c2 = i2 * sharing2; c2 < (i2 + 1) * sharing2; c2++) {
                for (int64_t c1 = 0; c1 < columns.ne[1]; c1++) {
                    *(float *) at(product, i1, c1, c2, c3) =
                        dot(weights, floats(columns, c1, c2, c3, room), matrix.ne[0]);
                }
            }
        }
    }

    // Row i1 of an expert times the columns of the tokens that chose it.
    static void expert(const ggml_tensor & product, const float * weights, int64_t i1, int64_t expert, float * room) {
        const ggml_tensor &columns = *product.src[1], &chosen = *product.src[2];
        for (int64_t token = 0; token < chosen.ne[1]; token++) {
            for (int64_t i = 0; i < chosen.ne[0]; i++) {
                if (*(const int32_t *) at(chosen, i, token, 0, 0) == expert) {
                    *(float *) at(product, i1, i, token, 0) =
                        dot(weights, floats(columns, i % columns.ne[1], token, 0, room), columns.ne[0]);
                }
            }
        }
    }

    // A row of any type; where it is not of floats as they are, in `room`.
    static const float * floats(const ggml_tensor & tensor, int64_t i1, int64_t i2, int64_t i3, float * room) {
        const char * const row = at(tensor, 0, i1, i2, i3);
        if (tensor.type == GGML_TYPE_F32) {
            return (const float *) row;
        }
        ggml_get_type_traits(tensor.type)->to_float(row, room, tensor.ne[0]);
        return room;
    }

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
        if ((op->op != GGML_OP_MUL_MAT && op->op != GGML_OP_MUL_MAT_ID) || types.count(op->src[0]->type)) {
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
