// Speed of one matrix-vector product per weight type, on one core: ours on every instruction set against ggml's row dot
// product and ggml's own repacked layout, beside plain reading of the same memory. Prints the best of many rounds; the
// candidates take turns, so that noise meets all of them.
#include "kernels.h"
#include "weights.h"

#include "ggml-cpu.h"
#include "ggml-quants.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <random>
#include <string>
#include <sys/mman.h>
#include <vector>

using namespace luq::kernels;

namespace {

using Clock = std::chrono::steady_clock;

// Memory on 2 MiB pages, as the server's.
uint8_t * huge(size_t bytes) {
    const size_t page = 2 << 20, rounded = (bytes + 8192 + page - 1) / page * page;
    auto memory = static_cast<uint8_t *>(std::aligned_alloc(page, rounded));
    if (!memory) {
        std::fprintf(stderr, "out of memory: %zu MiB\n", rounded >> 20);
        std::exit(1);
    }
    madvise(memory, rounded, MADV_HUGEPAGE);
    return memory;
}

struct Candidate {
    std::string name;
    size_t bytes; // read per round
    std::function<void()> round;
    double best = 1e9; // seconds
};

void measure(std::vector<Candidate> & candidates, double seconds) {
    const auto end = Clock::now() + std::chrono::duration<double>(seconds);
    for (int round = 0; round < 3 || Clock::now() < end; round++) {
        for (Candidate & candidate : candidates) {
            const auto start = Clock::now();
            candidate.round();
            candidate.best = std::min(candidate.best, std::chrono::duration<double>(Clock::now() - start).count());
        }
    }
}

volatile uint64_t sink;

void read_all(const uint8_t * memory, size_t bytes) {
    uint64_t sums[8] = {};
    for (size_t i = 0; i + 64 <= bytes; i += 64) {
        __builtin_prefetch(memory + i + 4096);
        for (int j = 0; j < 8; j++) {
            uint64_t word;
            __builtin_memcpy(&word, memory + i + 8 * j, 8);
            sums[j] ^= word;
        }
    }
    for (uint64_t sum : sums) {
        sink = sink ^ sum;
    }
}

void bench(const WeightType & weights, int64_t rows, int64_t columns, const char * where, double seconds) {
    const ggml_type type = weights.type;
    const int64_t superblocks = columns / SUPERBLOCK;
    const size_t row_bytes = superblocks * weights.block_bytes,
                 panel_bytes = weights.panel_bytes(columns) * rows / ROWS;
    uint8_t * file = huge(rows * row_bytes);
    std::mt19937_64 random(1);
    for (size_t i = 0; i + 8 <= rows * row_bytes; i += 8) {
        const uint64_t bits = random() & 0xBFBFBFBFBFBFBFBF; // no half float is infinite or no number
        __builtin_memcpy(file + i, &bits, 8);
    }
    uint8_t * panels = huge(panel_bytes);
    weights.pack(file, panels, columns, 0, rows / ROWS);

    std::vector<float> values(columns), out(rows);
    for (float & value : values) {
        value = std::normal_distribution<float>()(random);
    }
    const auto & traits = *ggml_get_type_traits_cpu(type);
    const auto quantize = ggml_get_type_traits_cpu(GGML_TYPE_Q8_K)->from_float;
    std::vector<ActivationBlock> activations(superblocks);
    quantize_activations(values.data(), superblocks, weights, quantize, activations.data());
    std::vector<uint8_t> q8_k(ggml_row_size(GGML_TYPE_Q8_K, columns));
    quantize(values.data(), q8_k.data(), columns);

    std::vector<Candidate> candidates;
    candidates.push_back({"reading", panel_bytes, [&] { read_all(panels, panel_bytes); }});
    candidates.push_back({"ggml", rows * row_bytes, [&] {
        for (int64_t row = 0; row < rows; row++) {
            traits.vec_dot(columns, &out[row], 0, file + row * row_bytes, 0, q8_k.data(), 0, 1);
        }
    }});
    for (auto set = INSTRUCTION_SETS; *set; set++) {
        if ((*set)->available() && *set != &SCALAR) {
            const Multiply multiply = ((*set)->*weights.kernels).multiply;
            candidates.push_back({(*set)->name, panel_bytes, [&, multiply] {
                multiply(panels, rows / ROWS, superblocks, activations.data(), 1, out.data(), rows);
            }});
        }
    }
    measure(candidates, seconds);
    for (const Candidate & candidate : candidates) {
        std::printf("%-7s %-7s %-6s %-11s %7.2f G weights/s %7.2f GB/s %6.2f x ggml\n", ggml_type_name(type),
                    weights.fast ? "" : "compact", where, candidate.name.c_str(), rows * columns / candidate.best / 1e9,
                    candidate.bytes / candidate.best / 1e9, candidates[1].best / candidate.best);
    }
    std::free(file);
    std::free(panels);
}

} // namespace

int main(int argc, char ** argv) {
    const double seconds = argc > 1 ? std::atof(argv[1]) : 2;
    ggml_cpu_init();
    std::printf("one core, matrix-vector product, best round; in cache: 256 x 2048, from memory: 32768 x 8192\n");
    const auto both = [&](const WeightType & weights) {
        bench(weights, 256, 2048, "cache", seconds / 4);
        bench(weights, 32768, 8192, "memory", seconds);
    };
    both(*weight_type(GGML_TYPE_IQ1_M, Layout::COMPACT));
    for (ggml_type type :
         {GGML_TYPE_IQ1_M, GGML_TYPE_Q2_K, GGML_TYPE_Q3_K, GGML_TYPE_Q4_K, GGML_TYPE_Q5_K, GGML_TYPE_Q6_K,
          GGML_TYPE_IQ2_XXS, GGML_TYPE_IQ2_S, GGML_TYPE_IQ3_XXS, GGML_TYPE_IQ3_S, GGML_TYPE_IQ4_XS}) {
        both(*weight_type(type, Layout::FAST));
    }
}
