#include "attention.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstring>
#include <limits>

namespace luq::kernels {
namespace {

// Fewer queries are not worth packing keys for.
constexpr int64_t FEWEST_QUERIES = 32;

// Keys whose scores with a tile of queries are kept at a time.
constexpr int64_t KEYS_AT_ONCE = 512;

// Queries that share packed keys and values at least, where there are threads for more blocks.
constexpr int64_t QUERIES_OF_BLOCK = 256;

constexpr float MASKED = -std::numeric_limits<float>::infinity();

const char * row(const ggml_tensor & tensor, int64_t i1, int64_t i2, int64_t i3) {
    return (const char *) tensor.data + i1 * tensor.nb[1] + i2 * tensor.nb[2] + i3 * tensor.nb[3];
}

float parameter(const ggml_tensor & attention, int i) {
    float value;
    std::memcpy(&value, attention.op_params + i, sizeof value);
    return value;
}

bool is_readable(const ggml_tensor & tensor, ggml_type type) {
    return tensor.type == type && tensor.nb[0] == ggml_type_size(type) && tensor.ne[0] % ROWS == 0;
}

bool is_finite(const ggml_tensor & halves, int thread, int threads) {
    const int64_t rows = ggml_nrows(&halves);
    bool finite = true;
    for (int64_t r = rows * thread / threads; r < rows * (thread + 1) / threads; r++) {
        const int64_t i1 = r % halves.ne[1], i2 = r / halves.ne[1] % halves.ne[2], i3 = r / halves.ne[1] / halves.ne[2];
        const auto values = (const ggml_fp16_t *) row(halves, i1, i2, i3);
        unsigned infinite = 0;
        for (int64_t i = 0; i < halves.ne[0]; i++) {
            infinite |= (values[i] & 0x7C00) == 0x7C00;
        }
        finite = finite && !infinite;
    }
    return finite;
}

} // namespace

// What is common to the units of an attention, and where a thread keeps what it works on. A unit is a block of the queries
// of all heads that share keys and values.
struct Attention::Work {
    int64_t width, depth, value_width, keys, queries, shared, rows, blocks, block_rows, kv_heads, units;
    size_t float_bytes, key_bytes, value_bytes, query_bytes, score_bytes, weight_bytes, result_bytes;
    std::atomic<int> * unfinished; // whether keys and values have to be left to ggml
    char * own;

    Work(const Gemm & gemm, const ggml_tensor & attention, void * memory, int thread, int threads) {
        const ggml_tensor &q = *attention.src[0], &k = *attention.src[1], &v = *attention.src[2];
        width = q.ne[0];
        depth = round_up(width, DEPTH_STEP);
        value_width = v.ne[0];
        keys = k.ne[1];
        queries = q.ne[1];
        kv_heads = k.ne[2];
        shared = q.ne[2] / kv_heads;
        rows = shared * queries;
        const int64_t wanted = (2 * threads + kv_heads * q.ne[3] - 1) / (kv_heads * q.ne[3]);
        blocks = std::max<int64_t>(1, std::min(wanted, rows / QUERIES_OF_BLOCK));
        block_rows = round_up((rows + blocks - 1) / blocks, TILE_COLUMNS);
        blocks = (rows + block_rows - 1) / block_rows;
        units = blocks * kv_heads * q.ne[3];
        const int64_t padded = round_up(keys, KEYS_AT_ONCE);
        float_bytes = sizeof(float) * std::max(ROWS * depth, value_width * KEYS_AT_ONCE);
        key_bytes = gemm.part_bytes(depth) * padded / ROWS;
        value_bytes = gemm.part_bytes(padded) * value_width / ROWS;
        query_bytes = 2 * gemm.group_bytes(depth);
        score_bytes = sizeof(float) * TILE_COLUMNS * KEYS_AT_ONCE;
        weight_bytes = 2 * gemm.group_bytes(KEYS_AT_ONCE);
        result_bytes = sizeof(float) * TILE_COLUMNS * value_width;
        // In numbers: where there is no memory yet, only the sizes are asked for.
        const int64_t start = round_up((int64_t) memory, LINE_BYTES);
        unfinished = (std::atomic<int> *) start;
        own = (char *) (start + LINE_BYTES + thread * own_bytes());
    }

    size_t own_bytes() const {
        return round_up(float_bytes + key_bytes + value_bytes + query_bytes + score_bytes + weight_bytes +
                            2 * result_bytes + sizeof(float) * KEYS_AT_ONCE,
                        LINE_BYTES);
    }
    float * floats() const { return (float *) own; }
    char * key_panels() const { return own + float_bytes; }
    char * value_panels() const { return key_panels() + key_bytes; }
    char * query_groups() const { return value_panels() + value_bytes; }
    float * scores() const { return (float *) (query_groups() + query_bytes); }
    char * weights() const { return (char *) scores() + score_bytes; }
    float * part() const { return (float *) (weights() + weight_bytes); }
    float * result() const { return (float *) ((char *) part() + result_bytes); }
    float * mask() const { return (float *) ((char *) result() + result_bytes); }
};

bool Attention::takes(const ggml_tensor & attention) {
    const ggml_tensor &q = *attention.src[0], &k = *attention.src[1], &v = *attention.src[2];
    const ggml_tensor * mask = attention.src[3];
    const bool plain = !attention.src[4] && parameter(attention, 1) == 0 && parameter(attention, 2) == 0;
    return plain && q.ne[1] >= FEWEST_QUERIES && is_readable(q, GGML_TYPE_F32) && is_readable(k, GGML_TYPE_F16) &&
           is_readable(v, GGML_TYPE_F16) && k.ne[2] == v.ne[2] && k.ne[3] == q.ne[3] && v.ne[3] == q.ne[3] &&
           (!mask || (mask->type == GGML_TYPE_F16 && mask->nb[0] == sizeof(ggml_fp16_t) && mask->ne[2] == 1));
}

bool Attention::work_size(int threads, const ggml_tensor * attention, size_t & bytes) {
    const Work work(gemm, *attention, nullptr, 0, threads);
    // What ggml's own needs where it takes over: its tiles of 64 queries and 64 keys, and a result for each head and thread.
    const int64_t tile = 64, widths = work.width + work.value_width;
    const size_t tiles = sizeof(float) * (2 * tile * widths + 2 * tile * tile) + LINE_BYTES;
    const size_t heads =
        sizeof(float) * (work.kv_heads * work.shared * (2 + work.value_width) + 2 * widths) + LINE_BYTES;
    bytes = 2 * LINE_BYTES + threads * std::max({work.own_bytes(), tiles, heads});
    return true;
}

bool Attention::compute_forward(ggml_compute_params * params, ggml_tensor * attention) {
    const Work work(gemm, *attention, params->wdata, params->ith, params->nth);
    if (params->ith == 0) {
        *work.unfinished = 0;
        backend.chunk_set(params->threadpool, params->nth);
    }
    backend.barrier(params->threadpool);
    if (!is_finite(*attention->src[1], params->ith, params->nth) ||
        !is_finite(*attention->src[2], params->ith, params->nth)) {
        *work.unfinished = 1;
    }
    backend.barrier(params->threadpool);
    const bool finite = !*work.unfinished;
    for (int64_t i = params->ith; finite && i < work.units; i = backend.chunk_add(params->threadpool, 1)) {
        unit(work, *attention, i);
    }
    if (!finite) {
        backend.barrier(params->threadpool); // ggml's own uses this memory from here on
    }
    return finite;
}

void Attention::unit(const Work & work, ggml_tensor & attention, int64_t unit) const {
    const int64_t block = unit % work.blocks, kv_head = unit / work.blocks % work.kv_heads,
                  batch = unit / work.blocks / work.kv_heads;
    pack_keys(work, *attention.src[1], kv_head, batch);
    pack_values(work, *attention.src[2], kv_head, batch);
    const int64_t last = std::min(work.rows, (block + 1) * work.block_rows);
    for (int64_t first = block * work.block_rows; first < last; first += TILE_COLUMNS) {
        tile(work, attention, first, std::min<int64_t>(TILE_COLUMNS, last - first), kv_head, batch);
    }
}

void Attention::pack_keys(const Work & work, const ggml_tensor & k, int64_t head, int64_t batch) const {
    float * const floats = work.floats();
    std::fill(floats, floats + ROWS * work.depth, 0.0f);
    for (int64_t first = 0; first < work.keys; first += ROWS) {
        const int64_t count = std::min<int64_t>(ROWS, work.keys - first);
        for (int64_t i = 0; i < count; i++) {
            backend.half_to_float(row(k, first + i, head, batch), floats + i * work.depth, work.width);
        }
        gemm.pack_rows(floats, work.depth, work.key_panels() + first / ROWS * gemm.part_bytes(work.depth), nullptr);
    }
}

// Block by block: the panels of a block's keys follow each other.
void Attention::pack_values(const Work & work, const ggml_tensor & v, int64_t head, int64_t batch) const {
    float * const floats = work.floats();
    for (int64_t first = 0; first < work.keys; first += KEYS_AT_ONCE) {
        const int64_t count = std::min(KEYS_AT_ONCE, work.keys - first), depth = round_up(count, DEPTH_STEP);
        for (int64_t i = 0; i < count; i++) {
            backend.half_to_float(row(v, first + i, head, batch), floats + i * work.value_width, work.value_width);
        }
        std::fill(floats + count * work.value_width, floats + depth * work.value_width, 0.0f);
        char * const panels = work.value_panels() + gemm.part_bytes(first) * work.value_width / ROWS;
        for (int64_t d = 0; d < work.value_width; d += ROWS) {
            gemm.pack_values(floats + d, work.value_width, depth, panels + d / ROWS * gemm.part_bytes(depth));
        }
    }
}

// Rows first .. first + count - 1 of the heads that share these keys: row i is query i % queries of head i / queries.
void Attention::tile(const Work & work, ggml_tensor & attention, int64_t first, int64_t count, int64_t kv_head,
                     int64_t batch) const {
    const ggml_tensor & q = *attention.src[0];
    const ggml_tensor * const mask = attention.src[3];
    const float scale = parameter(attention, 0);
    const float * columns[TILE_COLUMNS] = {};
    const ggml_fp16_t * masks[TILE_COLUMNS] = {};
    for (int64_t c = 0; c < count; c++) {
        const int64_t query = (first + c) % work.queries, head = kv_head * work.shared + (first + c) / work.queries;
        columns[c] = (const float *) row(q, query, head, batch);
        masks[c] = mask ? (const ggml_fp16_t *) row(*mask, query, 0, batch % mask->ne[3]) : nullptr;
    }
    const auto pack = [&](int64_t length, int64_t depth, char * groups) {
        gemm.pack_columns(columns, length, depth, groups);
        gemm.pack_columns(columns + GROUP_COLUMNS, length, depth, groups + gemm.group_bytes(depth));
    };
    pack(work.width, work.depth, work.query_groups());

    float largest[TILE_COLUMNS], sums[TILE_COLUMNS] = {};
    std::fill(largest, largest + TILE_COLUMNS, MASKED);
    std::memset(work.result(), 0, work.result_bytes);
    for (int64_t key = 0; key < work.keys; key += KEYS_AT_ONCE) {
        const int64_t keys = std::min(KEYS_AT_ONCE, work.keys - key), depth = round_up(keys, DEPTH_STEP);
        const auto sees_none = [&](const ggml_fp16_t * masks_of_keys) {
            return std::all_of(masks_of_keys + key, masks_of_keys + key + keys,
                               [](ggml_fp16_t half) { return half == 0xFC00; });
        };
        if (mask && std::all_of(masks, masks + count, sees_none)) {
            continue;
        }
        gemm.multiply(work.key_panels() + key / ROWS * gemm.part_bytes(work.depth), gemm.part_bytes(work.depth),
                      (keys + ROWS - 1) / ROWS, 1, work.query_groups(), work.depth, work.scores(), KEYS_AT_ONCE);
        for (int64_t c = 0; c < TILE_COLUMNS; c++) {
            float * const scores = work.scores() + c * KEYS_AT_ONCE;
            columns[c] = scores;
            if (masks[c]) {
                backend.half_to_float(masks[c] + key, work.mask(), keys);
            }
            const float before = largest[c];
            const float sum = gemm.exponentials(scores, keys, scale, masks[c] ? work.mask() : nullptr, largest[c]);
            const float factor = before == largest[c] ? 1 : std::exp(before - largest[c]);
            sums[c] = sums[c] * factor + sum;
            float * const result = work.result() + c * work.value_width;
            for (int64_t d = 0; factor != 1 && d < work.value_width; d++) {
                result[d] *= factor;
            }
        }
        pack(keys, depth, work.weights());
        gemm.multiply(work.value_panels() + gemm.part_bytes(key) * work.value_width / ROWS, gemm.part_bytes(depth),
                      work.value_width / ROWS, 1, work.weights(), depth, work.part(), work.value_width);
        for (int64_t i = 0; i < TILE_COLUMNS * work.value_width; i++) {
            work.result()[i] += work.part()[i];
        }
    }
    for (int64_t c = 0; c < count; c++) {
        const int64_t query = (first + c) % work.queries, head = kv_head * work.shared + (first + c) / work.queries;
        const auto out = (float *) row(attention, head, query, batch);
        const float * const result = work.result() + c * work.value_width;
        const float share = sums[c] == 0 ? 0 : 1 / sums[c];
        for (int64_t d = 0; d < work.value_width; d++) {
            out[d] = result[d] * share;
        }
    }
}

} // namespace luq::kernels
