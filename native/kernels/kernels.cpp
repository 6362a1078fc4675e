#include "kernels.h"

#include "gemm.h"

#include <cstring>
#include <stdexcept>
#include <string>

namespace luq::kernels {

const InstructionSet * const INSTRUCTION_SETS[] = {
#ifdef __x86_64__
#ifndef LUQ_AVX2_ONLY
    &AVX512_VBMI,  &AVX512_VNNI, &AVX_VNNI,
#endif
    &AVX2,
#endif
#ifdef __aarch64__
    &NEON_DOTPROD,
#endif
    &SCALAR,       nullptr,
};

const Gemm * const GEMMS[] = {
#ifdef __x86_64__
#ifndef LUQ_AVX2_ONLY
    &GEMM_AMX_BF16,   &GEMM_AVX512_BF16, &GEMM_AVX512, &GEMM_AVXVNNI,
#endif
    &GEMM_AVX2_INT16, &GEMM_AVX2,
#endif
#ifdef __aarch64__
    &GEMM_NEON,
#endif
    nullptr,
};

const Gemm & gemm_named(const std::string & name) {
    for (auto candidate = GEMMS; *candidate; candidate++) {
        if (name == (*candidate)->name && (*candidate)->available()) {
            return **candidate;
        }
    }
    throw std::invalid_argument("this CPU has no kernels named '" + name + "'");
}

const InstructionSet & instruction_set(const char * name) {
    std::string known;
    for (auto candidate = INSTRUCTION_SETS; *candidate; candidate++) {
        if ((!name || std::strcmp(name, (*candidate)->name) == 0) && (*candidate)->available()) {
            return **candidate;
        }
        if ((*candidate)->available()) {
            known += std::string(" ") + (*candidate)->name;
        }
    }
    throw std::invalid_argument("this CPU has no kernels named '" + std::string(name ? name : "") + "', but:" + known);
}

} // namespace luq::kernels
