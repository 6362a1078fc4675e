// NEON with the dot product of ARMv8.2: a vector is a quarter of a line.
#include "multiply.h"

#include <arm_neon.h>
#include <sys/auxv.h>

namespace luq::kernels {
namespace {

struct NeonDotprod {
    using Lanes = int32x4_t;
    using Floats = float32x4_t;
    static constexpr int LANES = 4, MAX_COLUMNS = 4, LARGEST = 127;

    static LUQ_INLINE Lanes zero() { return vdupq_n_s32(0); }
    static LUQ_INLINE Lanes load(const uint8_t * p) { return vreinterpretq_s32_u8(vld1q_u8(p)); }
    static LUQ_INLINE Lanes splat(int32_t x) { return vdupq_n_s32(x); }
    static LUQ_INLINE Lanes bit_and(Lanes a, Lanes b) { return vandq_s32(a, b); }
    static LUQ_INLINE Lanes and_or(Lanes a, Lanes b, Lanes c) { return vorrq_s32(vandq_s32(a, b), c); }
    template <int N> static LUQ_INLINE Lanes shift(Lanes a) {
        if constexpr (N == 0) {
            return a;
        } else if constexpr (N > 0) {
            return vreinterpretq_s32_u32(vshrq_n_u32(vreinterpretq_u32_s32(a), N));
        } else {
            return vshlq_n_s32(a, -N);
        }
    }
    template <int N> static LUQ_INLINE Lanes shift_signed(Lanes a) { return vshrq_n_s32(a, N); }
    template <int Bit> static LUQ_INLINE Lanes where_bit(Lanes a, int32_t value) {
        const uint32x4_t set = vtstq_u32(vreinterpretq_u32_s32(a), vdupq_n_u32(1u << Bit));
        return vandq_s32(vreinterpretq_s32_u32(set), vdupq_n_s32(value));
    }
    // Signed bytes: quants up to LARGEST are the same as such.
    template <int Quads, int Largest>
    static LUQ_INLINE Lanes dot(Lanes sum, const Lanes * quants, const int8_t * activations) {
        repeat<Quads>([&](auto k) LUQ_LAMBDA {
            int32_t quad;
            __builtin_memcpy(&quad, activations + 4 * k, 4);
            sum = vdotq_s32(sum, vreinterpretq_s8_s32(quants[k]), vreinterpretq_s8_s32(vdupq_n_s32(quad)));
        });
        return sum;
    }
    static LUQ_INLINE Lanes lookup(const uint8_t * table, Lanes codes) {
        return vreinterpretq_s32_u8(vqtbl1q_u8(vld1q_u8(table), vreinterpretq_u8_s32(codes)));
    }
    static LUQ_INLINE Lanes gather(const uint32_t * table, Lanes indices) {
        const uint32x4_t i = vreinterpretq_u32_s32(indices);
        uint32x4_t words = vdupq_n_u32(table[vgetq_lane_u32(i, 0)]);
        words = vld1q_lane_u32(table + vgetq_lane_u32(i, 1), words, 1);
        words = vld1q_lane_u32(table + vgetq_lane_u32(i, 2), words, 2);
        words = vld1q_lane_u32(table + vgetq_lane_u32(i, 3), words, 3);
        return vreinterpretq_s32_u32(words);
    }
    static LUQ_INLINE Lanes select(const int32_t * table, Lanes a) {
        const int32x4_t bytes =
            vmlaq_s32(vdupq_n_s32(0x03020100), vandq_s32(a, vdupq_n_s32(3)), vdupq_n_s32(0x04040404));
        return lookup((const uint8_t *) table, bytes);
    }
    static LUQ_INLINE Lanes add(Lanes a, Lanes b) { return vaddq_s32(a, b); }
    static LUQ_INLINE Lanes multiply_add(Lanes sum, Lanes a, Lanes b) { return vmlaq_s32(sum, a, b); }
    static LUQ_INLINE Lanes multiply_add_small(Lanes sum, Lanes a, Lanes b) { return vmlaq_s32(sum, a, b); }
    static LUQ_INLINE Lanes multiply_add_pairs(Lanes sum, Lanes a, Lanes b) {
        const int16x8_t a16 = vreinterpretq_s16_s32(a), b16 = vreinterpretq_s16_s32(b);
        return vaddq_s32(sum, vpaddq_s32(vmull_s16(vget_low_s16(a16), vget_low_s16(b16)), vmull_high_s16(a16, b16)));
    }

    static LUQ_INLINE Floats zero_floats() { return vdupq_n_f32(0); }
    static LUQ_INLINE Floats splat(float x) { return vdupq_n_f32(x); }
    static LUQ_INLINE Floats half(Lanes bits) {
        return vcvt_f32_f16(vreinterpret_f16_u16(vmovn_u32(vreinterpretq_u32_s32(bits))));
    }
    static LUQ_INLINE Floats to_float(Lanes a) { return vcvtq_f32_s32(a); }
    static LUQ_INLINE Floats multiply(Floats a, Floats b) { return vmulq_f32(a, b); }
    static LUQ_INLINE Floats fma(Floats a, Floats b, Floats c) { return vfmaq_f32(c, a, b); }
    static LUQ_INLINE void store(float * p, Floats a) { vst1q_f32(p, a); }
};

bool available() { return getauxval(AT_HWCAP) & HWCAP_ASIMDDP; }

} // namespace

const InstructionSet NEON_DOTPROD = kernels_of<NeonDotprod>("neon", available);

} // namespace luq::kernels
