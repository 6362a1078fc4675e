// Speed of whole matrix products as ggml's CPU backend runs them, threads, quantization of activations and barriers
// included: weights in our panels against the layout that ggml itself would choose. The two take turns; the best round
// of each counts. Arguments: threads, seconds per comparison, layout (fast or compact), instruction set.
#include "panel_buffers.h"
#include "weights.h"

#include "ggml-backend-impl.h"
#include "ggml-cpu.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <vector>

using namespace luq::kernels;

namespace {

using Clock = std::chrono::steady_clock;

// One product, its operands in their buffers.
struct Product {
    std::unique_ptr<ggml_context, decltype(&ggml_free)> context;
    std::vector<ggml_backend_buffer_t> buffers;
    ggml_tensor * weights;
    ggml_tensor * product;
    ggml_cgraph * graph;
    double best = 1e9; // seconds

    Product(ggml_backend_buffer_type_t type, ggml_type weight_type, int64_t columns, int64_t rows, int64_t count)
        : context(ggml_init({16 * ggml_tensor_overhead() + ggml_graph_overhead(), nullptr, true}), ggml_free) {
        weights = ggml_new_tensor_2d(context.get(), weight_type, columns, rows);
        ggml_tensor * activations = ggml_new_tensor_2d(context.get(), GGML_TYPE_F32, columns, count);
        product = ggml_mul_mat(context.get(), weights, activations);
        place(weights, type);
        place(activations, ggml_backend_cpu_buffer_type());
        place(product, ggml_backend_cpu_buffer_type());
        fill(activations);
        graph = ggml_new_graph(context.get());
        ggml_build_forward_expand(graph, product);
    }

    ~Product() {
        for (ggml_backend_buffer_t buffer : buffers) {
            ggml_backend_buffer_free(buffer);
        }
    }

    void place(ggml_tensor * tensor, ggml_backend_buffer_type_t type) {
        buffers.push_back(ggml_backend_buft_alloc_buffer(type, ggml_backend_buft_get_alloc_size(type, tensor)));
        ggml_backend_tensor_alloc(buffers.back(), tensor, ggml_backend_buffer_get_base(buffers.back()));
    }

    static void fill(ggml_tensor * activations) {
        std::mt19937 random(2);
        std::vector<float> values(ggml_nelements(activations));
        for (float & value : values) {
            value = std::normal_distribution<float>()(random);
        }
        ggml_backend_tensor_set(activations, values.data(), 0, values.size() * sizeof(float));
    }

    void run(ggml_backend_t backend) {
        const auto start = Clock::now();
        ggml_backend_graph_compute(backend, graph);
        best = std::min(best, std::chrono::duration<double>(Clock::now() - start).count());
    }
};

// The first of the CPU's own buffer types that would hold this weight, as llama.cpp chooses.
ggml_backend_buffer_type_t
stock_choice(ggml_backend_buffer_type_t * extra, ggml_type type, int64_t columns, int64_t rows) {
    for (extra++; *extra; extra++) { // ours comes first
        Product probe(ggml_backend_cpu_buffer_type(), type, columns, rows, 1);
        ggml_backend_buffer_t empty = ggml_backend_buft_alloc_buffer(*extra, 0);
        probe.weights->buffer = empty;
        const bool taken = ggml_backend_dev_supports_op((*extra)->device, probe.product);
        ggml_backend_buffer_free(empty);
        if (taken) {
            return *extra;
        }
    }
    return ggml_backend_cpu_buffer_type();
}

} // namespace

int main(int argc, char ** argv) {
    const int threads = argc > 1 ? std::atoi(argv[1]) : 1;
    const double seconds = argc > 2 ? std::atof(argv[2]) : 1;
    const char * layout_name = argc > 3 ? argv[3] : "fast";
    const Layout layout = std::strcmp(layout_name, "compact") == 0 ? Layout::COMPACT : Layout::FAST;
    if (layout == Layout::FAST && std::strcmp(layout_name, "fast") != 0) {
        std::fprintf(stderr, "unknown layout '%s': take fast or compact\n", layout_name);
        return EXIT_FAILURE;
    }
    const std::string set = enable(layout, argc > 4 ? argv[4] : nullptr, threads);
    const auto device = ggml_backend_dev_by_type(GGML_BACKEND_DEVICE_TYPE_CPU);
    const auto extra_types = (ggml_backend_dev_get_extra_bufts_t) ggml_backend_reg_get_proc_address(
        ggml_backend_dev_backend_reg(device), "ggml_backend_dev_get_extra_bufts");
    ggml_backend_t backend = ggml_backend_cpu_init();
    ggml_backend_cpu_set_n_threads(backend, threads);

    const int64_t columns = 3584, rows = 18944; // Qwen2.5-7B's ffn_up
    std::printf("%lld x %lld times n columns, %d threads, %s, %s\n", (long long) rows, (long long) columns, threads,
                layout_name, set.c_str());
    for (ggml_type type :
         {GGML_TYPE_IQ1_M, GGML_TYPE_Q2_K, GGML_TYPE_Q3_K, GGML_TYPE_Q4_K, GGML_TYPE_Q5_K, GGML_TYPE_Q6_K,
          GGML_TYPE_IQ2_XXS, GGML_TYPE_IQ2_S, GGML_TYPE_IQ3_XXS, GGML_TYPE_IQ3_S, GGML_TYPE_IQ4_XS}) {
        if (!weight_type(type, layout)) {
            continue;
        }
        const ggml_backend_buffer_type_t stock_type = stock_choice(extra_types(device), type, columns, rows);
        std::vector<uint8_t> file(ggml_row_size(type, columns) * rows);
        std::mt19937_64 random(1);
        for (size_t i = 0; i + 8 <= file.size(); i += 8) {
            const uint64_t bits = random() & 0xBFBFBFBFBFBFBFBF; // no half float is infinite or no number
            __builtin_memcpy(&file[i], &bits, 8);
        }
        for (int count : {1, 2, 4, 8, 32, 128, 512}) {
            Product ours(extra_types(device)[0], type, columns, rows, count),
                stock(stock_type, type, columns, rows, count);
            ggml_backend_tensor_set(ours.weights, file.data(), 0, file.size());
            ggml_backend_tensor_set(stock.weights, file.data(), 0, file.size());
            const auto end = Clock::now() + std::chrono::duration<double>(seconds);
            for (int round = 0; round < 3 || Clock::now() < end; round++) {
                ours.run(backend);
                stock.run(backend);
            }
            const double work = 1e-9 * rows * columns * count;
            std::printf("%-6s n=%-4d ours %8.1f   %-10s %8.1f G products/s   %5.2f x\n", ggml_type_name(type), count,
                        work / ours.best, ggml_backend_buft_name(stock_type), work / stock.best,
                        stock.best / ours.best);
        }
    }
    ggml_backend_free(backend);
}
