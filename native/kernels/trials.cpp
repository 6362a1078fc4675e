#include "trials.h"

#include "llama_layouts.h"

#include "ggml-alloc.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <stdexcept>

namespace luq::kernels {
namespace {

constexpr int64_t ROW_COUNT = 128, COLUMN_COUNT = 2048; // 0.5 MB at 16 bits: within the second-level cache
constexpr int RUN = 32;                                 // activations that are quantized together at least
constexpr int REPEATED = 8;                             // products of one column in a graph, which costs time by itself
constexpr auto TIMED = std::chrono::milliseconds(3);

constexpr double ADDITIONS = 1e-5; // what their order may change, as a part of the sum of the sizes

using Clock = std::chrono::steady_clock;

// --- operands ------------------------------------------------------------------------------------------------------

bool needs_tables(ggml_type type) { // to be quantized: seconds
    switch (type) {
        case GGML_TYPE_IQ1_S:
        case GGML_TYPE_IQ1_M:
        case GGML_TYPE_IQ2_XXS:
        case GGML_TYPE_IQ2_XS:
        case GGML_TYPE_IQ2_S:
        case GGML_TYPE_IQ3_XXS:
        case GGML_TYPE_IQ3_S:
            return true;
        default:
            return false;
    }
}

// The factor of a block whose other bits may be any.
void set_factor(uint8_t * block, ggml_type type, uint16_t half) {
    if (type == GGML_TYPE_IQ1_M) {
        for (int i = 0; i < 4; i++) { // four bits at the top of each 16-bit word of scales, which end the block
            uint8_t & top = block[ggml_type_size(type) - 8 + 2 * i + 1];
            top = (top & 0x0F) | (half >> 4 * i & 15) << 4;
        }
    } else {
        std::memcpy(block, &half, sizeof half);
    }
}

// As a file holds them; of sizes about 1 to 30.
std::vector<uint8_t> weights_of(ggml_type type) {
    std::mt19937 random(type);
    std::vector<uint8_t> bytes(ggml_row_size(type, COLUMN_COUNT) * ROW_COUNT);
    if (needs_tables(type)) {
        std::generate(bytes.begin(), bytes.end(), [&] { return (uint8_t) (random() >> 8); });
        for (size_t block = 0; block < bytes.size(); block += ggml_type_size(type)) {
            set_factor(&bytes[block], type, (random() & 0x8000) | 0x3800 | (random() & 0x03FF)); // 0.5 to 1
        }
        return bytes;
    }
    std::normal_distribution<float> normal(1, 4);
    std::vector<float> row(COLUMN_COUNT);
    for (int64_t r = 0; r < ROW_COUNT; r++) {
        std::generate(row.begin(), row.end(), [&] { return normal(random); });
        uint8_t * to = &bytes[r * ggml_row_size(type, COLUMN_COUNT)];
        if (type == GGML_TYPE_F32) {
            std::memcpy(to, row.data(), sizeof(float) * COLUMN_COUNT);
        } else {
            ggml_get_type_traits(type)->from_float_ref(row.data(), to, COLUMN_COUNT);
        }
    }
    return bytes;
}

// Columns as real models have them: of common size; with outliers of thousands, whose sums no half float holds; a single
// spike; zeros. Their values are what ggml's quantization to 8 bits takes them to, so that a right product has hardly an
// error: whole numbers times a power of two, the largest of each run 127 times it.
std::vector<float> columns_of() {
    std::mt19937 random(1);
    std::vector<float> values(COLUMN_COUNT * MANY_COLUMNS);
    for (int c = 0; c < MANY_COLUMNS; c++) {
        const bool outliers = c % 2, spike = c == MANY_COLUMNS - 2, zeros = c == MANY_COLUMNS - 4;
        const int common = outliers ? 3 : 60;
        const float scale = outliers ? 32 : 1.0f / 32;
        for (int64_t i = 0; i < COLUMN_COUNT; i++) {
            float & value = values[c * COLUMN_COUNT + i];
            value = zeros || spike ? 0 : scale * ((int) (random() % (2 * common + 1)) - common);
        }
        for (int64_t i = 0; i < COLUMN_COUNT && !zeros && !spike; i += RUN) {
            values[c * COLUMN_COUNT + i + random() % RUN] = 127 * scale;
        }
        if (spike) {
            values[c * COLUMN_COUNT + COLUMN_COUNT / 2 + 17] = 127 * 32;
        }
    }
    return values;
}

// Of two errors; what is no number is infinite.
double larger(double worst, double error) {
    return std::max(worst, std::isfinite(error) ? error : std::numeric_limits<double>::infinity());
}

// Of a row.
float largest_of(const float * weights) {
    float most = 0;
    for (int64_t i = 0; i < COLUMN_COUNT; i++) {
        most = std::max(most, std::fabs(weights[i]));
    }
    return most;
}

// What products have to be, and by how much they may differ: [column * ROW_COUNT + row].
struct Reference {
    ggml_type type = GGML_TYPE_COUNT;
    std::vector<uint8_t> file;
    std::vector<float> columns;
    std::vector<double> products, allowed;
    std::vector<double> largest; // the row's largest weight with all activations of the column
    std::vector<float> weights;  // [row * COLUMN_COUNT + column]

    explicit Reference(ggml_type type) : type(type), file(weights_of(type)), columns(columns_of()) {
        products.resize(ROW_COUNT * MANY_COLUMNS);
        allowed.resize(ROW_COUNT * MANY_COLUMNS);
        largest.resize(ROW_COUNT * MANY_COLUMNS);
        weights.resize(ROW_COUNT * COLUMN_COUNT);
        for (int64_t r = 0; r < ROW_COUNT; r++) {
            float * const row = &weights[r * COLUMN_COUNT];
            const uint8_t * from = &file[r * ggml_row_size(type, COLUMN_COUNT)];
            if (type == GGML_TYPE_F32) {
                std::memcpy(row, from, sizeof(float) * COLUMN_COUNT);
            } else {
                ggml_get_type_traits(type)->to_float(from, row, COLUMN_COUNT);
            }
            const float most = largest_of(row);
            for (int64_t c = 0; c < MANY_COLUMNS; c++) {
                const float * column = &columns[c * COLUMN_COUNT];
                double sum = 0, sizes = 0, activations = 0;
                for (int64_t i = 0; i < COLUMN_COUNT; i++) {
                    const double product = (double) row[i] * column[i];
                    sum += product;
                    sizes += std::fabs(product);
                    activations += std::fabs((double) column[i]);
                }
                products[c * ROW_COUNT + r] = sum;
                // The order of additions, and parts as large as the row's largest weight that cancel to a small one.
                largest[c * ROW_COUNT + r] = most * activations;
                allowed[c * ROW_COUNT + r] = ADDITIONS * sizes + 1e-6 * most * activations + 1e-30;
            }
        }
    }

    // The largest error of columns first, first + 1 and so on, which begin anew after the last, as a part of what is
    // allowed. rounding: of weights, as a part of them, and step: as a part of the row's largest, are allowed besides.
    double error(const std::vector<float> & results, int64_t first, double rounding = 0, double step = 0) const {
        double worst = 0;
        for (size_t i = 0; i < results.size(); i++) {
            const size_t at = (first * ROW_COUNT + i) % products.size();
            const double tolerance = allowed[at] * (1 + rounding / ADDITIONS) + step * largest[at];
            const double error = std::fabs(results[i] - products[at]) / tolerance;
            worst = larger(worst, error);
        }
        return worst;
    }
};

const Reference & reference_of(ggml_type type) {
    static std::unique_ptr<Reference> last;
    if (!last || last->type != type) {
        last = std::make_unique<Reference>(type);
    }
    return *last;
}

// --- products within ggml ------------------------------------------------------------------------------------------

using Buffer = std::unique_ptr<ggml_backend_buffer, decltype(&ggml_backend_buffer_free)>;

struct Backend {
    ggml_backend_t backend;

    explicit Backend(ggml_backend_dev_t device) : backend(ggml_backend_dev_init(device, nullptr)) {
        if (!backend) {
            throw std::runtime_error("ggml's CPU backend does not start");
        }
        const auto set_threads = (ggml_backend_set_n_threads_t) ggml_backend_reg_get_proc_address(
            ggml_backend_dev_backend_reg(device), "ggml_backend_set_n_threads");
        set_threads(backend, 1);
    }
    ~Backend() { ggml_backend_free(backend); }
    Backend(const Backend &) = delete;
};

// The same weights times `count` columns, `repeated` times.
struct Product {
    std::unique_ptr<ggml_context, decltype(&ggml_free)> context;
    std::vector<Buffer> buffers;
    ggml_tensor * weights;
    ggml_tensor * columns;
    ggml_tensor * product;
    ggml_cgraph * graph;

    Product(ggml_type type, int64_t count, int repeated)
        : context(ggml_init({(size_t) (REPEATED + 4) * ggml_tensor_overhead() + ggml_graph_overhead(), nullptr, true}),
                  ggml_free) {
        weights = ggml_new_tensor_2d(context.get(), type, COLUMN_COUNT, ROW_COUNT);
        columns = ggml_new_tensor_2d(context.get(), GGML_TYPE_F32, COLUMN_COUNT, count);
        graph = ggml_new_graph(context.get());
        for (int i = 0; i < repeated; i++) {
            product = ggml_mul_mat(context.get(), weights, columns);
            ggml_build_forward_expand(graph, product);
        }
    }

    void place(ggml_tensor * tensor, ggml_backend_buffer_type_t type) {
        buffers.emplace_back(ggml_backend_buft_alloc_buffer(type, ggml_backend_buft_get_alloc_size(type, tensor)),
                             ggml_backend_buffer_free);
        if (!buffers.back()) {
            throw std::bad_alloc();
        }
        ggml_backend_tensor_alloc(buffers.back().get(), tensor, ggml_backend_buffer_get_base(buffers.back().get()));
    }

    void fill(ggml_backend_buffer_type_t layout, const Reference & reference) {
        const ggml_backend_buffer_type_t plain = ggml_backend_cpu_buffer_type();
        place(weights, layout ? layout : plain);
        place(columns, plain);
        for (int i = 0; i < ggml_graph_n_nodes(graph); i++) {
            place(ggml_graph_node(graph, i), plain);
        }
        ggml_backend_tensor_set(weights, reference.file.data(), 0, reference.file.size());
    }

    void take(const Reference & reference, int64_t first) const {
        for (int64_t c = 0; c < columns->ne[1]; c++) {
            ggml_backend_tensor_set(columns, &reference.columns[(first + c) % MANY_COLUMNS * COLUMN_COUNT],
                                    c * columns->nb[1], columns->nb[1]);
        }
    }

    void compute(const Backend & backend) const {
        if (ggml_backend_graph_compute(backend.backend, graph) != GGML_STATUS_SUCCESS) {
            throw std::runtime_error("ggml did not compute a product");
        }
    }

    std::vector<float> results() const {
        std::vector<float> values(ggml_nelements(product));
        ggml_backend_tensor_get(product, values.data(), 0, ggml_nbytes(product));
        return values;
    }

    // 10^9 products a second, the best of some milliseconds.
    double speed(const Backend & backend) const {
        double best = std::numeric_limits<double>::max();
        const auto end = Clock::now() + TIMED;
        for (int round = 0; round < 2 || Clock::now() < end; round++) {
            const auto start = Clock::now();
            compute(backend);
            best = std::min(best, std::chrono::duration<double>(Clock::now() - start).count());
        }
        return 1e-9 * ROW_COUNT * COLUMN_COUNT * columns->ne[1] * ggml_graph_n_nodes(graph) / best;
    }
};

// Would llama.cpp put such weights into this layout?
bool takes(ggml_backend_buffer_type_t layout, ggml_type type) {
    Product product(type, 1, 1);
    const Buffer empty(ggml_backend_buft_alloc_buffer(layout, 0), ggml_backend_buffer_free);
    product.weights->buffer = empty.get();
    return ggml_backend_dev_supports_op(layout->device, product.product);
}

Verdict measure(const Backend & backend, ggml_backend_buffer_type_t layout, const Reference & reference) {
    Verdict verdict{};
    Product one(reference.type, 1, REPEATED);
    one.fill(layout, reference);
    for (int64_t first : {0, 1}) {
        one.take(reference, first);
        one.compute(backend);
        verdict.error = std::max(verdict.error, reference.error(one.results(), first));
    }
    Product many(reference.type, MANY_COLUMNS, 1);
    many.fill(layout, reference);
    many.take(reference, 0);
    many.compute(backend);
    verdict.error = std::max(verdict.error, reference.error(many.results(), 0));
    verdict.one = one.speed(backend);
    verdict.many = many.speed(backend);
    return verdict;
}

// The error of panels as floats, which a GEMM takes, as a part of what is allowed.
double unpacking_error(const WeightType & type, const InstructionSet & set, const Reference & reference) {
    const size_t panel_bytes = type.panel_bytes(COLUMN_COUNT), superblock_bytes = type.panel_bytes(SUPERBLOCK);
    const std::vector<ActivationBlock> units = units_of(type);
    std::vector<uint8_t> panels(ROW_COUNT / ROWS * panel_bytes);
    type.pack(reference.file.data(), panels.data(), COLUMN_COUNT, 0, ROW_COUNT / ROWS);
    std::vector<float> found(ROWS * SUPERBLOCK);
    double worst = 0;
    for (int64_t row = 0; row < ROW_COUNT; row += ROWS) {
        for (int64_t k = 0; k < COLUMN_COUNT; k += SUPERBLOCK) {
            const size_t at = row / ROWS * panel_bytes + k / SUPERBLOCK * superblock_bytes;
            (set.*type.kernels).unpack(&panels[at], units.data(), found.data());
            for (int64_t r = 0; r < ROWS; r++) {
                const float * const weights = &reference.weights[(row + r) * COLUMN_COUNT];
                const double allowed = ADDITIONS * largest_of(weights);
                for (int64_t i = 0; i < SUPERBLOCK; i++) {
                    const double error = std::fabs(found[i * ROWS + r] - weights[k + i]) / allowed;
                    worst = larger(worst, error);
                }
            }
        }
    }
    return worst;
}

// A weight that is rounded to bf16 changes by this part of itself at most.
double rounding_of(const Gemm & gemm, ggml_type type) {
    return gemm.parts == 2 && ggml_is_quantized(type) ? 1.0 / 256 : 0;
}

// A weight that becomes a multiple of a step changes by this part of the largest at most: half of 1/4064.
double step_of(const Gemm & gemm) { return gemm.block ? 1.0 / 8000 : 0; }

// What is measured otherwise would be llama.cpp's.
void must_take(ggml::cpu::extra_buffer_type & kernels, const ggml_tensor * operation) {
    if (!kernels.get_tensor_traits(operation)) {
        throw std::logic_error("the kernels that are tried leave the operation to llama.cpp");
    }
}

Verdict measure_gemm(const Backend & backend, ggml_backend_buffer_type_t layout, ggml::cpu::extra_buffer_type & kernels,
                     const Gemm & gemm, const Reference & reference) {
    Verdict verdict{};
    double * const speeds[] = {&verdict.one, &verdict.many};
    for (int64_t count : {FEWEST_COLUMNS, ENOUGH_COLUMNS}) {
        Product product(reference.type, count, 1);
        product.fill(layout, reference);
        must_take(kernels, product.product);
        product.take(reference, 0);
        product.compute(backend);
        const double rounding = rounding_of(gemm, reference.type);
        verdict.error = std::max(verdict.error, reference.error(product.results(), 0, rounding, step_of(gemm)));
        *speeds[count == ENOUGH_COLUMNS] = product.speed(backend);
    }
    return verdict;
}

// The error of attention, whose operands are rounded to bf16 at worst, as a part of what is allowed. Longer than what is
// kept of scores at a time, and of a width and length that fill no block.
double attention_error(const Backend & backend, ggml::cpu::extra_buffer_type & kernels) {
    constexpr int64_t WIDTH = 80, QUERIES = 45, KEYS = 600, HEADS = 2;
    std::mt19937 random(3);
    std::normal_distribution<float> normal;
    const auto values = [&](int64_t count) {
        std::vector<float> all(count);
        std::generate(all.begin(), all.end(), [&] { return normal(random); });
        return all;
    };
    const std::unique_ptr<ggml_context, decltype(&ggml_free)> context(
        ggml_init({8 * ggml_tensor_overhead() + ggml_graph_overhead(), nullptr, true}), ggml_free);
    ggml_tensor * const q = ggml_new_tensor_3d(context.get(), GGML_TYPE_F32, WIDTH, QUERIES, HEADS);
    ggml_tensor * const k = ggml_new_tensor_3d(context.get(), GGML_TYPE_F16, WIDTH, KEYS, HEADS);
    ggml_tensor * const v = ggml_new_tensor_3d(context.get(), GGML_TYPE_F16, WIDTH, KEYS, HEADS);
    const float scale = 1 / std::sqrt((float) WIDTH);
    ggml_tensor * const attention = ggml_flash_attn_ext(context.get(), q, k, v, nullptr, scale, 0, 0);
    ggml_cgraph * const graph = ggml_new_graph(context.get());
    ggml_build_forward_expand(graph, attention);
    const Buffer buffer(ggml_backend_alloc_ctx_tensors_from_buft(context.get(), ggml_backend_cpu_buffer_type()),
                        ggml_backend_buffer_free);
    if (!buffer) {
        throw std::bad_alloc();
    }
    must_take(kernels, attention);
    const std::vector<float> queries = values(ggml_nelements(q));
    std::vector<float> keys = values(ggml_nelements(k)), contents = values(ggml_nelements(v));
    std::vector<ggml_fp16_t> halves(keys.size());
    ggml_backend_tensor_set(q, queries.data(), 0, ggml_nbytes(q));
    for (auto operand : {std::make_pair(k, &keys), std::make_pair(v, &contents)}) {
        ggml_fp32_to_fp16_row(operand.second->data(), halves.data(), halves.size());
        ggml_fp16_to_fp32_row(halves.data(), operand.second->data(), halves.size());
        ggml_backend_tensor_set(operand.first, halves.data(), 0, ggml_nbytes(operand.first));
    }
    if (ggml_backend_graph_compute(backend.backend, graph) != GGML_STATUS_SUCCESS) {
        throw std::runtime_error("ggml did not compute attention");
    }
    std::vector<float> results(ggml_nelements(attention));
    ggml_backend_tensor_get(attention, results.data(), 0, ggml_nbytes(attention));

    double worst = 0;
    for (int64_t head = 0; head < HEADS; head++) {
        for (int64_t i = 0; i < QUERIES; i++) {
            double sum = 0, squares = 0, expected[WIDTH] = {};
            for (int64_t j = 0; j < KEYS; j++) {
                double score = 0;
                for (int64_t d = 0; d < WIDTH; d++) {
                    score += (double) queries[(head * QUERIES + i) * WIDTH + d] * keys[(head * KEYS + j) * WIDTH + d];
                }
                const double weight = std::exp(scale * score);
                sum += weight;
                squares += weight * weight;
                for (int64_t d = 0; d < WIDTH; d++) {
                    expected[d] += weight * contents[(head * KEYS + j) * WIDTH + d];
                }
            }
            for (int64_t d = 0; d < WIDTH; d++) {
                const double error = std::fabs(results[(i * HEADS + head) * WIDTH + d] - expected[d] / sum);
                // Parts of 2^-8 of weights and contents, which are about 1, in all directions; ten of their deviations.
                const double part = error / (10 * std::sqrt(squares) / sum / 256);
                worst = larger(worst, part);
            }
        }
    }
    return worst;
}

// While it lives, these kernels are in the backend's list.
template <typename Kernels> class Joined {
  public:
    explicit Joined(Kernels & kernels) : kernels(kernels) { kernels.join(); }
    ~Joined() { kernels.leave(); }
    Joined(const Joined &) = delete;

  private:
    Kernels & kernels;
};

} // namespace

const char * Trial::layouts() const {
    return gemm && !panels    ? "both"
           : !panels          ? "stock"
           : !panels->compact ? "fast"
           : !panels->fast    ? "compact"
                              : "both";
}

std::vector<Trial> trials(const CpuBackend & backend) {
    std::vector<Trial> trials;
    for (int i = 0; i < GGML_TYPE_COUNT; i++) {
        const auto type = (ggml_type) i;
        if (ggml_blck_size(type) == 0 || !backend.type_traits(type)->vec_dot) {
            continue;
        }
        std::vector<const WeightType *> kinds = {weight_type(type, Layout::FAST)};
        if (const WeightType * compact = weight_type(type, Layout::COMPACT); compact != kinds[0]) {
            kinds.push_back(compact);
        }
        for (const WeightType * panels : kinds) {
            for (auto set = INSTRUCTION_SETS; panels && *set; set++) {
                if (*set != &SCALAR && (*set)->available()) {
                    trials.push_back({type, (*set)->name, panels, nullptr, nullptr});
                }
            }
        }
        for (ggml_backend_buffer_type_t layout : backend.extra_buffer_types()) {
            if (takes(layout, type)) {
                trials.push_back({type, ggml_backend_buft_name(layout), nullptr, layout, nullptr});
            }
        }
        trials.push_back({type, ROWS_NAME, nullptr, ggml_backend_cpu_buffer_type(), nullptr});
        kinds.erase(std::remove(kinds.begin(), kinds.end(), nullptr), kinds.end());
        // Plain C++ is taken for no panels: where there is nothing faster, all types stay in rows.
        if (kinds.empty() || &instruction_set(nullptr) == &SCALAR) {
            kinds.assign(1, nullptr); // rows
        }
        for (const WeightType * panels : kinds) {
            for (auto gemm = GEMMS; backend.to_float(type) && *gemm; gemm++) {
                if ((*gemm)->available()) {
                    trials.push_back({type, (*gemm)->name, panels, nullptr, *gemm});
                }
            }
        }
    }
    return trials;
}

Verdict run(const CpuBackend & cpu, const Trial & trial) {
    const Backend backend(cpu.device);
    const Reference & reference = reference_of(trial.type);
    if (trial.layout) {
        return measure(backend, trial.layout, reference);
    }
    Choice choice{};
    if (trial.gemm) {
        choice.many[trial.type] = {trial.gemm, FEWEST_COLUMNS};
    }
    if (!trial.panels) {
        PlainOperations operations(cpu, choice);
        const Joined<PlainOperations> joined(operations);
        Verdict verdict = measure_gemm(backend, ggml_backend_cpu_buffer_type(), operations, *trial.gemm, reference);
        if (trial.type == GGML_TYPE_F16) {
            verdict.error = std::max(verdict.error, attention_error(backend, operations));
        }
        return verdict;
    }
    choice.sets[trial.type] = &instruction_set(trial.gemm ? nullptr : trial.set.c_str());
    PanelBuffers panels(cpu, trial.panels->fast ? Layout::FAST : Layout::COMPACT, choice, 1);
    const Joined<PanelBuffers> joined(panels);
    if (trial.gemm) {
        return measure_gemm(backend, panels.buffer_type(), panels, *trial.gemm, reference);
    }
    Verdict verdict = measure(backend, panels.buffer_type(), reference);
    // Whichever GEMM this set unpacks for.
    verdict.error = std::max(verdict.error, unpacking_error(*trial.panels, *choice.sets[trial.type], reference));
    return verdict;
}

} // namespace luq::kernels
