#include "attention.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstring>
#include <functional>
#include <limits>

namespace luq::kernels {
namespace {

// Fewer queries are not worth packing keys for.
constexpr int64_t FEWEST_QUERIES = 32;

// Keys that are packed at a time, with their values: for a block of rows, which then see them tile by tile.
constexpr int64_t KEYS_AT_ONCE = 512;

// Values that are floats at a time while they are packed: a multiple of every Gemm's block.
constexpr int64_t VALUES_AT_ONCE = 128;

// Rows of a block: at least, where no thread would be idle otherwise, so that packing is shared, and at most, so that what
// is kept of them is bounded.
constexpr int64_t FEWEST_ROWS = 256, MOST_ROWS = 2048;

constexpr int16_t INFINITE = 0x7C00; // the bits of a half; larger ones are no numbers

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

// The bits of the largest size, whose order is that of sizes.
int16_t largest_bits(const ggml_fp16_t * halves, int64_t count) {
    int16_t largest = 0;
    for (int64_t i = 0; i < count; i++) {
        largest = std::max<int16_t>(largest, halves[i] & 0x7FFF);
    }
    return largest;
}

bool is_finite(const ggml_tensor & halves, int thread, int threads) {
    const int64_t rows = ggml_nrows(&halves);
    for (int64_t r = rows * thread / threads; r < rows * (thread + 1) / threads; r++) {
        const int64_t i1 = r % halves.ne[1], i2 = r / halves.ne[1] % halves.ne[2], i3 = r / halves.ne[1] / halves.ne[2];
        if (largest_bits((const ggml_fp16_t *) row(halves, i1, i2, i3), halves.ne[0]) >= INFINITE) {
            return false;
        }
    }
    return true;
}

} // namespace

// A query of one head, and what came of the keys before.
struct Attention::Row {
    const float * query;
    const ggml_fp16_t * mask; // null: it sees all keys
    float * out;
    float largest, sum; // exponent, and of all exponentials below that

    bool sees(int64_t key, int64_t keys) const {
        return !mask || std::any_of(mask + key, mask + key + keys, [](ggml_fp16_t half) { return half != 0xFC00; });
    }
};

// What is common to the units of an attention, and where a thread keeps what it works on. A unit is a block of the queries
// of all heads that share keys and values.
struct Attention::Work {
    int64_t width, depth, value_width, keys, queries, shared, rows, blocks, block_rows, kv_heads, units;
    size_t float_bytes, key_bytes, value_bytes, size_bytes, row_bytes, query_bytes, result_bytes, score_bytes,
        mask_bytes, weight_bytes;
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
        const int64_t heads = kv_heads * q.ne[3], busy = parts(threads, heads), even = parts(2 * threads, heads);
        blocks = std::max(
            {std::min(busy, parts(rows, TILE_COLUMNS)), std::min(even, rows / FEWEST_ROWS), parts(rows, MOST_ROWS)});
        block_rows = round_up(parts(rows, blocks), TILE_COLUMNS);
        blocks = parts(rows, block_rows);
        units = blocks * heads;
        float_bytes = sizeof(float) * std::max(ROWS * depth, value_width * VALUES_AT_ONCE);
        key_bytes = gemm.part_bytes(depth) * KEYS_AT_ONCE / ROWS;
        value_bytes = gemm.part_bytes(KEYS_AT_ONCE) * value_width / ROWS;
        size_bytes = sizeof(float) * KEYS_AT_ONCE;
        row_bytes = round_up(sizeof(Row) * block_rows, LINE_BYTES);
        query_bytes = gemm.group_bytes(depth) * block_rows / GROUP_COLUMNS;
        result_bytes = sizeof(float) * value_width * block_rows;
        score_bytes = sizeof(float) * TILE_COLUMNS * KEYS_AT_ONCE;
        mask_bytes = sizeof(float) * KEYS_AT_ONCE;
        weight_bytes = 2 * gemm.group_bytes(KEYS_AT_ONCE);
        // In numbers: where there is no memory yet, only the sizes are asked for.
        const int64_t start = round_up((int64_t) memory, LINE_BYTES);
        unfinished = (std::atomic<int> *) start;
        own = (char *) (start + LINE_BYTES + thread * own_bytes());
    }

    static int64_t parts(int64_t whole, int64_t part) { return (whole + part - 1) / part; }

    size_t own_bytes() const {
        return round_up(float_bytes + key_bytes + value_bytes + size_bytes + row_bytes + query_bytes + result_bytes +
                            score_bytes + mask_bytes + weight_bytes + sizeof(float) * TILE_COLUMNS * value_width,
                        LINE_BYTES);
    }
    float * floats() const { return (float *) own; }
    char * key_panels() const { return own + float_bytes; }
    char * value_panels() const { return key_panels() + key_bytes; }
    float * sizes() const { return (float *) (value_panels() + value_bytes); }
    Row * row(int64_t i) const { return (Row *) ((char *) sizes() + size_bytes) + i; }
    // Of the tile that begins with row i.
    char * query_groups(int64_t i) const { return (char *) row(0) + row_bytes + query_bytes / block_rows * i; }
    float * results(int64_t i) const { return (float *) (query_groups(0) + query_bytes) + value_width * i; }
    float * scores() const { return (float *) ((char *) results(0) + result_bytes); }
    float * mask() const { return (float *) ((char *) scores() + score_bytes); }
    char * weights() const { return (char *) mask() + mask_bytes; }
    float * part() const { return (float *) (weights() + weight_bytes); }
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
    const int64_t first = block * work.block_rows, count = std::min(work.block_rows, work.rows - first);
    begin(work, attention, first, count, kv_head, batch);
    for (int64_t key = 0; key < work.keys; key += KEYS_AT_ONCE) {
        const int64_t keys = std::min(KEYS_AT_ONCE, work.keys - key);
        bool packed = false;
        for (int64_t i = 0; i < count; i += TILE_COLUMNS) {
            const int64_t rows = std::min<int64_t>(TILE_COLUMNS, count - i);
            if (std::none_of(work.row(i), work.row(i + rows), [&](const Row & r) { return r.sees(key, keys); })) {
                continue;
            }
            if (!packed) {
                pack_keys(work, *attention.src[1], key, keys, kv_head, batch);
                pack_values(work, *attention.src[2], key, keys, kv_head, batch);
                packed = true;
            }
            tile(work, i, rows, key, keys, parameter(attention, 0));
        }
    }
    for (int64_t i = 0; i < count; i++) {
        const Row row = *work.row(i);
        const float share = 1 / row.sum;
        std::transform(work.results(i), work.results(i) + work.value_width, row.out,
                       [=](float x) { return row.sum == 0 ? 0 : x * share; });
    }
}

// Rows first .. first + count - 1 of the heads that share these keys: row i is query i % queries of head i / queries.
void Attention::begin(const Work & work, ggml_tensor & attention, int64_t first, int64_t count, int64_t kv_head,
                      int64_t batch) const {
    const ggml_tensor & q = *attention.src[0];
    const ggml_tensor * const mask = attention.src[3];
    for (int64_t i = 0; i < count; i++) {
        const int64_t query = (first + i) % work.queries, head = kv_head * work.shared + (first + i) / work.queries;
        *work.row(i) = {(const float *) row(q, query, head, batch),
                        mask ? (const ggml_fp16_t *) row(*mask, query, 0, batch % mask->ne[3]) : nullptr,
                        (float *) row(attention, head, query, batch), MASKED, 0};
    }
    for (int64_t i = 0; i < count; i += TILE_COLUMNS) {
        const float * columns[TILE_COLUMNS] = {};
        std::transform(work.row(i), work.row(std::min(i + TILE_COLUMNS, count)), columns,
                       [](const Row & r) { return r.query; });
        pack_tile(columns, work.width, work.depth, work.query_groups(i));
    }
}

void Attention::pack_tile(const float * const * columns, int64_t length, int64_t depth, char * groups) const {
    gemm.pack_columns(columns, length, depth, groups);
    gemm.pack_columns(columns + GROUP_COLUMNS, length, depth, groups + gemm.group_bytes(depth));
}

void Attention::pack_keys(const Work & work, const ggml_tensor & k, int64_t key, int64_t keys, int64_t head,
                          int64_t batch) const {
    float * const floats = work.floats();
    std::fill(floats, floats + ROWS * work.depth, 0.0f);
    for (int64_t first = 0; first < keys; first += ROWS) {
        for (int64_t i = 0; i < std::min<int64_t>(ROWS, keys - first); i++) {
            backend.half_to_float(row(k, key + first + i, head, batch), floats + i * work.depth, work.width);
        }
        gemm.pack_rows(floats, work.depth, work.key_panels() + first / ROWS * gemm.part_bytes(work.depth), nullptr);
    }
}

// Where values share a step, each is divided by its size, which then counts with its weight: one that a query does not see
// has no part in what the others are rounded to.
void Attention::pack_values(const Work & work, const ggml_tensor & v, int64_t key, int64_t keys, int64_t head,
                            int64_t batch) const {
    const int64_t depth = round_up(keys, DEPTH_STEP);
    for (int64_t first = 0; first < depth; first += VALUES_AT_ONCE) {
        const int64_t count = std::min(VALUES_AT_ONCE, depth - first);
        for (int64_t i = 0; i < count; i++) {
            float * const value = work.floats() + i * work.value_width;
            if (first + i >= keys) {
                std::fill(value, value + work.value_width, 0.0f);
                continue;
            }
            const auto halves = (const ggml_fp16_t *) row(v, key + first + i, head, batch);
            backend.half_to_float(halves, value, work.value_width);
            if (gemm.block) {
                const int16_t bits = largest_bits(halves, work.value_width);
                const float size = bits ? ggml_fp16_to_fp32(bits) : 1;
                work.sizes()[first + i] = size;
                std::transform(value, value + work.value_width, value, [=](float x) { return x * (1 / size); });
            }
        }
        for (int64_t d = 0; d < work.value_width; d += ROWS) {
            gemm.pack_values(work.floats() + d, work.value_width, count,
                             work.value_panels() + d / ROWS * gemm.part_bytes(depth) + gemm.part_bytes(first));
        }
    }
}

// What rows first .. first + count - 1 of the unit see of the keys that are packed.
void Attention::tile(const Work & work, int64_t first, int64_t count, int64_t key, int64_t keys, float scale) const {
    const int64_t depth = round_up(keys, DEPTH_STEP);
    gemm.multiply(work.key_panels(), gemm.part_bytes(work.depth), (keys + ROWS - 1) / ROWS, 1, work.query_groups(first),
                  work.depth, work.scores(), KEYS_AT_ONCE);
    const float * columns[TILE_COLUMNS] = {};
    const bool begun = std::any_of(work.row(first), work.row(first + count), [](const Row & r) { return r.sum != 0; });
    float * const results = work.results(first);
    for (int64_t c = 0; c < count; c++) {
        Row & row = *work.row(first + c);
        float * const scores = work.scores() + c * KEYS_AT_ONCE;
        columns[c] = scores;
        if (row.mask) {
            backend.half_to_float(row.mask + key, work.mask(), keys);
        }
        const float before = row.largest;
        const float sum = gemm.exponentials(scores, keys, scale, row.mask ? work.mask() : nullptr, row.largest);
        const float factor = before == row.largest ? 1 : std::exp(before - row.largest);
        row.sum = row.sum * factor + sum;
        if (gemm.block) {
            std::transform(scores, scores + keys, work.sizes(), scores, std::multiplies<float>());
        }
        for (int64_t d = 0; begun && factor != 1 && d < work.value_width; d++) {
            results[c * work.value_width + d] *= factor;
        }
    }
    pack_tile(columns, keys, depth, work.weights());
    gemm.multiply(work.value_panels(), gemm.part_bytes(depth), work.value_width / ROWS, 1, work.weights(), depth,
                  begun ? work.part() : results, work.value_width);
    if (begun) {
        std::transform(results, results + count * work.value_width, work.part(), results, std::plus<float>());
    }
}

} // namespace luq::kernels
