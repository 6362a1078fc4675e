// Plain C++, a row at a time: the reference of the tests, and what a CPU without the others gets.
#include "multiply.h"

#include <cmath>
#include <cstring>

namespace luq::kernels {
namespace {

struct Scalar {
    using Lanes = int32_t;
    using Floats = float;
    static constexpr int LANES = 1, MAX_COLUMNS = 1, LARGEST = 255;

    static Lanes zero() { return 0; }
    static Lanes load(const uint8_t * p) {
        Lanes word;
        std::memcpy(&word, p, 4);
        return word;
    }
    static Lanes splat(int32_t x) { return x; }
    static Lanes bit_and(Lanes a, Lanes b) { return a & b; }
    static Lanes and_or(Lanes a, Lanes b, Lanes c) { return (a & b) | c; }
    template <int N> static Lanes shift(Lanes a) {
        if constexpr (N >= 0) {
            return (Lanes) ((uint32_t) a >> N);
        } else {
            return (Lanes) ((uint32_t) a << -N);
        }
    }
    template <int N> static Lanes shift_signed(Lanes a) { return a >> N; }
    template <int Bit> static Lanes where_bit(Lanes a, int32_t value) { return (uint32_t) a >> Bit & 1 ? value : 0; }
    template <int Quads, int Largest> static Lanes dot(Lanes sum, const Lanes * quants, const int8_t * activations) {
        for (int i = 0; i < 4 * Quads; i++) {
            sum += (uint8_t) (quants[i / 4] >> 8 * (i % 4)) * activations[i];
        }
        return sum;
    }
    static Lanes lookup(const uint8_t * table, Lanes codes) {
        uint32_t values = 0;
        for (int i = 0; i < 32; i += 8) {
            values |= (uint32_t) table[codes >> i & 15] << i;
        }
        return (Lanes) values;
    }
    static Lanes gather(const uint32_t * table, Lanes index) { return (Lanes) table[index]; }
    static Lanes select(const int32_t * table, Lanes a) { return table[a & 3]; }
    static Lanes add(Lanes a, Lanes b) { return a + b; }
    static Lanes multiply_add(Lanes sum, Lanes a, Lanes b) { return sum + a * b; }
    static Lanes multiply_add_small(Lanes sum, Lanes a, Lanes b) { return sum + a * b; }
    static Lanes multiply_add_pairs(Lanes sum, Lanes a, Lanes b) {
        return sum + (int16_t) a * (int16_t) b + (int16_t) (a >> 16) * (int16_t) (b >> 16);
    }

    static Floats zero_floats() { return 0; }
    static Floats splat(float x) { return x; }
    static Floats half(Lanes bits) {
        const int sign = bits >> 15 & 1, exponent = bits >> 10 & 31, fraction = bits & 1023;
        const float size = exponent == 31  ? (fraction ? NAN : INFINITY)
                           : exponent == 0 ? std::ldexp((float) fraction, -24)
                                           : std::ldexp((float) (fraction + 1024), exponent - 25);
        return sign ? -size : size;
    }
    static Floats to_float(Lanes a) { return (float) a; }
    static Floats multiply(Floats a, Floats b) { return a * b; }
    static Floats fma(Floats a, Floats b, Floats c) { return a * b + c; }
    static void store(float * p, Floats a) { *p = a; }
};

bool available() { return true; }

} // namespace

const InstructionSet SCALAR = kernels_of<Scalar>("scalar", available);

} // namespace luq::kernels
