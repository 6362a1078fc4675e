package dev.luq.images;

/** Numbers and texts in a file. What lies outside of the array is an {@link IndexOutOfBoundsException}. */
final class Bytes {

    private Bytes() {}

    static int u8(byte[] data, int at) {
        return data[at] & 0xff;
    }

    static int u16be(byte[] data, int at) {
        return u8(data, at) << 8 | u8(data, at + 1);
    }

    static int u16le(byte[] data, int at) {
        return u8(data, at + 1) << 8 | u8(data, at);
    }

    static int u24le(byte[] data, int at) {
        return u8(data, at + 2) << 16 | u16le(data, at);
    }

    static long u32be(byte[] data, int at) {
        return (long) u16be(data, at) << 16 | u16be(data, at + 2);
    }

    static long u32le(byte[] data, int at) {
        return (long) u16le(data, at + 2) << 16 | u16le(data, at);
    }

    /** @return false also where the file ends before */
    static boolean isText(byte[] data, int at, String latin1) {
        if (at < 0 || at > data.length - latin1.length()) {
            return false;
        }
        for (int i = 0; i < latin1.length(); i++) {
            if (u8(data, at + i) != latin1.charAt(i)) {
                return false;
            }
        }
        return true;
    }
}
