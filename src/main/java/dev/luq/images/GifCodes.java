package dev.luq.images;

/** Unpacks LZW codes as GIF has them: 2 to 12 bits, least significant first, in blocks of 255 bytes at most. */
final class GifCodes {

    private static final int MOST_CODES = 1 << 12;
    private static final int NONE = -1;

    private final byte[] data;
    private final int rootBits;
    // the next byte, and what is left of its block
    private int at;
    private int left;
    private int bits;
    private int bitCount;

    /** @param at of the byte with the bits of a root, 1 to 8; blocks follow it to their end within the data */
    GifCodes(byte[] data, int at) {
        this.data = data;
        this.rootBits = Bytes.u8(data, at);
        this.at = at + 1;
    }

    /**
     * @param out filled from its beginning; nothing is unpacked once it is full
     * @return how far it was filled
     * @throws ImageException a code is none
     */
    int unpack(byte[] out) {
        short[] prefix = new short[MOST_CODES];
        byte[] suffix = new byte[MOST_CODES];
        byte[] string = new byte[MOST_CODES];
        int clear = 1 << rootBits;
        int end = clear + 1;
        int next = end + 1;
        int width = rootBits + 1;
        int previous = NONE;
        int first = 0;
        int filled = 0;
        while (filled < out.length) {
            int code = code(width);
            if (code == end || code == NONE) {
                break;
            }
            if (code == clear) {
                next = end + 1;
                width = rootBits + 1;
                previous = NONE;
                continue;
            }
            boolean repeatsPrevious = code == next && previous != NONE && next < MOST_CODES;
            if (code >= next && !repeatsPrevious || previous == NONE && code > end) {
                throw ImageException.damaged(ImageFormat.GIF);
            }
            int length = 0;
            int rest = code;
            if (repeatsPrevious) {
                string[length++] = (byte) first;
                rest = previous;
            }
            while (rest > end) {
                string[length++] = suffix[rest];
                rest = prefix[rest];
            }
            string[length++] = (byte) rest;
            first = rest;
            while (length > 0 && filled < out.length) {
                out[filled++] = string[--length];
            }
            if (previous != NONE && next < MOST_CODES) {
                prefix[next] = (short) previous;
                suffix[next] = (byte) first;
                next++;
                if (next == 1 << width && width < 12) {
                    width++;
                }
            }
            previous = code;
        }
        return filled;
    }

    /** @return the next code, or NONE after the last block */
    private int code(int width) {
        while (bitCount < width) {
            if (left == 0) {
                left = Bytes.u8(data, at++);
                if (left == 0) {
                    at--;
                    return NONE;
                }
            }
            bits |= Bytes.u8(data, at++) << bitCount;
            bitCount += 8;
            left--;
        }
        int code = bits & (1 << width) - 1;
        bits >>>= width;
        bitCount -= width;
        return code;
    }
}
