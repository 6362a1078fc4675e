#include "panel_buffers.h"

#include "file_pages.h"
#include "matrix_product.h"

#include <algorithm>
#include <memory>
#include <stdexcept>
#include <sys/mman.h>
#include <thread>

namespace luq::kernels {
namespace {

struct Extension : ggml::cpu::extra_buffer_type {
    CpuBackend                                  backend;
    ggml_backend_buffer_type                    buffer_type;
    std::vector<std::unique_ptr<MatrixProduct>> products; // by ggml_type; null where a type has no panels

    MatrixProduct * product_of(const ggml_tensor & matrix) const;
    bool supports_op(ggml_backend_dev_t, const ggml_tensor * op) override;
    ggml::cpu::tensor_traits * get_tensor_traits(const ggml_tensor * op) override;
};

Extension * extension;

MatrixProduct * Extension::product_of(const ggml_tensor & matrix) const {
    const bool whole_panels = ggml_n_dims(&matrix) == 2 && ggml_is_contiguous(&matrix) &&
                              matrix.ne[0] % SUPERBLOCK == 0 && matrix.ne[1] % ROWS == 0;
    return whole_panels ? products[matrix.type].get() : nullptr;
}

bool in_panels(const ggml_tensor * tensor) {
    return tensor && tensor->buffer && tensor->buffer->buft == &extension->buffer_type;
}

bool Extension::supports_op(ggml_backend_dev_t, const ggml_tensor * op) {
    if (op->op != GGML_OP_MUL_MAT || !in_panels(op->src[0]) || !product_of(*op->src[0])) {
        return false;
    }
    const ggml_tensor & columns = *op->src[1];
    const bool reachable = !columns.buffer || ggml_backend_buft_is_host(columns.buffer->buft);
    return reachable && columns.type == GGML_TYPE_F32 && columns.nb[0] == sizeof(float) && ggml_is_contiguous(op);
}

ggml::cpu::tensor_traits * Extension::get_tensor_traits(const ggml_tensor * op) {
    return op->op == GGML_OP_MUL_MAT && in_panels(op->src[0]) ? product_of(*op->src[0]) : nullptr;
}

// --- buffers -------------------------------------------------------------------------------------------------------

// Panels are packed by as many threads as the machine has: loading has it for itself.
void set_tensor(ggml_backend_buffer_t, ggml_tensor * tensor, const void * data, size_t offset, size_t size) {
    GGML_ASSERT(offset == 0 && size == ggml_nbytes(tensor));
    const WeightType & weights = extension->products[tensor->type]->weights;
    const int64_t panels = tensor->ne[1] / ROWS;
    const int64_t threads = std::min<int64_t>(panels, std::max(1u, std::thread::hardware_concurrency()));
    const auto pack = [&](int64_t i) {
        weights.pack((const uint8_t *) data, (uint8_t *) tensor->data, tensor->ne[0], panels * i / threads,
                     panels * (i + 1) / threads);
    };
    std::vector<std::thread> helpers;
    for (int64_t i = 1; i < threads; i++) {
        helpers.emplace_back(pack, i);
    }
    pack(0);
    for (std::thread & helper : helpers) {
        helper.join();
    }
    give_back_file_pages(data, size);
}

// A buffer of the plain type on pages of 2 MiB, where the system gives them: panels are read from end to end, and a
// stream over 4 KiB pages stops at each one's end.
ggml_backend_buffer_t alloc_buffer(ggml_backend_buffer_type_t type, size_t size) {
    ggml_backend_buffer_t buffer = ggml_backend_buft_alloc_buffer(ggml_backend_cpu_buffer_type(), size);
    if (buffer) {
        buffer->buft = type;
        buffer->iface.set_tensor = set_tensor;
        buffer->iface.get_tensor = nullptr;
        buffer->iface.cpy_tensor = nullptr;
        whole_pages(ggml_backend_buffer_get_base(buffer), size, [](void * pages, size_t bytes) {
            madvise(pages, bytes, MADV_HUGEPAGE);
        });
    }
    return buffer;
}

size_t alloc_size(ggml_backend_buffer_type_t, const ggml_tensor * tensor) {
    const MatrixProduct * product = extension->product_of(*tensor);
    return product ? product->weights.panel_bytes(tensor->ne[0]) * (tensor->ne[1] / ROWS) : ggml_nbytes(tensor);
}

} // namespace

const char * enable(Layout layout, const char * name) {
    if (extension) {
        throw std::logic_error("the kernels are enabled already");
    }
    const InstructionSet & set = instruction_set(name);
    if (!name && &set == &SCALAR) {
        return "none"; // ggml's vectors beat plain C++
    }
    auto created = std::make_unique<Extension>();
    created->backend = CpuBackend::find();
    created->buffer_type = {
        {
            [](ggml_backend_buffer_type_t) { return "LUQ_PANELS"; },
            alloc_buffer,
            [](ggml_backend_buffer_type_t) -> size_t { return LINE_BYTES; },
            nullptr,
            alloc_size,
            nullptr,
        },
        created->backend.device,
        static_cast<ggml::cpu::extra_buffer_type *>(created.get()),
    };
    created->products.resize(GGML_TYPE_COUNT);
    for (int type = 0; type < GGML_TYPE_COUNT; type++) {
        if (const WeightType * weights = weight_type((ggml_type) type, layout)) {
            created->products[type] = std::make_unique<MatrixProduct>(*weights, set, created->backend);
        }
    }
    auto & types = created->backend.extra_buffer_types();
    extension = created.release(); // as long as the process, like every buffer type
    types.insert(types.begin(), &extension->buffer_type);
    return set.name;
}

} // namespace luq::kernels
