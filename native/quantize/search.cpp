#include "search.h"

#include "block_search.h"

#include <algorithm>
#include <cfloat>
#include <cmath>
#include <stdexcept>
#include <string>
#include <vector>

namespace luq::quantize {

const InstructionSet * const INSTRUCTION_SETS[] = {
#ifdef __x86_64__
#ifndef LUQ_AVX2_ONLY
    &AVX512,
#endif
    &AVX2,
#endif
    &BASELINE,
    nullptr,
};

const InstructionSet & fastest() {
    static const InstructionSet & found = [&]() -> const InstructionSet & {
        auto candidate = INSTRUCTION_SETS;
        while (!(*candidate)->available()) {
            candidate++;
        }
        return **candidate;
    }();
    return found;
}

uint16_t to_half(float x) {
    constexpr float LARGEST = 65504; // what is larger would become infinite
    return ggml_fp32_to_fp16(std::min(x, LARGEST));
}
float from_half(uint16_t x) { return ggml_fp16_to_fp32(x); }
float square_root(float x) { return std::sqrt(x); }
float times_power(float x, int exponent) { return std::ldexp(x, exponent); }
// Such that neither its power nor the inverse of that is infinite.
int exponent_of(float x) { return std::clamp(std::ilogb(x), -126, 126); }

namespace {

QuantizeRows search_for(ggml_type type, const InstructionSet & set) {
    switch (type) {
        case GGML_TYPE_IQ1_M:
            return set.iq1_m;
        case GGML_TYPE_IQ2_XXS:
            return set.iq2_xxs;
        case GGML_TYPE_IQ2_XS:
            return set.iq2_xs;
        case GGML_TYPE_IQ2_S:
            return set.iq2_s;
        case GGML_TYPE_IQ3_XXS:
            return set.iq3_xxs;
        case GGML_TYPE_IQ3_S:
            return set.iq3_s;
        default:
            return nullptr;
    }
}

// With the mean 1 in each block. A column that was never seen counts a little: its weights shall not be arbitrary.
std::vector<float> normed(const float * importance, int64_t columns) {
    constexpr double LEAST = 1e-6;
    std::vector<float> normed(columns, 1);
    for (int64_t block = 0; importance && block < columns; block += BLOCK) {
        double given[BLOCK], sum = 0;
        for (int i = 0; i < BLOCK; i++) {
            const float x = importance[block + i];
            given[i] = x > 0 ? std::min(x, FLT_MAX) : 0;
            sum += given[i];
        }
        for (int i = 0; i < BLOCK && sum > 0; i++) {
            normed[block + i] = (float) ((given[i] / sum * BLOCK + LEAST) / (1 + LEAST));
        }
    }
    return normed;
}

} // namespace

bool searches(ggml_type type) { return search_for(type, BASELINE) != nullptr; }

void quantize(ggml_type type, const float * weights, void * blocks, int64_t rows, int64_t columns,
              const float * importance, const InstructionSet & set) {
    const QuantizeRows search = search_for(type, set);
    if (!search || columns < 0 || rows < 0 || columns % BLOCK != 0) {
        throw std::invalid_argument("rows of " + std::to_string(columns) + " weights are not blocks of the type " +
                                    std::to_string(type) + " that are searched for");
    }
    search(weights, static_cast<uint8_t *>(blocks), rows, columns, normed(importance, columns).data());
}

} // namespace luq::quantize
