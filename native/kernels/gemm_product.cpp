#include "gemm_product.h"

#include <algorithm>
#include <cstring>
#include <unistd.h>

namespace luq::kernels {
namespace {

// Packed columns that are multiplied before the next ones are packed, by all threads together.
constexpr int64_t COLUMN_BYTES = 32 << 20;

// Panels that a thread unpacks at a time: half of its second-level cache, where they stay while the columns pass by; all
// of it where weights have two parts.
constexpr int64_t MOST_PANELS = 16;
const int64_t PANEL_BYTES = std::max<int64_t>(512 << 10, sysconf(_SC_LEVEL2_CACHE_SIZE) / 2);

// Each thread has this many pieces of rows to take at least, so that nobody waits long for the last one.
constexpr int64_t PIECES_PER_THREAD = 4;

// Whether the matrix lies as in its file. llama.cpp's AMX buffers, which are not the host's, repack quantized types alone.
bool lies_in_rows(const ggml_tensor & matrix) {
    const ggml_backend_buffer_t buffer = matrix.view_src ? matrix.view_src->buffer : matrix.buffer;
    return buffer && (ggml_backend_buft_is_host(buffer->buft) ||
                      (matrix.type == GGML_TYPE_F16 && !std::strcmp(ggml_backend_buft_name(buffer->buft), "AMX")));
}

} // namespace

// How the operands of one product are cut, and where its threads keep them.
struct GemmProduct::Work {
    int64_t depth, panels, panels_at_once, columns, columns_at_once;
    size_t column_bytes, float_bytes, panel_bytes, result_bytes;
    char *groups, *own; // of all threads; of one

    Work(const Gemm & gemm, const ggml_tensor & product, int threads, void * memory, int thread) {
        const ggml_tensor & matrix = *product.src[0];
        depth = round_up(matrix.ne[0], DEPTH_STEP);
        panels = (matrix.ne[1] + ROWS - 1) / ROWS;
        const int64_t share = std::max<int64_t>(2, panels / (threads * PIECES_PER_THREAD) / 2 * 2);
        const int64_t room = std::min(MOST_PANELS, std::max<int64_t>(2, PANEL_BYTES / gemm.part_bytes(depth) / 2 * 2));
        panels_at_once = std::min(share, room);
        columns = ggml_nrows(product.src[1]);
        columns_at_once = std::min(round_up(columns, TILE_COLUMNS),
                                   std::max<int64_t>(1, COLUMN_BYTES / gemm.group_bytes(depth) / 2) * TILE_COLUMNS);
        column_bytes = columns_at_once / GROUP_COLUMNS * gemm.group_bytes(depth);
        float_bytes = ROWS * DEPTH_AT_ONCE * sizeof(float);
        panel_bytes = room * gemm.panel_bytes(depth);
        result_bytes = sizeof(float) * TILE_COLUMNS * room * ROWS;
        groups = (char *) round_up((int64_t) memory, LINE_BYTES);
        own = groups + column_bytes + thread * own_bytes();
    }

    size_t own_bytes() const { return float_bytes + panel_bytes + result_bytes; }
    float * floats() const { return (float *) own; }
    char * packed() const { return own + float_bytes; }
    float * half_columns() const { return (float *) packed(); } // as floats, before there are panels
    float * result() const { return (float *) (own + float_bytes + panel_bytes); }
    int64_t pieces() const { return (panels + panels_at_once - 1) / panels_at_once; }
};

bool GemmProduct::work_size(int threads, const ggml_tensor * product, size_t & bytes) {
    const Work work(gemm, *product, threads, nullptr, 0);
    bytes = LINE_BYTES + work.column_bytes + threads * work.own_bytes();
    return true;
}

bool GemmProduct::compute_forward(ggml_compute_params * params, ggml_tensor * product) {
    const ggml_tensor & activations = *product->src[1];
    const Work work(gemm, *product, params->nth, params->wdata, params->ith);
    for (int64_t first = 0; first < work.columns; first += work.columns_at_once) {
        const int64_t count = std::min(work.columns_at_once, work.columns - first);
        const int64_t groups = round_up(count, TILE_COLUMNS) / GROUP_COLUMNS;
        for (int64_t g = groups * params->ith / params->nth; g < groups * (params->ith + 1) / params->nth; g++) {
            const float * columns[GROUP_COLUMNS] = {};
            for (int64_t c = 0; c < std::min<int64_t>(GROUP_COLUMNS, count - g * GROUP_COLUMNS); c++) {
                const char * const from = column(activations, first + g * GROUP_COLUMNS + c);
                if (activations.type == GGML_TYPE_F16) {
                    float * const to = work.half_columns() + c * activations.ne[0];
                    backend.half_to_float(from, to, activations.ne[0]);
                    columns[c] = to;
                } else {
                    columns[c] = (const float *) from;
                }
            }
            gemm.pack_columns(columns, activations.ne[0], work.depth, work.groups + g * gemm.group_bytes(work.depth));
        }
        if (params->ith == 0) {
            backend.chunk_set(params->threadpool, params->nth);
        }
        backend.barrier(params->threadpool);
        for (int64_t piece = params->ith; piece < work.pieces(); piece = backend.chunk_add(params->threadpool, 1)) {
            multiply(work, *product, piece, first, count);
        }
        if (first + count < work.columns) {
            backend.barrier(params->threadpool);
        }
    }
    return true;
}

// Rows of one piece times columns first .. first + count - 1, which are packed.
void GemmProduct::multiply(const Work & work, const ggml_tensor & product, int64_t piece, int64_t first,
                           int64_t count) const {
    const ggml_tensor & matrix = *product.src[0];
    const int64_t row = piece * work.panels_at_once * ROWS;
    const int64_t rows = std::min(work.panels_at_once * ROWS, matrix.ne[1] - row);
    const int panels = (rows + ROWS - 1) / ROWS;
    int parts = 1;
    for (int panel = 0; panel < panels; panel++) {
        char * const to = work.packed() + panel * gemm.panel_bytes(work.depth);
        parts = std::max(parts, pack(matrix, row / ROWS + panel, work.depth, work.floats(), to));
    }
    for (int64_t c = 0; c < count; c += TILE_COLUMNS) {
        const char * groups = work.groups + c / GROUP_COLUMNS * gemm.group_bytes(work.depth);
        float * const out = (float *) column(product, first + c) + row;
        const int64_t stride = product.nb[1] / sizeof(float), columns = std::min<int64_t>(TILE_COLUMNS, count - c);
        if (columns == TILE_COLUMNS && rows == panels * ROWS) {
            gemm.multiply(work.packed(), gemm.panel_bytes(work.depth), panels, parts, groups, work.depth, out, stride);
            continue;
        }
        gemm.multiply(work.packed(), gemm.panel_bytes(work.depth), panels, parts, groups, work.depth, work.result(),
                      panels * ROWS);
        for (int64_t i = 0; i < columns; i++) {
            std::memcpy(out + i * stride, work.result() + i * panels * ROWS, sizeof(float) * rows);
        }
    }
}

// --- file's rows -------------------------------------------------------------------------------------------------------

RowsProduct::RowsProduct(ggml_type type, const Gemm & gemm, const CpuBackend & backend)
    : GemmProduct(gemm, backend), to_float(backend.to_float(type)), exact(!ggml_is_quantized(type)) {}

bool RowsProduct::takes(const ggml_tensor & product) {
    const ggml_tensor &matrix = *product.src[0], &columns = *product.src[1];
    return ggml_n_dims(&matrix) == 2 && ggml_is_contiguous(&matrix) && lies_in_rows(matrix) &&
           (columns.type == GGML_TYPE_F32 || columns.type == GGML_TYPE_F16) &&
           columns.nb[0] == ggml_type_size(columns.type) && ggml_nrows(&columns) >= FEWEST_COLUMNS &&
           ggml_is_contiguous(&product);
}

int RowsProduct::pack(const ggml_tensor & matrix, int64_t index, int64_t depth, float * floats, char * panel) const {
    char * const second = exact && gemm.parts == 2 ? panel + gemm.part_bytes(depth) : nullptr;
    bool both = false;
    for (int64_t k = 0; k < depth; k += DEPTH_AT_ONCE) {
        const int64_t count = std::min(DEPTH_AT_ONCE, depth - k), given = std::min(count, matrix.ne[0] - k);
        for (int64_t r = 0; r < ROWS; r++) {
            float * const to = floats + r * count;
            int64_t filled = 0;
            if (index * ROWS + r < matrix.ne[1]) {
                to_float(column(matrix, index * ROWS + r) + ggml_row_size(matrix.type, k), to, given);
                filled = given;
            }
            std::fill(to + filled, to + count, 0.0f);
        }
        const int64_t at = gemm.part_bytes(k);
        both |= gemm.pack_rows(floats, count, panel + at, second ? second + at : nullptr);
    }
    return both && second ? 2 : 1;
}

// --- panels ------------------------------------------------------------------------------------------------------------

PanelsProduct::PanelsProduct(const WeightType & weights, const InstructionSet & set, const Gemm & gemm,
                             const CpuBackend & backend)
    : GemmProduct(gemm, backend), weights(weights), unpack((set.*weights.kernels).unpack), units(units_of(weights)) {}

int PanelsProduct::pack(const ggml_tensor & matrix, int64_t index, int64_t depth, float * floats, char * panel) const {
    auto superblock = (const uint8_t *) matrix.data + index * weights.panel_bytes(depth);
    for (int64_t k = 0; k < depth; k += SUPERBLOCK, superblock += weights.panel_bytes(SUPERBLOCK)) {
        unpack(superblock, units.data(), floats);
        gemm.pack_values(floats, ROWS, SUPERBLOCK, panel + gemm.part_bytes(k));
    }
    return 1;
}

} // namespace luq::kernels
