// AMX with BF16: a tile of 16 columns times one of 16 rows, 32 deep, in one instruction.
#include "gemm_avx512.h"

#include <algorithm>
#include <cstring>
#include <sys/syscall.h>
#include <unistd.h>

namespace luq::kernels {
namespace {

constexpr int ARCH_REQ_XCOMP_PERM = 0x1023, XFEATURE_XTILEDATA = 18;
constexpr int64_t TILE_BYTES = 1024;

// Linux lets a process use tiles once it asked.
bool available() {
    static const bool granted =
        __builtin_cpu_supports("amx-bf16") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512bf16") && syscall(SYS_arch_prctl, ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA) == 0;
    return granted;
}

struct alignas(64) TileConfig {
    uint8_t palette = 1, start_row = 0, reserved[14] = {};
    uint16_t column_bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
    uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
};

// Our tiles while it lives, then those of others: llama.cpp configures a thread's tiles once. Ours stay where there were none:
// to load them takes as long as a small product.
class Tiles {
  public:
    Tiles() {
        asm volatile("sttilecfg %0" : "=m"(before));
        if (others()) {
            asm volatile("ldtilecfg %0" : : "m"(OURS));
        }
    }
    ~Tiles() {
        if (before.palette && others()) {
            asm volatile("ldtilecfg %0" : : "m"(before));
        }
    }
    Tiles(const Tiles &) = delete;

  private:
    static const TileConfig OURS;
    TileConfig before;

    bool others() const { return std::memcmp(&before, &OURS, sizeof(before)) != 0; }
};

const TileConfig Tiles::OURS;

// A group as tiles: [depth / 32][column][32].
void pack_columns(const float * const * columns, int64_t length, int64_t depth, void * group) {
    for (int c = 0; c < GROUP_COLUMNS; c++) {
        auto to = (uint8_t *) group + c * 64;
        for (int64_t k = 0; k < depth; k += DEPTH_STEP, to += TILE_BYTES) {
            _mm512_store_si512(
                to, join(to_bf16(floats_at(columns[c], k, length)), to_bf16(floats_at(columns[c], k + 16, length))));
        }
    }
}

// Two groups times two panels.
void square(const uint8_t * panel, int64_t panel_bytes, int parts, const uint8_t * group, int64_t group_bytes,
            const uint8_t * next, int64_t next_step, float * out, int64_t stride) {
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
    for (int64_t at = 0; at < group_bytes; at += TILE_BYTES, next += next_step) {
        for (int64_t line = 0; line < next_step; line += LINE_BYTES) {
            _mm_prefetch(next + line, _MM_HINT_T1);
        }
        _tile_loadd(4, group + at, 64);
        _tile_loadd(5, group + group_bytes + at, 64);
        for (int part = 0; part < parts; part++) {
            const uint8_t * weights = panel + part * group_bytes + at;
            _tile_loadd(6, weights, 64);
            _tile_loadd(7, weights + panel_bytes, 64);
            _tile_dpbf16ps(0, 4, 6);
            _tile_dpbf16ps(1, 4, 7);
            _tile_dpbf16ps(2, 5, 6);
            _tile_dpbf16ps(3, 5, 7);
        }
    }
    const int64_t bytes = stride * sizeof(float);
    _tile_stored(0, out, bytes);
    _tile_stored(1, out + ROWS, bytes);
    _tile_stored(2, out + GROUP_COLUMNS * stride, bytes);
    _tile_stored(3, out + GROUP_COLUMNS * stride + ROWS, bytes);
}

void single(const uint8_t * panel, int parts, const uint8_t * group, int64_t group_bytes, float * out, int64_t stride) {
    _tile_zero(0);
    _tile_zero(2);
    for (int64_t at = 0; at < group_bytes; at += TILE_BYTES) {
        _tile_loadd(4, group + at, 64);
        _tile_loadd(5, group + group_bytes + at, 64);
        for (int part = 0; part < parts; part++) {
            _tile_loadd(6, panel + part * group_bytes + at, 64);
            _tile_dpbf16ps(0, 4, 6);
            _tile_dpbf16ps(2, 5, 6);
        }
    }
    _tile_stored(0, out, stride * sizeof(float));
    _tile_stored(2, out + GROUP_COLUMNS * stride, stride * sizeof(float));
}

void multiply(const void * panels, int64_t panel_bytes, int count, int parts, const void * groups, int64_t depth,
              float * out, int64_t stride) {
    const Tiles tiles;
    const int64_t group_bytes = GROUP_COLUMNS * depth * 2;
    auto panel = (const uint8_t *) panels;
    // Columns stream by from the third-level cache or from memory: each pair of panels asks for its share of the next ones.
    const int64_t share = (2 * group_bytes / std::max(1, count / 2) + TILE_BYTES - 1) / TILE_BYTES * TILE_BYTES;
    auto next = (const uint8_t *) groups + 2 * group_bytes;
    const int64_t next_step = (share / (group_bytes / TILE_BYTES) + LINE_BYTES - 1) / LINE_BYTES * LINE_BYTES;
    for (; count >= 2; count -= 2, panel += 2 * panel_bytes, next += share, out += 2 * ROWS) {
        square(panel, panel_bytes, parts, (const uint8_t *) groups, group_bytes, next, next_step, out, stride);
    }
    if (count) {
        single(panel, parts, (const uint8_t *) groups, group_bytes, out, stride);
    }
}

} // namespace

const Gemm GEMM_AMX_BF16 = {
    "gemm-amxbf16", available, 2, 2, pack_rows_bf16, pack_values_bf16, pack_columns, multiply, exponentials};

} // namespace luq::kernels
