#include "panel_buffers.h"

#include "file_pages.h"

#include <algorithm>
#include <cstring>
#include <stdexcept>
#include <sys/mman.h>
#include <system_error>
#include <thread>

namespace luq::kernels {
namespace {

PanelBuffers & buffers_of(ggml_backend_buffer_type_t type) {
    return *static_cast<PanelBuffers *>(static_cast<ggml::cpu::extra_buffer_type *>(type->context));
}

void set_tensor(ggml_backend_buffer_t buffer, ggml_tensor * tensor, const void * data, size_t offset, size_t size) {
    GGML_ASSERT(offset == 0 && size == ggml_nbytes(tensor));
    const PanelBuffers & buffers = buffers_of(buffer->buft);
    const WeightType & weights = buffers.product_of(*tensor)->weights;
    const int64_t panels = tensor->ne[1] / ROWS, threads = std::min<int64_t>(panels, buffers.threads);
    const auto pack = [&](int64_t i) {
        weights.pack((const uint8_t *) data, (uint8_t *) tensor->data, tensor->ne[0], panels * i / threads,
                     panels * (i + 1) / threads);
    };
    std::vector<std::thread> helpers;
    helpers.reserve(threads);
    int64_t begun = 1;
    try {
        for (; begun < threads; begun++) {
            helpers.emplace_back(pack, begun);
        }
    } catch (const std::system_error &) {
        // No more threads are to be had.
        std::for_each(helpers.begin(), helpers.end(), [](std::thread & helper) { helper.join(); });
        helpers.clear();
        for (; begun < threads; begun++) {
            pack(begun);
        }
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
        whole_pages(ggml_backend_buffer_get_base(buffer), size,
                    [](void * pages, size_t bytes) { madvise(pages, bytes, MADV_HUGEPAGE); });
    }
    return buffer;
}

size_t alloc_size(ggml_backend_buffer_type_t type, const ggml_tensor * tensor) {
    const MatrixProduct * product = buffers_of(type).product_of(*tensor);
    return product ? product->weights.panel_bytes(tensor->ne[0]) * (tensor->ne[1] / ROWS) : ggml_nbytes(tensor);
}

// The backend's list of what is asked for every operation.
void join_list(const CpuBackend & backend, ggml_backend_buffer_type & type) {
    auto & types = backend.extra_buffer_types();
    types.insert(types.begin(), &type);
}

void leave_list(const CpuBackend & backend, ggml_backend_buffer_type & type) {
    auto & types = backend.extra_buffer_types();
    types.erase(std::remove(types.begin(), types.end(), &type), types.end());
}

} // namespace

Choice choice_of(const char * text) {
    Choice choice{};
    if (!text || (*text && !std::strchr(text, '='))) {
        const InstructionSet & set = instruction_set(text);
        if (text || &set != &SCALAR) { // ggml's vectors beat plain C++
            choice.sets.fill(&set);
        }
        for (auto gemm = GEMMS; !text && *gemm; gemm++) {
            if ((*gemm)->available()) {
                choice.many.fill({*gemm, ENOUGH_COLUMNS});
                break;
            }
        }
        return choice;
    }
    std::string rest = text;
    while (!rest.empty()) {
        const size_t comma = std::min(rest.find(','), rest.size()), equal = rest.find('=');
        if (equal >= comma) {
            throw std::invalid_argument("'" + rest.substr(0, comma) + "' is not type=set");
        }
        const std::string set = rest.substr(equal + 1, comma - equal - 1);
        const size_t star = std::min(rest.find('*'), equal);
        const ggml_type type = type_named(rest.substr(0, star));
        if (star < equal) {
            const int columns = std::atoi(rest.c_str() + star + 1);
            choice.many[type] = {&gemm_named(set), std::clamp(columns, FEWEST_COLUMNS, ENOUGH_COLUMNS)};
        } else {
            choice.sets[type] = &instruction_set(set.c_str());
        }
        rest.erase(0, comma + 1);
    }
    return choice;
}

PanelBuffers::PanelBuffers(const CpuBackend & backend, Layout layout, const Choice & choice, int threads)
    : threads(std::max(1, threads)), backend(backend), products(GGML_TYPE_COUNT) {
    type = {
        {
            [](ggml_backend_buffer_type_t) { return "LUQ_PANELS"; },
            alloc_buffer,
            [](ggml_backend_buffer_type_t) -> size_t { return LINE_BYTES; },
            nullptr,
            alloc_size,
            nullptr,
        },
        backend.device,
        static_cast<ggml::cpu::extra_buffer_type *>(this),
    };
    for (int known = 0; known < GGML_TYPE_COUNT; known++) {
        const WeightType * weights = weight_type((ggml_type) known, layout);
        if (weights && choice.sets[known]) {
            products[known] =
                std::make_unique<MatrixProduct>(*weights, *choice.sets[known], choice.many[known], this->backend);
        }
    }
}

MatrixProduct * PanelBuffers::product(const ggml_tensor & matrix) const {
    const bool whole_panels = ggml_n_dims(&matrix) == 2 && ggml_is_contiguous(&matrix) &&
                              matrix.ne[0] % SUPERBLOCK == 0 && matrix.ne[1] % ROWS == 0;
    return whole_panels ? products[matrix.type].get() : nullptr;
}

const MatrixProduct * PanelBuffers::product_of(const ggml_tensor & matrix) const { return product(matrix); }

bool PanelBuffers::holds(const ggml_tensor * tensor) const {
    return tensor && tensor->buffer && tensor->buffer->buft == &type;
}

void PanelBuffers::join() { join_list(backend, type); }

void PanelBuffers::leave() { leave_list(backend, type); }

bool PanelBuffers::supports_op(ggml_backend_dev_t, const ggml_tensor * op) {
    if (op->op != GGML_OP_MUL_MAT || !holds(op->src[0]) || !product(*op->src[0])) {
        return false;
    }
    const ggml_tensor & columns = *op->src[1];
    const bool reachable = !columns.buffer || ggml_backend_buft_is_host(columns.buffer->buft);
    return reachable && columns.type == GGML_TYPE_F32 && columns.nb[0] == sizeof(float) && ggml_is_contiguous(op);
}

ggml::cpu::tensor_traits * PanelBuffers::get_tensor_traits(const ggml_tensor * op) {
    return op->op == GGML_OP_MUL_MAT && holds(op->src[0]) ? product(*op->src[0]) : nullptr;
}

PlainOperations::PlainOperations(const CpuBackend & backend, const Choice & choice)
    : backend(backend), choice(choice), products(GGML_TYPE_COUNT) {
    type = *ggml_backend_cpu_buffer_type();
    type.iface.get_name = [](ggml_backend_buffer_type_t) { return "LUQ_PLAIN_OPERATIONS"; };
    type.device = backend.device;
    type.context = static_cast<ggml::cpu::extra_buffer_type *>(this);
    for (int known = 0; known < GGML_TYPE_COUNT; known++) {
        // Floats keep their bits: nobody expects of them to be rounded to bf16.
        if (choice.many[known].gemm && backend.to_float((ggml_type) known)) {
            products[known] = std::make_unique<RowsProduct>((ggml_type) known, *choice.many[known].gemm, this->backend);
        }
    }
    if (const Gemm * gemm = choice.many[GGML_TYPE_F16].gemm) {
        attention = std::make_unique<Attention>(*gemm, this->backend);
    }
}

void PlainOperations::join() { join_list(backend, type); }

void PlainOperations::leave() { leave_list(backend, type); }

bool PlainOperations::supports_op(ggml_backend_dev_t, const ggml_tensor *) { return false; }

ggml::cpu::tensor_traits * PlainOperations::get_tensor_traits(const ggml_tensor * op) {
    if (op->op == GGML_OP_MUL_MAT) {
        const ggml_type known = op->src[0]->type;
        return products[known] && choice.many[known].takes(*op) && RowsProduct::takes(*op)
                   ? products[known].get()
                   : nullptr;
    }
    return op->op == GGML_OP_FLASH_ATTN_EXT && attention && Attention::takes(*op) ? attention.get() : nullptr;
}

std::string enable(Layout layout, const char * text, int threads) {
    static PanelBuffers * panels;
    static PlainOperations * plain;
    if (panels || plain) {
        throw std::logic_error("the kernels are enabled already");
    }
    const Choice choice = choice_of(text);
    std::string names;
    const auto add = [&](const char * name) { names += (names.empty() ? "" : ", ") + std::string(name); };
    for (auto set = INSTRUCTION_SETS; *set; set++) {
        for (int type = 0; type < GGML_TYPE_COUNT; type++) {
            if (choice.sets[type] == *set && weight_type((ggml_type) type, layout)) {
                add((*set)->name);
                break;
            }
        }
    }
    // As long as the process, like every buffer type. Panels first: they know their own.
    if (std::any_of(choice.many.begin(), choice.many.end(), [](const ManyColumns & many) { return many.gemm; })) {
        plain = new PlainOperations(CpuBackend::find(), choice);
        plain->join();
    }
    if (!names.empty()) {
        panels = new PanelBuffers(CpuBackend::find(), layout, choice, threads);
        panels->join();
    }
    for (auto gemm = GEMMS; *gemm; gemm++) {
        if (std::any_of(choice.many.begin(), choice.many.end(),
                        [&](const ManyColumns & many) { return many.gemm == *gemm; })) {
            add((*gemm)->name);
        }
    }
    return names.empty() ? "none" : names;
}

} // namespace luq::kernels
