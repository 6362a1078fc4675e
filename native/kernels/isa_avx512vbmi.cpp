// AVX-512 with VNNI and VBMI, which looks 64 bytes up in a table of 128 at once.
#include "isa_avx512.h"

namespace luq::kernels {
namespace {

struct Avx512Vbmi : Avx512Vnni {};

} // namespace

// Patterns of half a superblock are looked up at a time: in each of sixteen tables of 128 the indices that fall into it.
template <> struct Weights<Avx512Vbmi, GridPanels> : TernaryWeights<Avx512Vbmi, GridPanels> {
    Lanes trits[2][4]; // by line of indices: its byte j's pattern in byte j, the first four columns and the last

    template <int P> LUQ_INLINE Lanes part(Lanes quants[4]) {
        constexpr int BYTE = P % 2 * 2, NIBBLE = 8 * BYTE + 4 * (P / 2 % 2);
        if constexpr (P % 8 == 0) {
            look_up<P / 2>();
        }
        const Lanes high = V::load(lines + LINE_BYTES * GridPanels::high_line(P / 4));
        const Lanes eight = V::splat(0x18181818);
        const Lanes left = V::where_bit<NIBBLE + 3>(high, 0x02020202);
        const Lanes right = V::where_bit<NIBBLE + 11>(high, 0x02020202);
        repeat<2>([&](auto i) LUQ_LAMBDA {
            quants[i] = V::and_or(columns<BYTE>(trits[i][P / 2 % 4]), eight, left);
            quants[2 + i] = V::and_or(columns<BYTE + 1>(trits[i][P / 2 % 4]), eight, right);
        });
        return scale<P>();
    }

  private:
    using V = Avx512Vbmi;

    template <int First> LUQ_INLINE void look_up() {
        Lanes table[4]; // which of the sixteen, in the upper half of each byte: its highest bit is the index's eighth
        repeat<4>([&](auto i) LUQ_LAMBDA {
            const Lanes low = V::load(lines + LINE_BYTES * GridPanels::low_line(First + i));
            const Lanes high = V::load(lines + LINE_BYTES * GridPanels::high_line((First + i) / 2));
            table[i] = V::and_or(V::shift<i % 2 * 4 - 4>(high), V::splat(0x70707070),
                                 V::bit_and(low, V::splat((int) 0x80808080)));
            trits[0][i] = trits[1][i] = low;
        });
        for (int t = 0; t < 16; t++) {
            const Lanes here = V::splat((int) (0x01010101u * (t % 2 << 7 | t / 2 << 4)));
            __mmask64 found[4];
            repeat<4>([&](auto i) LUQ_LAMBDA { found[i] = _mm512_cmpeq_epi8_mask(table[i], here); });
            repeat<2>([&](auto half) LUQ_LAMBDA {
                const Lanes first = V::load(TRIT_GRID.bytes[half] + 128 * t);
                const Lanes last = V::load(TRIT_GRID.bytes[half] + 128 * t + 64);
                repeat<4>([&](auto i) LUQ_LAMBDA {
                    trits[half][i] = _mm512_mask2_permutex2var_epi8(first, trits[half][i], found[i], last);
                });
            });
        }
    }

    // Four columns of a row from byte Byte of each lane to a byte each, their trits at bits 3 and 4.
    template <int Byte> static LUQ_INLINE Lanes columns(Lanes trits) {
        constexpr auto from = [](int i) {
            return (uint64_t) (32 * (i / 4) + 8 * Byte + 2 * (i % 4) + 61) % 64 << 8 * i;
        };
        constexpr uint64_t FROM = from(0) | from(1) | from(2) | from(3) | from(4) | from(5) | from(6) | from(7);
        return _mm512_multishift_epi64_epi8(_mm512_set1_epi64(FROM), trits);
    }
};

namespace {

bool available() {
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("avx512vbmi");
}

} // namespace

const InstructionSet AVX512_VBMI = kernels_of<Avx512Vbmi>("avx512vbmi", available);

} // namespace luq::kernels
