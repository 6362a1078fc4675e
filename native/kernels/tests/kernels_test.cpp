// The kernels against ggml's own results. Prints what failed; exit status 0 if nothing did. With the argument "compact"
// only that layout within ggml: a process can have one. With "trials" the trials of all kernels and what follows.
#include "file_pages.h"
#include "llama_layouts.h"
#include "trials.h"

#include "ggml-alloc.h"
#include "ggml-backend-impl.h"
#include "ggml-cpu.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <sys/mman.h>
#include <unistd.h>
#include <vector>

using namespace luq::kernels;

namespace {

const ggml_type TYPES[] = {
    GGML_TYPE_IQ1_M,   GGML_TYPE_Q2_K,   GGML_TYPE_Q3_K,  GGML_TYPE_Q4_K,    GGML_TYPE_Q5_K,  GGML_TYPE_Q6_K,
    GGML_TYPE_IQ2_XXS, GGML_TYPE_IQ2_XS, GGML_TYPE_IQ2_S, GGML_TYPE_IQ3_XXS, GGML_TYPE_IQ3_S, GGML_TYPE_IQ4_XS};

// Every kind of panels, once.
std::vector<const WeightType *> weight_types() {
    std::vector<const WeightType *> types;
    for (ggml_type type : TYPES) {
        types.push_back(weight_type(type, Layout::FAST));
        const WeightType * compact = weight_type(type, Layout::COMPACT);
        if (compact && compact != types.back()) {
            types.push_back(compact);
        }
    }
    return types;
}

int failures;

void check(bool good, const std::string & what) {
    if (!good) {
        std::printf("FAILED: %s\n", what.c_str());
        failures++;
    }
}

using Bytes = std::vector<uint8_t>;
std::mt19937_64 generator(7);

// --- weights as a file holds them -----------------------------------------------------------------------------------

// The kinds of blocks that arithmetic may stumble over: every bit pattern is a valid block as long as the half floats
// are finite.
enum class Content { RANDOM, ZEROS, ONES, TINY_FACTORS, LARGEST_FACTORS };
const Content CONTENTS[] = {
    Content::RANDOM, Content::ZEROS, Content::ONES, Content::TINY_FACTORS, Content::LARGEST_FACTORS};

void set_half(uint8_t * block, ggml_type type, int which, uint16_t bits) {
    if (type == GGML_TYPE_IQ1_M) {
        for (int i = 0; i < 4; i++) { // four bits of d at the top of each 16-bit word of scales, which end the block
            uint8_t & top = block[48 + 2 * i + 1];
            top = (top & 0x0F) | (bits >> 4 * i & 15) << 4;
        }
    } else {
        const bool minima = type == GGML_TYPE_Q2_K || type == GGML_TYPE_Q4_K || type == GGML_TYPE_Q5_K;
        const int first = type == GGML_TYPE_Q2_K ? 80 : type == GGML_TYPE_Q3_K ? 108 : type == GGML_TYPE_Q6_K ? 208 : 0;
        std::memcpy(block + first + (minima ? 2 * which : 0), &bits, 2);
    }
}

Bytes weights_of(ggml_type type, Content content, int64_t blocks) {
    const size_t size = ggml_type_size(type);
    Bytes bytes(blocks * size);
    for (uint8_t & byte : bytes) {
        byte = content == Content::ZEROS ? 0 : content == Content::ONES ? 0xFF : generator();
    }
    for (int64_t b = 0; b < blocks; b++) {
        for (int which = 0; which < 2; which++) {
            const uint16_t sign = generator() & 0x8000, fraction = generator() & 0x03FF;
            const uint16_t half =
                content == Content::TINY_FACTORS      ? sign | fraction // subnormal
                : content == Content::LARGEST_FACTORS ? sign | 0x7BFF
                : content == Content::ZEROS           ? 0
                                                      : sign | 0x2C00 | fraction; // about 0.1
            set_half(bytes.data() + b * size, type, which, half);
        }
    }
    return bytes;
}

std::vector<float> activations_of(int64_t count, bool sparse) {
    std::vector<float> values(count);
    std::normal_distribution<float> normal;
    for (int64_t i = 0; i < count; i++) {
        // A superblock of zeros, and one that is a single spike, happen behind an activation function.
        values[i] = sparse && i / 256 % 3 == 1 ? 0 : sparse && i % 256 != 17 ? 0 : normal(generator);
    }
    return values;
}

// What a result may differ by: 1e-5 of the sum of the sizes of its products, and the rounding of ggml's own sums, where
// parts as large as the row's largest weight cancel to a small one.
std::vector<float> tolerances(ggml_type type, const Bytes & file, int64_t rows, int64_t columns, const float * values) {
    std::vector<float> result(rows), weights(columns);
    for (int64_t row = 0; row < rows; row++) {
        ggml_get_type_traits(type)->to_float(file.data() + row * ggml_row_size(type, columns), weights.data(), columns);
        double sum = 0, largest = 0, activations = 0;
        for (int64_t i = 0; i < columns; i++) {
            sum += std::fabs((double) weights[i] * values[i]);
            largest = std::max(largest, std::fabs((double) weights[i]));
            activations += std::fabs((double) values[i]);
        }
        result[row] = 1e-5 * sum + 1e-7 * largest * activations + 1e-30;
    }
    return result;
}

// --- one instruction set ----------------------------------------------------------------------------------------

std::string name(const InstructionSet & set, const WeightType & weights) {
    return std::string(set.name) + " " + ggml_type_name(weights.type) + (weights.fast ? "" : " compact");
}

void multiplies_like_ggml(const InstructionSet & set, const WeightType & weights, Content content, int64_t rows,
                          int64_t columns, int64_t count, bool sparse) {
    const ggml_type type = weights.type;
    const int64_t superblocks = columns / SUPERBLOCK;
    const Bytes file = weights_of(type, content, rows * superblocks);
    Bytes panels(weights.panel_bytes(columns) * rows / ROWS);
    weights.pack(file.data(), panels.data(), columns, 0, rows / ROWS);

    const auto quantize = ggml_get_type_traits_cpu(GGML_TYPE_Q8_K)->from_float;
    const std::vector<float> values = activations_of(columns * count, sparse);
    std::vector<ActivationBlock> activations(superblocks * count);
    quantize_activations(values.data(), superblocks * count, weights, quantize, activations.data());
    const int64_t stride = rows + 3; // of a result that lies in a larger one
    std::vector<float> out(stride * count, 42);
    (set.*weights.kernels)
        .multiply(panels.data(), rows / ROWS, superblocks, activations.data(), count, out.data(), stride);

    Bytes q8_k(ggml_row_size(GGML_TYPE_Q8_K, columns));
    double worst = 0;
    bool inside = true;
    for (int64_t c = 0; c < count; c++) {
        quantize(values.data() + c * columns, q8_k.data(), columns);
        const auto allowed = tolerances(type, file, rows, columns, values.data() + c * columns);
        for (int64_t row = 0; row < rows; row++) {
            float expected;
            ggml_get_type_traits_cpu(type)->vec_dot(
                columns, &expected, 0, file.data() + row * ggml_row_size(type, columns), 0, q8_k.data(), 0, 1);
            const double error = std::fabs(out[c * stride + row] - expected) / allowed[row];
            worst = error > worst || std::isnan(error) ? error : worst;
        }
        inside = inside && out[c * stride + rows] == 42;
    }
    const std::string what =
        name(set, weights) + " content " + std::to_string((int) content) + " of " + std::to_string(rows) + " x " +
        std::to_string(columns) + ", " + std::to_string(count) + " columns";
    check(worst <= 1, what + ": off by " + std::to_string(worst) + " times what is allowed");
    check(inside, what + ": wrote behind the last row");
}

// A column of activations with a single 1 picks one weight of each row: it must be the file's.
void weights_are_the_files(const InstructionSet & set, const WeightType & weights) {
    const ggml_type type = weights.type;
    const Bytes file = weights_of(type, Content::RANDOM, ROWS);
    Bytes panels(weights.panel_bytes(SUPERBLOCK));
    weights.pack(file.data(), panels.data(), SUPERBLOCK, 0, 1);
    std::vector<float> expected(ROWS * SUPERBLOCK), out(ROWS);
    ggml_get_type_traits(type)->to_float(file.data(), expected.data(), ROWS * SUPERBLOCK);
    for (int column = 0; column < SUPERBLOCK; column++) {
        ActivationBlock one{};
        one.d = 1;
        one.q[column] = 1;
        int16_t sums[SUPERBLOCK / GROUP] = {};
        sums[column / GROUP] = 1;
        weights.correct(one.q, sums, one.correction);
        (set.*weights.kernels).multiply(panels.data(), 1, 1, &one, 1, out.data(), ROWS);
        for (int row = 0; row < ROWS; row++) {
            const float weight = expected[row * SUPERBLOCK + column];
            check(std::fabs(out[row] - weight) <= 2e-6 * (std::fabs(weight) + 1),
                  name(set, weights) + ": weight " + std::to_string(row) + ", " + std::to_string(column) + " is " +
                      std::to_string(out[row]) + ", not " + std::to_string(weight));
        }
    }
}

// Panels unpacked are the file's weights, whatever the instruction set.
void panels_are_unpacked(const InstructionSet & set, const WeightType & weights) {
    for (Content content : CONTENTS) {
        const Bytes file = weights_of(weights.type, content, ROWS);
        std::vector<uint8_t> panel(weights.panel_bytes(SUPERBLOCK));
        weights.pack(file.data(), panel.data(), SUPERBLOCK, 0, 1);
        std::vector<float> unpacked(ROWS * SUPERBLOCK), row(SUPERBLOCK);
        (set.*weights.kernels).unpack(panel.data(), units_of(weights).data(), unpacked.data());
        double worst = 0;
        for (int r = 0; r < ROWS; r++) {
            ggml_get_type_traits(weights.type)->to_float(&file[r * weights.block_bytes], row.data(), SUPERBLOCK);
            const float largest = std::fabs(*std::max_element(row.begin(), row.end(), [](float a, float b) {
                return std::fabs(a) < std::fabs(b);
            }));
            for (int i = 0; i < SUPERBLOCK; i++) {
                const double error = std::fabs(unpacked[i * ROWS + r] - row[i]) / (1e-6 * largest + 1e-30);
                worst = error > worst || std::isnan(error) ? error : worst;
            }
        }
        check(worst <= 1, std::string(set.name) + " unpacks " + ggml_type_name(weights.type) + " wrong: off by " +
                              std::to_string(worst));
    }
}

void kernels() {
    for (auto set = INSTRUCTION_SETS; *set; set++) {
        if (!(*set)->available()) {
            std::printf("not tested, this CPU lacks it: %s\n", (*set)->name);
            continue;
        }
        for (const WeightType * weights : weight_types()) {
            weights_are_the_files(**set, *weights);
            panels_are_unpacked(**set, *weights);
            for (Content content : CONTENTS) {
                multiplies_like_ggml(**set, *weights, content, 32, 512, 3, false);
                multiplies_like_ggml(**set, *weights, content, 16, 768, 1, true);
            }
            for (int64_t count : {1, 2, 4, 5, 7, 8, 15, 33}) {
                multiplies_like_ggml(**set, *weights, Content::RANDOM, 48, 1792, count, false);
            }
        }
        std::printf("tested: %s\n", (*set)->name);
    }
    try {
        instruction_set("mmx");
        check(false, "an instruction set of that name should not exist");
    } catch (const std::invalid_argument & e) {
        check(std::strstr(e.what(), "scalar"), std::string("the error should name what there is: ") + e.what());
    }
}

// --- within ggml -----------------------------------------------------------------------------------------------

struct Graph {
    std::unique_ptr<ggml_context, decltype(&ggml_free)> context{
        ggml_init({64 * ggml_tensor_overhead() + ggml_graph_overhead(), nullptr, true}), ggml_free};
    ggml_tensor * weights;
    ggml_tensor * columns;
    ggml_tensor * product;

    Graph(ggml_type type, int64_t ne0, int64_t rows, ggml_type column_type, int64_t ne1, int64_t ne2) {
        weights = ggml_new_tensor_2d(context.get(), type, ne0, rows);
        columns = ggml_new_tensor_3d(context.get(), column_type, ne0, ne1, ne2);
        product = ggml_mul_mat(context.get(), weights, columns);
    }
};

using Buffer = std::unique_ptr<ggml_backend_buffer, decltype(&ggml_backend_buffer_free)>;

Buffer place(ggml_tensor * tensor, ggml_backend_buffer_type_t type) {
    Buffer buffer(ggml_backend_buft_alloc_buffer(type, ggml_backend_buft_get_alloc_size(type, tensor)),
                  ggml_backend_buffer_free);
    ggml_backend_tensor_alloc(buffer.get(), tensor, ggml_backend_buffer_get_base(buffer.get()));
    return buffer;
}

// kernels: that must compute it, not llama.cpp's.
std::vector<float> compute(ggml_backend_buffer_type_t type, const Graph & graph, const Bytes & file,
                           const std::vector<float> & values, int threads,
                           ggml::cpu::extra_buffer_type * kernels = nullptr) {
    const Buffer buffers[] = {place(graph.weights, type), place(graph.columns, ggml_backend_cpu_buffer_type()),
                              place(graph.product, ggml_backend_cpu_buffer_type())};
    check(!kernels || kernels->get_tensor_traits(graph.product), "a product is left to llama.cpp");
    ggml_backend_tensor_set(graph.weights, file.data(), 0, file.size());
    ggml_backend_tensor_set(graph.columns, values.data(), 0, values.size() * sizeof(float));
    ggml_cgraph * nodes = ggml_new_graph(graph.context.get());
    ggml_build_forward_expand(nodes, graph.product);
    const std::unique_ptr<ggml_backend, decltype(&ggml_backend_free)> backend(
        ggml_backend_cpu_init(), ggml_backend_free);
    ggml_backend_cpu_set_n_threads(backend.get(), threads);
    check(ggml_backend_graph_compute(backend.get(), nodes) == GGML_STATUS_SUCCESS, "the graph was not computed");
    std::vector<float> result(ggml_nelements(graph.product));
    ggml_backend_tensor_get(graph.product, result.data(), 0, result.size() * sizeof(float));
    return result;
}

void graph_gives_what_stock_gives(ggml_backend_buffer_type_t panels, ggml_type type, int threads, int64_t ne1,
                                  int64_t ne2) {
    const int64_t columns = 768, rows = 144;
    const Bytes file = weights_of(type, Content::RANDOM, rows * columns / SUPERBLOCK);
    const std::vector<float> values = activations_of(columns * ne1 * ne2, false);
    const auto ours = compute(panels, Graph(type, columns, rows, GGML_TYPE_F32, ne1, ne2), file, values, threads);
    const auto stock = compute(
        ggml_backend_cpu_buffer_type(), Graph(type, columns, rows, GGML_TYPE_F32, ne1, ne2), file, values, threads);
    double worst = 0;
    for (int64_t c = 0; c < ne1 * ne2; c++) {
        const auto allowed = tolerances(type, file, rows, columns, values.data() + c * columns);
        for (int64_t row = 0; row < rows; row++) {
            const double error = std::fabs(ours[c * rows + row] - stock[c * rows + row]) / allowed[row];
            worst = error > worst || std::isnan(error) ? error : worst;
        }
    }
    check(worst <= 1,
          std::string("graph with ") + ggml_type_name(type) + ", " + std::to_string(threads) + " threads, " +
              std::to_string(ne1) + " x " + std::to_string(ne2) + " columns: off by " + std::to_string(worst));
}

// What the loader asks: would the device compute this operation with the weights in that buffer type?
bool taken(ggml_backend_buffer_type_t type, Graph && graph, ggml_tensor * op) {
    const Buffer empty(ggml_backend_buft_alloc_buffer(type, 0), ggml_backend_buffer_free);
    graph.weights->buffer = empty.get();
    return ggml_backend_dev_supports_op(type->device, op);
}

bool taken(ggml_backend_buffer_type_t type, Graph && graph) {
    ggml_tensor * product = graph.product;
    return taken(type, std::move(graph), product);
}

// --- many columns ----------------------------------------------------------------------------------------------------

// By how much a GEMM may miss a product, as a part of the sum of its parts' sizes: where it rounds to bf16, by 2^-8 of a
// weight and of an activation; where values are multiples of 1/4064 of their block's largest, by a few of these.
double tolerance_of(const Gemm & gemm) { return gemm.parts == 2 ? 2.0 / 256 : gemm.block ? 4.0 / 4064 : 1e-5; }

// The weights' products as plain C++ sums them.
void is_the_product(const std::string & what, const std::vector<float> & result, ggml_type type, const Bytes & file,
                    const std::vector<float> & values, int64_t ne0, int64_t rows, double tolerance) {
    std::vector<float> weights(ne0 * rows);
    for (int64_t row = 0; row < rows; row++) {
        ggml_get_type_traits(type)->to_float(file.data() + row * ggml_row_size(type, ne0), &weights[row * ne0], ne0);
    }
    double worst = 0;
    for (size_t c = 0; c < values.size() / ne0; c++) {
        for (int64_t row = 0; row < rows; row++) {
            double sum = 0, sizes = 0;
            for (int64_t i = 0; i < ne0; i++) {
                const double product = (double) weights[row * ne0 + i] * values[c * ne0 + i];
                sum += product;
                sizes += std::fabs(product);
            }
            const double error = std::fabs(result[c * rows + row] - sum) / (tolerance * sizes + 1e-30);
            worst = error > worst || std::isnan(error) ? error : worst;
        }
    }
    check(worst <= 1, what + ": off by " + std::to_string(worst));
}

Bytes file_of(ggml_type type, int64_t ne0, int64_t rows) {
    if (type != GGML_TYPE_F16 && type != GGML_TYPE_BF16 && type != GGML_TYPE_Q8_0) {
        return weights_of(type, Content::RANDOM, rows * ne0 / SUPERBLOCK);
    }
    const std::vector<float> weights = activations_of(ne0 * rows, false);
    Bytes file(ggml_row_size(type, ne0) * rows);
    ggml_quantize_chunk(type, weights.data(), file.data(), 0, rows, ne0, nullptr);
    return file;
}

// As ggml computes a convolution: patches of halves times weights of halves.
void halves_are_columns_too(const Gemm & gemm, PlainOperations & operations, int threads) {
    const int64_t ne0 = 147, rows = 90, columns = 40;
    const Bytes file = file_of(GGML_TYPE_F16, ne0, rows);
    const Bytes halves = file_of(GGML_TYPE_F16, ne0, columns);
    std::vector<float> values(ne0 * columns);
    ggml_fp16_to_fp32_row((const ggml_fp16_t *) halves.data(), values.data(), values.size());
    const Graph graph(GGML_TYPE_F16, ne0, rows, GGML_TYPE_F16, columns, 1);
    std::vector<float> as_they_lie((halves.size() + sizeof(float) - 1) / sizeof(float));
    std::memcpy(as_they_lie.data(), halves.data(), halves.size());
    const auto result = compute(ggml_backend_cpu_buffer_type(), graph, file, as_they_lie, threads, &operations);
    is_the_product(std::string(gemm.name) + " with columns of halves", result, GGML_TYPE_F16, file, values, ne0, rows,
                   tolerance_of(gemm));
}

// Of a column with an infinite value, or one that is no number, nothing may come out finite; of others everything.
void what_is_not_finite_stays(const Gemm & gemm, PlainOperations & operations) {
    const int64_t ne0 = 300, rows = 20, columns = 40;
    const Bytes file = file_of(GGML_TYPE_F16, ne0, rows);
    std::vector<float> values = activations_of(ne0 * columns, false);
    values[3 * ne0 + 7] = INFINITY;
    values[20 * ne0 + 299] = NAN;
    const Graph graph(GGML_TYPE_F16, ne0, rows, GGML_TYPE_F32, columns, 1);
    const auto result = compute(ggml_backend_cpu_buffer_type(), graph, file, values, 2, &operations);
    bool right = true;
    for (int64_t i = 0; i < rows * columns; i++) {
        right &= std::isfinite(result[i]) == (i / rows != 3 && i / rows != 20);
    }
    check(right, std::string(gemm.name) + ": what is not finite does not stay in its column");
}

// Slices of ENOUGH_COLUMNS and more are what the whole is, whatever their size.
void slices_are_the_whole(const Gemm & gemm, PlainOperations & operations, ggml_type type) {
    const int64_t ne0 = 512, rows = 48, columns = 300;
    const Bytes file = file_of(type, ne0, rows);
    const std::vector<float> values = activations_of(ne0 * columns, false);
    const auto slice = [&](int64_t first, int64_t count) {
        return compute(ggml_backend_cpu_buffer_type(), Graph(type, ne0, rows, GGML_TYPE_F32, count, 1), file,
                       {values.begin() + first * ne0, values.begin() + (first + count) * ne0}, 2, &operations);
    };
    const auto whole = slice(0, columns);
    auto together = slice(0, ENOUGH_COLUMNS);
    const auto rest = slice(ENOUGH_COLUMNS, columns - ENOUGH_COLUMNS);
    together.insert(together.end(), rest.begin(), rest.end());
    check(whole == together, std::string(gemm.name) + ": slices of " + ggml_type_name(type) + " are not the whole");
}

void many_columns() {
    const CpuBackend backend = CpuBackend::find();
    const auto plain = ggml_backend_cpu_buffer_type();
    for (auto gemm = GEMMS; *gemm; gemm++) {
        if (!(*gemm)->available()) {
            std::printf("not tested, this CPU lacks it: %s\n", (*gemm)->name);
            continue;
        }
        const auto compare = [&](ggml_backend_buffer_type_t buffers, ggml::cpu::extra_buffer_type & kernels,
                                 ggml_type type, int64_t ne0, int64_t rows, int64_t ne1, int64_t ne2, int threads) {
            const Bytes file = file_of(type, ne0, rows);
            const std::vector<float> values = activations_of(ne0 * ne1 * ne2, false);
            const auto result =
                compute(buffers, Graph(type, ne0, rows, GGML_TYPE_F32, ne1, ne2), file, values, threads, &kernels);
            is_the_product(std::string((*gemm)->name) + " with " + ggml_type_name(type) + " of " +
                               std::to_string(rows) + " x " + std::to_string(ne0) + ", " + std::to_string(ne1) + " x " +
                               std::to_string(ne2) + " columns, " + std::to_string(threads) + " threads",
                           result, type, file, values, ne0, rows, tolerance_of(**gemm));
        };
        Choice choice{};
        choice.many.fill({*gemm, FEWEST_COLUMNS});
        choice.sets.fill(&instruction_set(nullptr));
        {
            PlainOperations operations(backend, choice);
            operations.join();
            for (int threads : {1, 3}) {
                // Sizes of image encoders: no multiple of anything, and of all blocks.
                for (ggml_type type : {GGML_TYPE_F16, GGML_TYPE_BF16}) {
                    compare(plain, operations, type, 342, 150, 33, 1, threads);
                    compare(plain, operations, type, 588, 16, 64, 1, threads);
                    compare(plain, operations, type, 31, 5, 45, 3, threads);
                }
                for (ggml_type type : {GGML_TYPE_Q8_0, GGML_TYPE_Q4_K, GGML_TYPE_Q6_K, GGML_TYPE_IQ2_S}) {
                    compare(plain, operations, type, 768, 50, 47, 2, threads);
                }
                compare(plain, operations, GGML_TYPE_Q8_0, 352, 40, 32, 1, threads);
                halves_are_columns_too(**gemm, operations, threads);
                what_is_not_finite_stays(**gemm, operations);
                compare(plain, operations, GGML_TYPE_F16, 64, 700, 300, 1,
                        threads); // more rows than a thread unpacks at a time
            }
            operations.leave();
        }
        choice.many.fill({*gemm, ENOUGH_COLUMNS});
        {
            PlainOperations operations(backend, choice);
            operations.join();
            for (ggml_type type : {GGML_TYPE_F16, GGML_TYPE_BF16, GGML_TYPE_Q8_0}) {
                slices_are_the_whole(**gemm, operations, type);
            }
            operations.leave();
        }
        choice.many.fill({*gemm, FEWEST_COLUMNS});
        for (Layout layout : {Layout::FAST, Layout::COMPACT}) {
            PanelBuffers panels(backend, layout, choice, 1);
            panels.join();
            for (ggml_type type : TYPES) {
                if (weight_type(type, layout)) {
                    compare(panels.buffer_type(), panels, type, 512, 48, 40, 1, 2);
                }
            }
            panels.leave();
        }
        std::printf("tested: %s\n", (*gemm)->name);
    }
}

// What queries see of keys: all; those up to their own place, as in a prompt, and the first query nothing; then also a
// value that is no number, in a cell that nobody sees; or large values, in that cell and in one that the last query sees.
enum class Mask { NONE, CAUSAL, CAUSAL_WITH_NAN, CAUSAL_WITH_LARGE };

struct AttentionShape {
    int64_t width, queries, keys, heads, kv_heads, windows;
    Mask mask;
};

struct AttentionGraph {
    std::unique_ptr<ggml_context, decltype(&ggml_free)> context{
        ggml_init({16 * ggml_tensor_overhead() + ggml_graph_overhead(), nullptr, true}), ggml_free};
    ggml_tensor *q, *k, *v, *mask, *attention;
    ggml_cgraph * nodes;

    explicit AttentionGraph(const AttentionShape & s) {
        // As models have them: heads side by side, so that one head's rows lie apart.
        q = ggml_new_tensor_4d(context.get(), GGML_TYPE_F32, s.width, s.heads, s.queries, s.windows);
        k = ggml_new_tensor_4d(context.get(), GGML_TYPE_F16, s.width, s.keys, s.kv_heads, s.windows);
        v = ggml_new_tensor_4d(context.get(), GGML_TYPE_F16, s.width, s.keys, s.kv_heads, s.windows);
        mask = s.mask == Mask::NONE ? nullptr : ggml_new_tensor_2d(context.get(), GGML_TYPE_F16, s.keys, s.queries);
        attention = ggml_flash_attn_ext(context.get(), ggml_permute(context.get(), q, 0, 2, 1, 3), k, v, mask,
                                        1 / std::sqrt((float) s.width), 0, 0);
        nodes = ggml_new_graph(context.get());
        ggml_build_forward_expand(nodes, attention);
    }
};

std::vector<float> attention_of(const AttentionShape & s, int threads) {
    const AttentionGraph graph(s);
    ggml_tensor *q = graph.q, *k = graph.k, *v = graph.v, *mask = graph.mask, *attention = graph.attention;
    check(Attention::takes(*attention), "an attention is left to ggml");
    const Buffer buffer(ggml_backend_alloc_ctx_tensors_from_buft(graph.context.get(), ggml_backend_cpu_buffer_type()),
                        ggml_backend_buffer_free);
    std::mt19937 random(s.width + s.queries + s.keys);
    std::normal_distribution<float> normal;
    for (ggml_tensor * operand : {q, k, v}) {
        std::vector<float> values(ggml_nelements(operand));
        std::generate(values.begin(), values.end(), [&] { return normal(random); });
        if (operand == v && s.mask == Mask::CAUSAL_WITH_NAN) {
            values[s.width * (s.keys - 1)] = NAN;
        }
        if (operand == v && s.mask == Mask::CAUSAL_WITH_LARGE) {
            std::fill_n(&values[s.width * (s.keys - 2)], 2 * s.width, 60000);
        }
        std::vector<ggml_fp16_t> halves(values.size());
        ggml_fp32_to_fp16_row(values.data(), halves.data(), halves.size());
        ggml_backend_tensor_set(
            operand, operand == q ? (const void *) values.data() : halves.data(), 0, ggml_nbytes(operand));
    }
    if (mask) {
        std::vector<ggml_fp16_t> cells(s.keys * s.queries);
        for (int64_t i = 0; i < (int64_t) cells.size(); i++) {
            const int64_t query = i / s.keys, key = i % s.keys;
            cells[i] = ggml_fp32_to_fp16(query > 0 && key < s.keys - s.queries + query ? 0 : -INFINITY);
        }
        ggml_backend_tensor_set(mask, cells.data(), 0, ggml_nbytes(mask));
    }
    const std::unique_ptr<ggml_backend, decltype(&ggml_backend_free)> backend(
        ggml_backend_cpu_init(), ggml_backend_free);
    ggml_backend_cpu_set_n_threads(backend.get(), threads);
    check(ggml_backend_graph_compute(backend.get(), graph.nodes) == GGML_STATUS_SUCCESS, "attention was not computed");
    std::vector<float> result(ggml_nelements(attention));
    ggml_backend_tensor_get(attention, result.data(), 0, result.size() * sizeof(float));
    return result;
}

// Calls a test with each Gemm of this CPU, while that computes attention.
template <typename F> void with_attention_of_each_gemm(const F & test) {
    const CpuBackend backend = CpuBackend::find();
    for (auto gemm = GEMMS; *gemm; gemm++) {
        if (!(*gemm)->available()) {
            continue;
        }
        Choice choice{};
        choice.many[GGML_TYPE_F16] = {*gemm, FEWEST_COLUMNS};
        PlainOperations operations(backend, choice);
        operations.join();
        test(**gemm);
        operations.leave();
    }
}

void attention_of_many_queries() {
    for (const AttentionShape & s :
         {AttentionShape{80, 64, 64, 2, 2, 3, Mask::NONE},
          {80, 40, 40, 2, 2, 1, Mask::NONE},
          {64, 577, 577, 2, 2, 1, Mask::NONE},
          {128, 70, 1100, 4, 2, 1, Mask::NONE},
          {32, 2100, 33, 1, 1, 1, Mask::NONE},
          {128, 70, 1100, 6, 2, 1, Mask::CAUSAL},
          {64, 600, 601, 2, 1, 1, Mask::CAUSAL},
          {64, 40, 256, 4, 2, 1, Mask::CAUSAL_WITH_NAN},
          {64, 40, 256, 1, 1, 1, Mask::CAUSAL_WITH_LARGE},
          {64, 90, 1100, 2, 1, 1, Mask::CAUSAL_WITH_LARGE}}) {
        const auto stock = attention_of(s, 2);
        with_attention_of_each_gemm([&](const Gemm & gemm) {
            for (int threads : {1, 3, 8}) {
                const auto ours = attention_of(s, threads);
                double worst = 0;
                for (size_t i = 0; i < ours.size(); i++) {
                    const double error = std::fabs(ours[i] - stock[i]) / std::max(1.0f, std::fabs(stock[i]));
                    worst = error > worst || std::isnan(error) ? error : worst;
                }
                // Most values are about 1; ggml keeps sums in half floats where queries are few.
                check(worst <= (gemm.parts == 2 ? 0.02 : 0.005),
                      std::string(gemm.name) + ": attention of " + std::to_string(s.queries) + " queries and " +
                          std::to_string(s.keys) + " keys is off by " + std::to_string(worst));
            }
        });
    }
}

// However many keys there are; and few rows of few heads are dealt out among threads, so that each has less to keep.
void attention_has_a_bounded_memory() {
    const auto work = [](const AttentionShape & s, int threads) {
        const AttentionGraph graph(s);
        return ggml_graph_plan(graph.nodes, threads, nullptr).work_size;
    };
    with_attention_of_each_gemm([&](const Gemm & gemm) {
        const std::string name = gemm.name;
        const AttentionShape prompt{128, 512, 1024, 32, 8, 1, Mask::NONE};
        AttentionShape longer = prompt, picture{80, 20000, 20000, 16, 16, 1, Mask::NONE};
        longer.keys = 131072;
        check(work(longer, 32) == work(prompt, 32), name + ": memory of attention grows with the keys");
        check(work(prompt, 32) < 64 << 20, name + ": attention takes " + std::to_string(work(prompt, 32)));
        check(work(picture, 4) < 12 << 20, name + ": attention takes " + std::to_string(work(picture, 4)));
        const AttentionShape few{128, 60, 4096, 4, 1, 1, Mask::NONE};
        check(work(few, 8) < 8 * work(few, 1) * 9 / 10, name + ": a thread has the rows of all");
    });
}

void within_ggml(Layout layout) {
    const std::string set = enable(layout, nullptr, 2);
    check(set.rfind(instruction_set(nullptr).name, 0) == 0, "the fastest instruction set is not the one in use");
    const auto device = ggml_backend_dev_by_type(GGML_BACKEND_DEVICE_TYPE_CPU);
    const auto extra = (ggml_backend_dev_get_extra_bufts_t) ggml_backend_reg_get_proc_address(
        ggml_backend_dev_backend_reg(device), "ggml_backend_dev_get_extra_bufts");
    ggml_backend_buffer_type_t panels = extra(device)[0];
    check(std::strcmp(ggml_backend_buft_name(panels), "LUQ_PANELS") == 0, "panels are not the CPU's first choice");

    for (ggml_type type : TYPES) {
        if (!weight_type(type, layout)) {
            check(!taken(panels, Graph(type, 768, 144, GGML_TYPE_F32, 5, 1)), "a type that is left to ggml is taken");
            continue;
        }
        check(taken(panels, Graph(type, 768, 144, GGML_TYPE_F32, 5, 1)), "whole panels are refused");
        check(!taken(panels, Graph(type, 768, 150, GGML_TYPE_F32, 5, 1)), "150 rows are no whole panels");
        check(!taken(panels, Graph(type, 768, 144, GGML_TYPE_F16, 5, 1)), "columns of half floats are taken");
        Graph lookup(type, 768, 144, GGML_TYPE_F32, 5, 1);
        ggml_tensor * rows = ggml_get_rows(
            lookup.context.get(), lookup.weights, ggml_new_tensor_1d(lookup.context.get(), GGML_TYPE_I32, 4));
        check(!taken(panels, std::move(lookup), rows), "rows cannot be looked up in panels");
        for (int threads : {1, 2, 3}) {
            graph_gives_what_stock_gives(panels, type, threads, 1, 1);
            graph_gives_what_stock_gives(panels, type, threads, 7, 3);
            graph_gives_what_stock_gives(panels, type, threads, 150, 1);
        }
    }
    check(!taken(panels, Graph(GGML_TYPE_Q8_0, 768, 144, GGML_TYPE_F32, 5, 1)), "a type without panels is taken");
    try {
        enable(layout, nullptr, 2);
        check(false, "the kernels were enabled twice");
    } catch (const std::logic_error &) {
    }
}

// Of a backend that could not get the memory for a graph the next one is computed all the same.
void work_that_does_not_fit_is_an_error() {
    const std::unique_ptr<ggml_backend, decltype(&ggml_backend_free)> backend(
        ggml_backend_cpu_init(), ggml_backend_free);
    const auto status = [&](int64_t columns) {
        const Graph graph(GGML_TYPE_Q8_0, 32, 1, GGML_TYPE_F32, 1, 1);
        const Buffer buffers[] = {
            place(graph.weights, ggml_backend_cpu_buffer_type()), place(graph.columns, ggml_backend_cpu_buffer_type()),
            place(graph.product, ggml_backend_cpu_buffer_type())};
        graph.columns->ne[1] = graph.product->ne[1] = columns;
        ggml_cgraph * nodes = ggml_new_graph(graph.context.get());
        ggml_build_forward_expand(nodes, graph.product);
        return ggml_backend_graph_compute(backend.get(), nodes);
    };
    for (int64_t columns : {(int64_t) 1, (int64_t) 1 << 45, (int64_t) 1}) {
        check(status(columns) == (columns == 1 ? GGML_STATUS_SUCCESS : GGML_STATUS_ALLOC_FAILED),
              "a product of " + std::to_string(columns) + " columns ended otherwise");
    }
}

// --- trials ------------------------------------------------------------------------------------------------------

void every_kernel_of_this_cpu_is_right() {
    const CpuBackend backend = CpuBackend::find();
    bool ours = false, rows = false;
    for (const Trial & trial : trials(backend)) {
        const Verdict verdict = run(backend, trial);
        std::printf("%-8s %-15s %-8s error %8.1e  %8.1f %8.1f G products/s\n", ggml_type_name(trial.type),
                    trial.set.c_str(), trial.layouts(), verdict.error, verdict.one, verdict.many);
        check(verdict.error <= 1, std::string(ggml_type_name(trial.type)) + " is not right with " + trial.set);
        ours = ours || trial.panels;
        rows = rows || trial.set == ROWS_NAME;
    }
    check(ours == (&instruction_set(nullptr) != &SCALAR) && rows, "kernels are missing in the trials");
}

// The rest of this process has no layout of llama.cpp's but for one type.
void layouts_are_left_out() {
    const CpuBackend backend = CpuBackend::find();
    for (ggml_backend_buffer_type_t layout : backend.extra_buffer_types()) {
        restrict_layout(ggml_backend_buft_name(layout), {GGML_TYPE_Q4_0});
    }
    for (const Trial & trial : trials(backend)) {
        check(!trial.layout || trial.set == ROWS_NAME || trial.type == GGML_TYPE_Q4_0,
              trial.set + " is still used for " + ggml_type_name(trial.type));
        if (trial.type == GGML_TYPE_Q4_0 && !trial.gemm) {
            check(run(backend, trial).error <= 1, "a restricted layout is not right: " + trial.set);
        }
    }
    try {
        restrict_layout("ABACUS", {});
        check(false, "a layout that does not exist was restricted");
    } catch (const std::invalid_argument &) {
    }
}

// A product of two matrices with columns of a type: heads of attention, where they serve six matrices, or experts, of which
// each of three tokens chose two.
std::vector<float> product_of_rows(ggml_type type, ggml_type column_type, bool experts) {
    const auto cpu = ggml_backend_cpu_buffer_type();
    const std::unique_ptr<ggml_context, decltype(&ggml_free)> context(
        ggml_init({16 * ggml_tensor_overhead() + ggml_graph_overhead(), nullptr, true}), ggml_free);
    ggml_tensor * weights = ggml_new_tensor_3d(context.get(), type, 256, 5, 2);
    ggml_tensor * columns = experts ? ggml_new_tensor_3d(context.get(), column_type, 256, 2, 3)
                                    : ggml_new_tensor_4d(context.get(), column_type, 256, 3, 6, 2);
    ggml_tensor * chosen = ggml_new_tensor_2d(context.get(), GGML_TYPE_I32, 2, 3);
    ggml_tensor * product = experts ? ggml_mul_mat_id(context.get(), weights, columns, chosen)
                                    : ggml_mul_mat(context.get(), weights, columns);
    const Buffer buffers[] = {place(weights, cpu), place(columns, cpu), place(chosen, cpu), place(product, cpu)};
    const int32_t choice[] = {0, 1, 1, 0, 0, 1};
    ggml_backend_tensor_set(chosen, choice, 0, sizeof choice);
    generator.seed(11);
    const std::vector<float> values = activations_of(std::max(ggml_nelements(columns), ggml_nelements(weights)), false);
    for (ggml_tensor * operand : {weights, columns}) {
        Bytes bytes(ggml_nbytes(operand));
        if (operand->type == GGML_TYPE_F32) {
            std::memcpy(bytes.data(), values.data(), bytes.size());
        } else {
            ggml_get_type_traits(operand->type)->from_float_ref(values.data(), bytes.data(), ggml_nelements(operand));
        }
        ggml_backend_tensor_set(operand, bytes.data(), 0, bytes.size());
    }
    ggml_cgraph * nodes = ggml_new_graph(context.get());
    ggml_build_forward_expand(nodes, product);
    const std::unique_ptr<ggml_backend, decltype(&ggml_backend_free)> backend(
        ggml_backend_cpu_init(), ggml_backend_free);
    ggml_backend_cpu_set_n_threads(backend.get(), 3);
    check(ggml_backend_graph_compute(backend.get(), nodes) == GGML_STATUS_SUCCESS, "the graph was not computed");
    std::vector<float> result(ggml_nelements(product));
    ggml_backend_tensor_get(product, result.data(), 0, ggml_nbytes(product));
    return result;
}

// Plain C++ in place of rows.
void rows_are_replaced() {
    struct {
        ggml_type type, columns;
        bool experts;
    } const products[] = {
        {GGML_TYPE_F32, GGML_TYPE_F32, false},  {GGML_TYPE_F16, GGML_TYPE_F32, false},
        {GGML_TYPE_Q8_0, GGML_TYPE_F32, false}, {GGML_TYPE_F16, GGML_TYPE_F16, false},
        {GGML_TYPE_Q8_0, GGML_TYPE_F32, true},  {GGML_TYPE_F16, GGML_TYPE_F32, true},
    };
    for (const auto & p : products) {
        restrict_layout(ROWS_NAME, {GGML_TYPE_F32, GGML_TYPE_F16, GGML_TYPE_Q8_0});
        const std::vector<float> stock = product_of_rows(p.type, p.columns, p.experts);
        restrict_layout(ROWS_NAME, {});
        const std::vector<float> plain = product_of_rows(p.type, p.columns, p.experts);
        bool same = true, equal = true;
        for (size_t i = 0; i < stock.size(); i++) {
            same = same && std::fabs(stock[i] - plain[i]) < 0.5; // activations of 8 bits against those of 32
            equal = equal && stock[i] == plain[i];
        }
        const std::string what = std::string("rows of ") + ggml_type_name(p.type) + " with columns of " +
                                 ggml_type_name(p.columns) + (p.experts ? ", of experts," : "");
        check(same, what + " are not right");
        check(!equal || p.type == GGML_TYPE_F32, what + " were not replaced");
    }
}

void choices_are_read() {
    const Choice choice = choice_of("iq1_m=scalar,q4_K=scalar");
    for (int type = 0; type < GGML_TYPE_COUNT; type++) {
        check(choice.sets[type] == (type == GGML_TYPE_IQ1_M || type == GGML_TYPE_Q4_K ? &SCALAR : nullptr),
              "the choice of two types is another one");
    }
    check(choice_of("scalar").sets[GGML_TYPE_Q6_K] == &SCALAR && !choice_of("").sets[GGML_TYPE_Q6_K],
          "one for all, none for any");
    const std::string gemm = (*GEMMS)->available() ? (*GEMMS)->name : "";
    if (!gemm.empty()) {
        const Choice many = choice_of(("f16*64=" + gemm + ",q4_K=scalar").c_str());
        check(many.many[GGML_TYPE_F16].gemm == *GEMMS && many.many[GGML_TYPE_F16].columns == 64 &&
                  !many.many[GGML_TYPE_Q4_K].gemm && many.sets[GGML_TYPE_Q4_K] == &SCALAR && !many.sets[GGML_TYPE_F16],
              "the choice for many columns is another one");
    }
    for (const char * wrong :
         {"f16*32=scalar", "f16*=gemm-mmx", "q4_K=gemm-avx2", "q4_K=mmx", "q9=scalar", "q4_K=scalar,q6_K", "mmx"}) {
        try {
            choice_of(wrong);
            check(false, std::string("taken for a choice: ") + wrong);
        } catch (const std::invalid_argument &) {
        }
    }
}

// --- pages -------------------------------------------------------------------------------------------------------

void only_file_pages_are_given_back() {
    const size_t pages = 1024, size = sysconf(_SC_PAGESIZE) * pages;
    std::vector<uint8_t> heap(size, 3);
    give_back_file_pages(heap.data(), size);
    check(heap[size / 2] == 3, "memory that maps no file was given back");

    std::FILE * file = std::tmpfile();
    if (!file) {
        check(false, "no temporary file");
        return;
    }
    check(std::fwrite(heap.data(), 1, size, file) == size && std::fflush(file) == 0, "it cannot be written");
    const auto map = [&] {
        return static_cast<uint8_t *>(mmap(nullptr, size, PROT_READ, MAP_SHARED | MAP_POPULATE, fileno(file), 0));
    };
    const auto resident = [] {
        long total = 0, count = 0;
        if (std::FILE * statm = std::fopen("/proc/self/statm", "r")) {
            check(std::fscanf(statm, "%ld %ld", &total, &count) == 2, "no statm");
            std::fclose(statm);
        }
        return count;
    };
    uint8_t * mapped = map();
    long before = resident();
    madvise(mapped, size, MADV_DONTNEED);
    const long nearly_all = pages - 24;                    // the count itself moves by a few
    const bool obeyed = before - resident() >= nearly_all; // not by QEMU's user mode
    munmap(mapped, size);

    mapped = map();
    before = resident();
    give_back_file_pages(mapped + 100, size - 200);
    if (obeyed) {
        check(before - resident() >= nearly_all, "the file's pages are still resident");
    } else {
        std::printf("not tested, this system keeps pages: that a file's pages are given back\n");
    }
    check(mapped[size / 2] == 3, "a page that was given back reads differently");
    munmap(mapped, size);
    std::fclose(file);
}

} // namespace

int main(int argc, char ** argv) {
    ggml_cpu_init();
    if (argc > 1 && std::strcmp(argv[1], "compact") == 0) {
        within_ggml(Layout::COMPACT);
    } else if (argc > 1 && std::strcmp(argv[1], "trials") == 0) {
        // Without a line for each weight that llama.cpp packs.
        ggml_log_set([](ggml_log_level, const char *, void *) {}, nullptr);
        choices_are_read();
        every_kernel_of_this_cpu_is_right();
        layouts_are_left_out();
        rows_are_replaced();
    } else {
        kernels();
        many_columns();
        attention_of_many_queries();
        attention_has_a_bounded_memory();
        work_that_does_not_fit_is_an_error();
        only_file_pages_are_given_back();
        within_ggml(Layout::FAST);
    }
    std::printf(failures ? "%d failures\n" : "all good\n", failures);
    return failures ? EXIT_FAILURE : EXIT_SUCCESS;
}
