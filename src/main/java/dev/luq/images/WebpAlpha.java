package dev.luq.images;

/**
 * A WEBP frame's alpha channel as RFC 9649 has it: a byte that says how it is packed, then its data. What is not
 * compressed, the decoder takes for opaque: it is one byte a pixel, each less what its neighbours predict.
 */
final class WebpAlpha {

    private static final int RAW = 0;
    private static final int LOSSLESS = 1;

    private static final int UNFILTERED = 0;
    private static final int HORIZONTAL = 1;
    private static final int VERTICAL = 2;

    private final byte[] data;
    private final int at;
    private final int width;
    private final int height;

    private WebpAlpha(byte[] data, int at, int width, int height) {
        this.data = data;
        this.at = at;
        this.width = width;
        this.height = height;
    }

    /**
     * @param at where the channel begins
     * @param pixels of the frame
     */
    static boolean isSound(byte[] data, int at, int length, long pixels) {
        return switch (compression(data, at)) {
            case RAW -> length > pixels;
            case LOSSLESS -> true;
            default -> false;
        };
    }

    static boolean isRaw(byte[] data, int at) {
        return compression(data, at) == RAW;
    }

    private static int compression(byte[] data, int at) {
        return Bytes.u8(data, at) & 3;
    }

    /** One byte a pixel of a raw channel that {@linkplain #isSound is sound}. */
    static byte[] read(byte[] data, int at, int width, int height) {
        return new WebpAlpha(data, at, width, height).read();
    }

    private byte[] read() {
        int filter = Bytes.u8(data, at) >> 2 & 3;
        byte[] alpha = new byte[width * height];
        for (int y = 0; y < height; y++) {
            for (int x = 0; x < width; x++) {
                int pixel = y * width + x;
                alpha[pixel] = (byte) (data[at + 1 + pixel] + prediction(filter, alpha, x, y));
            }
        }
        return alpha;
    }

    private int prediction(int filter, byte[] alpha, int x, int y) {
        int pixel = y * width + x;
        if (filter == UNFILTERED || pixel == 0) {
            return 0;
        }
        if (x == 0) {
            return alpha[pixel - width];
        }
        if (y == 0) {
            return alpha[pixel - 1];
        }
        return switch (filter) {
            case HORIZONTAL -> alpha[pixel - 1];
            case VERTICAL -> alpha[pixel - width];
            default -> gradient(alpha, pixel);
        };
    }

    private int gradient(byte[] alpha, int pixel) {
        int sum = Bytes.u8(alpha, pixel - 1) + Bytes.u8(alpha, pixel - width) - Bytes.u8(alpha, pixel - width - 1);
        return Math.max(0, Math.min(255, sum));
    }
}
