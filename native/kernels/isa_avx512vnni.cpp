// AVX-512 with VNNI.
#include "isa_avx512.h"

namespace luq::kernels {
namespace {

bool available() {
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512vnni");
}

} // namespace

const InstructionSet AVX512_VNNI = kernels_of<Avx512Vnni>("avx512vnni", available);

} // namespace luq::kernels
