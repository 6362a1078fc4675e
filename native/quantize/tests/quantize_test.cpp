// The search for blocks against ggml's own. Prints what failed; exit status 0 if nothing did.
#include "search.h"

#include <algorithm>
#include <cfloat>
#include <cmath>
#include <cstdio>
#include <ctime>
#include <limits>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using namespace luq::quantize;

namespace {

const ggml_type TYPES[] = {
    GGML_TYPE_IQ1_M, GGML_TYPE_IQ2_XXS, GGML_TYPE_IQ2_XS, GGML_TYPE_IQ2_S, GGML_TYPE_IQ3_XXS, GGML_TYPE_IQ3_S};

int failures = 0;

void check(bool right, const std::string & what) {
    if (!right) {
        std::printf("FAILED: %s\n", what.c_str());
        failures++;
    }
}

double processor_seconds() { return (double) std::clock() / CLOCKS_PER_SEC; }

struct Matrix {
    std::string name;
    int64_t rows, columns;
    std::vector<float> weights, importance;
};

using Bytes = std::vector<uint8_t>;

Bytes blocks(ggml_type type, const Matrix & m, const InstructionSet & set) {
    Bytes out(ggml_row_size(type, m.columns) * m.rows);
    quantize(type, m.weights.data(), out.data(), m.rows, m.columns, m.importance.data(), set);
    return out;
}

Bytes blocks_of_ggml(ggml_type type, const Matrix & m) {
    Bytes out(ggml_row_size(type, m.columns) * m.rows);
    ggml_quantize_chunk(type, m.weights.data(), out.data(), 0, m.rows, m.columns, m.importance.data());
    return out;
}

std::vector<float> read_back(ggml_type type, const Bytes & blocks, size_t count) {
    std::vector<float> back(count);
    ggml_get_type_traits(type)->to_float(blocks.data(), back.data(), (int64_t) count);
    return back;
}

// Of squares, by importance, relative to the weights'.
double error(ggml_type type, const Bytes & blocks, const Matrix & m) {
    const std::vector<float> back = read_back(type, blocks, m.weights.size());
    double wrong = 0, all = 0;
    for (size_t i = 0; i < back.size(); i++) {
        const double importance = m.importance[i % m.columns], weight = m.weights[i];
        wrong += importance * (back[i] - weight) * (back[i] - weight);
        all += importance * weight * weight;
    }
    return wrong / all;
}

// Weights and importances as normal numbers raised by the exponentials of others, which gives them tails.
Matrix random_matrix(const std::string & name, float weight_tail, float importance_tail) {
    Matrix m{name, 24, 1024, {}, {}};
    std::mt19937 random(7);
    std::normal_distribution<float> normal;
    for (int64_t i = 0; i < m.columns; i++) {
        m.importance.push_back(std::exp(importance_tail * normal(random)));
    }
    for (int64_t i = 0; i < m.rows * m.columns; i++) {
        m.weights.push_back(0.02f * normal(random) * std::exp(weight_tail * normal(random)));
    }
    return m;
}

std::vector<Matrix> matrices() {
    std::vector<Matrix> all = {random_matrix("normal", 0, 0), random_matrix("normal, importances vary", 0, 1),
                               random_matrix("with tails", 0.6f, 1)};
    all.push_back(random_matrix("with massive columns", 0.3f, 1));
    for (int64_t i = 5; i < all.back().columns; i += 97) {
        all.back().importance[i] = 1e4f;
    }
    return all;
}

void test_errors(ggml_type type, const std::vector<Matrix> & matrices) {
    for (const Matrix & m : matrices) {
        const double start = processor_seconds();
        const Bytes ours = blocks(type, m, fastest());
        const double between = processor_seconds();
        const Bytes theirs = blocks_of_ggml(type, m);
        const double end = processor_seconds();
        const double ratio = error(type, ours, m) / error(type, theirs, m), millions = m.weights.size() / 1e6;
        const std::string what = std::string(ggml_type_name(type)) + ", " + m.name;
        std::printf("%-34s error %.4f, ggml's %.4f: %.3f times; %5.1f and %4.1f million weights/s a core\n",
                    what.c_str(), error(type, ours, m), error(type, theirs, m), ratio, millions / (between - start),
                    millions / (end - between));
        check(ratio < 0.98, what + ": the error is not less than ggml's");
    }
}

// A block each.
Matrix hostile() {
    constexpr float ENORMOUS = 1e38f, TINY = 1e-42f;
    Matrix m{"hostile", 0, BLOCK, {}, std::vector<float>(BLOCK, 1)};
    std::mt19937 random(11);
    std::normal_distribution<float> normal;
    const auto add = [&](auto weight) {
        m.rows++;
        for (int i = 0; i < BLOCK; i++) {
            m.weights.push_back(weight(i));
        }
    };
    add([](int) { return 0.0f; });
    add([](int) { return -0.0f; });
    add([](int) { return 1.0f; });
    add([](int) { return -3e-5f; });
    add([](int i) { return i == 77 ? 5.0f : 0.0f; });
    add([](int i) { return i == 77 ? -ENORMOUS : 0.0f; });
    add([](int i) { return i == 200 ? 1.0f : 1e-30f; });
    add([](int i) { return i % 2 ? FLT_MAX : -FLT_MAX; });
    add([](int i) { return i % 2 ? ENORMOUS : TINY; });
    add([](int i) { return i % 3 ? TINY : -TINY; });
    add([](int i) { return std::ldexp(1.0f, i - 128); });
    add([&](int) { return ENORMOUS / 4 * normal(random); });
    add([&](int) { return 1e-7f * normal(random); });
    add([&](int) { return 1e-9f * normal(random); });
    add([&](int) { return 6e4f * normal(random); });
    add([&](int i) { return i < 128 ? normal(random) : 0.0f; });
    return m;
}

bool all_finite(const std::vector<float> & values) {
    for (const float value : values) {
        if (!std::isfinite(value)) {
            return false;
        }
    }
    return true;
}

void test_hostile(ggml_type type, const InstructionSet & set) {
    const float infinity = std::numeric_limits<float>::infinity(), nan = std::numeric_limits<float>::quiet_NaN();
    const std::string where = std::string(ggml_type_name(type)) + " " + set.name;
    Matrix m = hostile();
    for (const float value : {1.0f, 0.0f, infinity, nan, -1.0f, FLT_MAX, 1e-42f}) {
        for (const int step : {1, 7, 1000}) {
            std::fill(m.importance.begin(), m.importance.end(), 1.0f);
            for (int i = 0; i < BLOCK; i += step) {
                m.importance[i] = value;
            }
            const Bytes made = blocks(type, m, set);
            check(ggml_validate_row_data(type, made.data(), made.size()), where + ": a block is not valid");
            check(all_finite(read_back(type, made, m.weights.size())), where + ": a weight is not finite");
            check(made == blocks(type, m, BASELINE),
                  where + ": hostile weights lead to other bytes than in the baseline");
        }
    }
    const std::vector<float> zeros = read_back(type, Bytes(ggml_type_size(type)), BLOCK);
    std::fill(m.importance.begin(), m.importance.end(), 1.0f);
    const std::vector<float> back = read_back(type, blocks(type, m, set), m.weights.size());
    check(std::equal(zeros.begin(), zeros.end(), back.begin()), where + ": zeros are not zero");
    for (const float value : {nan, infinity, -infinity}) {
        Matrix broken = m;
        broken.weights[2 * BLOCK + 9] = value;
        const Bytes made = blocks(type, broken, set);
        check(all_finite(read_back(type, made, m.weights.size())), where + ": what is not finite spreads");
    }
}

void test_slices(ggml_type type, const Matrix & m) {
    const Bytes whole = blocks(type, m, fastest());
    const size_t row_bytes = ggml_row_size(type, m.columns);
    Bytes parts(whole.size());
    const auto work = [&](int64_t from, int64_t to, int64_t step) {
        for (int64_t row = from; row < to; row += step) {
            quantize(type, m.weights.data() + row * m.columns, parts.data() + row * row_bytes, std::min(step, to - row),
                     m.columns, m.importance.data());
        }
    };
    std::thread other(work, 0, m.rows / 2, 1);
    work(m.rows / 2, m.rows, 5);
    other.join();
    check(parts == whole, std::string(ggml_type_name(type)) + ": slices of rows lead to other bytes");
}

void test_equal_importances(ggml_type type, Matrix m) {
    std::fill(m.importance.begin(), m.importance.end(), 3.0f);
    Bytes without(ggml_row_size(type, m.columns) * m.rows);
    quantize(type, m.weights.data(), without.data(), m.rows, m.columns, nullptr);
    check(without == blocks(type, m, fastest()),
          std::string(ggml_type_name(type)) + ": none are not equal importances");
}

bool refused(ggml_type type, int64_t columns) {
    try {
        quantize(type, nullptr, nullptr, 0, columns, nullptr);
        return false;
    } catch (const std::invalid_argument &) {
        return true;
    }
}

} // namespace

int main() {
    const std::vector<Matrix> all = matrices();
    for (const ggml_type type : TYPES) {
        check(searches(type), std::string(ggml_type_name(type)) + " is not searched for");
        const double start = processor_seconds();
        quantize(type, nullptr, nullptr, 0, BLOCK, nullptr);
        const double between = processor_seconds();
        ggml_quantize_init(type);
        std::printf("%s: tables in %.2f s, ggml's in %.2f s\n", ggml_type_name(type), between - start,
                    processor_seconds() - between);
        test_errors(type, all);
        test_slices(type, all[1]);
        test_equal_importances(type, all[0]);
        for (auto set = INSTRUCTION_SETS; *set; set++) {
            if ((*set)->available()) {
                for (const Matrix & m : all) {
                    check(blocks(type, m, **set) == blocks(type, m, BASELINE),
                          std::string(ggml_type_name(type)) + ": " + (*set)->name + " makes other bytes, " + m.name);
                }
                test_hostile(type, **set);
            }
        }
    }
    check(refused(GGML_TYPE_Q4_K, BLOCK) && refused(GGML_TYPE_IQ2_S, BLOCK + 32), "a wrong call is not refused");
    std::printf(failures == 0 ? "the search for blocks passed\n" : "%d failures\n", failures);
    return failures == 0 ? 0 : 1;
}
