#include "matrix_product.h"

#include <algorithm>
#include <cmath>

// The interfaces are abstract. ggml's own definitions of their destructors lie in the backend, which may be a plug-in.
namespace ggml::cpu {
tensor_traits::~tensor_traits() = default;
extra_buffer_type::~extra_buffer_type() = default;
} // namespace ggml::cpu

namespace luq::kernels {
namespace {

// Columns whose activations stay in the second-level cache while panels pass by.
constexpr int64_t COLUMNS_AT_ONCE = 64;

// The panels of a product are dealt out in pieces of which each is half a thread's share of what is left: long streams
// first, and at the end little to wait for. The last of these many pieces per thread takes the rest, 2 % (e^-4).
constexpr int64_t PIECES_PER_THREAD = 8;

// The first panel of a piece, or the end.
int64_t piece_start(int64_t piece, int64_t pieces, int64_t panels, int threads) {
    return piece == pieces ? panels : (int64_t) (panels * (1 - std::pow(1 - 0.5 / threads, piece)));
}

} // namespace

MatrixProduct::MatrixProduct(const WeightType & weights, const InstructionSet & set, const ManyColumns & many,
                             const CpuBackend & backend)
    : weights(weights), multiply((set.*weights.kernels).multiply), many_columns(many), backend(backend) {
    if (many.gemm) {
        this->many = std::make_unique<PanelsProduct>(weights, set, *many.gemm, backend);
    }
}

bool MatrixProduct::work_size(int threads, const ggml_tensor * product, size_t & bytes) {
    if (many_columns.takes(*product)) {
        return many->work_size(threads, product, bytes);
    }
    const ggml_tensor & columns = *product->src[1];
    bytes = sizeof(ActivationBlock) * (columns.ne[0] / SUPERBLOCK) * ggml_nrows(&columns);
    return true;
}

void MatrixProduct::quantize(const ggml_compute_params & params, const ggml_tensor & columns) const {
    const auto activations = static_cast<ActivationBlock *>(params.wdata);
    const int64_t superblocks = columns.ne[0] / SUPERBLOCK, count = superblocks * ggml_nrows(&columns);
    const int64_t first = count * params.ith / params.nth, last = count * (params.ith + 1) / params.nth;
    for (int64_t i = first; i < last; i++) {
        const auto values = (const float *) column(columns, i / superblocks) + i % superblocks * SUPERBLOCK;
        quantize_activations(values, 1, weights, backend.quantize_q8_k, activations + i);
    }
}

bool MatrixProduct::compute_forward(ggml_compute_params * params, ggml_tensor * product) {
    if (many_columns.takes(*product)) {
        return many->compute_forward(params, product);
    }
    const ggml_tensor & matrix = *product->src[0];
    const int64_t superblocks = matrix.ne[0] / SUPERBLOCK, panels = matrix.ne[1] / ROWS;
    const int64_t columns = ggml_nrows(product->src[1]);
    quantize(*params, *product->src[1]);
    if (params->ith == 0) {
        backend.chunk_set(params->threadpool, params->nth);
    }
    backend.barrier(params->threadpool);

    const auto activations = static_cast<const ActivationBlock *>(params->wdata);
    const int64_t pieces = params->nth == 1 ? 1 : params->nth * PIECES_PER_THREAD;
    for (int64_t piece = params->ith; piece < pieces; piece = backend.chunk_add(params->threadpool, 1)) {
        const int64_t first = piece_start(piece, pieces, panels, params->nth);
        const int64_t last = piece_start(piece + 1, pieces, panels, params->nth);
        for (int64_t c = 0; c < columns; c += COLUMNS_AT_ONCE) {
            multiply((const uint8_t *) matrix.data + first * weights.panel_bytes(matrix.ne[0]), last - first,
                     superblocks, activations + c * superblocks, std::min(COLUMNS_AT_ONCE, columns - c),
                     (float *) column(*product, c) + first * ROWS, product->nb[1] / sizeof(float));
        }
    }
    return true;
}

} // namespace luq::kernels
