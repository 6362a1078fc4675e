// NEON, in floats.
#include "gemm_tile.h"

#include <arm_neon.h>

namespace luq::kernels {
namespace {

struct NeonFloats {
    using Word = float;
    using Floats = float32x4_t;
    using Weights = float32x4_t;
    static constexpr int LANES = 4, TILE_PANELS = 1, TILE_WIDTH = 6;

    static LUQ_INLINE Floats zero_floats() { return vdupq_n_f32(0); }
    static LUQ_INLINE Weights load(const float * p) { return vld1q_f32(p); }
    static LUQ_INLINE Floats splat(const float * p) { return vld1q_dup_f32(p); }
    static LUQ_INLINE Floats fma(Floats sum, Floats w, Floats a) { return vfmaq_f32(sum, w, a); }
    static LUQ_INLINE void store(float * p, Floats a) { vst1q_f32(p, a); }
};

bool available() { return true; } // every 64-bit ARM CPU has it

} // namespace

const Gemm GEMM_NEON = {
    "gemm-neon",
    available,
    4,
    1,
    pack_rows_floats,
    pack_values_floats,
    pack_columns_floats,
    multiply_floats<NeonFloats>,
    exponentials};

} // namespace luq::kernels
