package dev.luq.images;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.LongStream;

/**
 * A JPEG file: segments of FF, marker, length (uint16, counts itself), and entropy-coded data after each start of a scan.
 * Baseline, extended and progressive images of 8 bits with Huffman coding are decoded; a decoder sees their frame, tables,
 * scans, and what says how to read the colours.
 *
 * @param cmyk whether it has four components and no Adobe segment that says what they are
 */
record JpegFile(ImageHeader header, byte[] data, List<Part> parts, boolean cmyk) implements EncodedImage {

    /** A piece of the file that a decoder sees. */
    private record Part(int from, int to) {}

    private static final int BASELINE = 0xc0;
    private static final int EXTENDED = 0xc1;
    private static final int PROGRESSIVE = 0xc2;
    private static final int TABLES_HUFFMAN = 0xc4;
    private static final int RESERVED = 0xc8;
    private static final int TABLES_ARITHMETIC = 0xcc;
    private static final int RESTART = 0xd0;
    private static final int END = 0xd9;
    private static final int SCAN = 0xda;
    private static final int TABLES_QUANTIZATION = 0xdb;
    private static final int RESTART_INTERVAL = 0xdd;
    private static final int HIERARCHICAL = 0xde;
    private static final int EXPANSION = 0xdf;
    private static final int APP_JFIF = 0xe0;
    private static final int APP_EXIF = 0xe1;
    private static final int APP_ADOBE = 0xee;

    /** Length, version, density; a thumbnail may follow. */
    private static final int JFIF_LENGTH = 16;

    /** Length, name, version, flags, transform of the colours; more may follow. */
    private static final int ADOBE_LENGTH = 14;
    /** An Adobe segment without which the decoder takes components 1 to 4 for YCbCr with an alpha channel. */
    private static final byte[] CMYK = HexFormat.of().parseHex("ffee000e41646f626500640000000000");

    private static final int MOST_SCANS = 100;
    /**
     * Every scan of a progressive image goes through all blocks of its components, however few bytes it has. Ten scans of
     * 40 megapixels are 18 million at most.
     */
    private static final long MOST_BLOCK_VISITS = 32_000_000;

    private static final int MOST_SEGMENTS = 20_000;
    private static final int BYTES_PER_BLOCK = 64 * 2;

    static JpegFile of(byte[] data) {
        return new Scanner(data).scan();
    }

    @Override
    public Pixels decode(int every) {
        ByteBuffer essence = ByteBuffer.allocate(data.length + CMYK.length + 2)
                .put((byte) 0xff)
                .put((byte) 0xd8);
        if (cmyk) {
            essence.put(CMYK);
        }
        for (Part part : parts) {
            switch (Bytes.u8(data, part.from + 1)) {
                // without its thumbnail
                case APP_JFIF ->
                    essence.put(data, part.from, 2)
                            .putShort((short) JFIF_LENGTH)
                            .put(data, part.from + 4, JFIF_LENGTH - 4)
                            .putShort((short) 0);
                case APP_ADOBE ->
                    essence.put(data, part.from, 2)
                            .putShort((short) ADOBE_LENGTH)
                            .put(data, part.from + 4, ADOBE_LENGTH - 2);
                default -> essence.put(data, part.from, part.to - part.from);
            }
        }
        essence.put((byte) 0xff).put((byte) END).flip();
        return Rasters.rgb(Readers.read(ImageFormat.JPEG, essence, every));
    }

    /** Goes through the segments once. */
    private static final class Scanner {
        private final byte[] data;
        private final List<Part> parts = new ArrayList<>();
        private int orientation = ExifOrientation.UPRIGHT;
        private int scans;
        /** Whether a scan has not all components: others may follow, for which decoders keep room. */
        private boolean inPart;

        private int segments;
        private long blockVisits;
        private int width;
        private int height;
        private boolean progressive;
        private boolean adobe;
        /** Identifiers and blocks of the frame's components; empty before the frame. */
        private int[] components = {};

        private long[] blocks = {};
        /** For each component, a bit for each coefficient that no scan has had in full. */
        private long[] missing = {};
        /** No marker begins here or behind it. */
        private final int end;

        Scanner(byte[] data) {
            this.data = data;
            end = data.length - 1;
        }

        JpegFile scan() {
            int at = 2;
            while (true) {
                // What is no marker is skipped, as decoders do.
                while (at < end && !isMarker(at)) {
                    at++;
                }
                if (at >= end) {
                    return fileWithoutEnd();
                }
                int marker = Bytes.u8(data, at + 1);
                if (marker == END) {
                    return file();
                }
                if (marker == 0x01 || marker >= RESTART && marker < END) {
                    at += 2;
                    continue;
                }
                int length = Bytes.u16be(data, at + 2);
                int next = at + 2 + length;
                if (length < 2 || next > data.length || ++segments > MOST_SEGMENTS) {
                    throw damaged();
                }
                at = segment(marker, at, next);
            }
        }

        private boolean isMarker(int at) {
            return data[at] == (byte) 0xff && data[at + 1] != (byte) 0xff && data[at + 1] != 0;
        }

        /** Without an end marker, every coefficient was in a scan; whether the last scan is cut off, the decoder tells. */
        private JpegFile fileWithoutEnd() {
            if (LongStream.of(missing).anyMatch(bits -> bits != 0)) {
                throw damaged();
            }
            return file();
        }

        /** @return where the next marker is to be looked for */
        private int segment(int marker, int at, int next) {
            switch (marker) {
                case BASELINE, EXTENDED, PROGRESSIVE -> {
                    frame(marker, at + 4, next);
                    parts.add(new Part(at, next));
                }
                case TABLES_HUFFMAN, TABLES_QUANTIZATION, RESTART_INTERVAL -> parts.add(new Part(at, next));
                case SCAN -> {
                    scan(at + 4, next);
                    int end = endOfScan(next);
                    parts.add(new Part(at, end));
                    return end;
                }
                case APP_JFIF -> {
                    if (Bytes.isText(data, at + 4, "JFIF\0")
                            && next - at >= JFIF_LENGTH + 2
                            && components.length == 0) {
                        parts.add(new Part(at, next));
                    }
                }
                case APP_ADOBE -> {
                    if (Bytes.isText(data, at + 4, "Adobe") && next - at >= ADOBE_LENGTH + 2 && scans == 0) {
                        adobe = true;
                        parts.add(new Part(at, next));
                    }
                }
                case APP_EXIF -> {
                    if (Bytes.isText(data, at + 4, "Exif\0\0")) {
                        orientation = ExifOrientation.of(data, at + 4, next - at - 4);
                    }
                }
                case RESERVED, TABLES_ARITHMETIC, HIERARCHICAL, EXPANSION -> throw unsupported();
                default -> {
                    if (marker >= BASELINE && marker <= 0xcf) {
                        throw unsupported();
                    }
                }
            }
            return next;
        }

        private void frame(int marker, int at, int next) {
            if (components.length > 0) {
                throw damaged();
            }
            int precision = Bytes.u8(data, at);
            height = Bytes.u16be(data, at + 1);
            width = Bytes.u16be(data, at + 3);
            int count = Bytes.u8(data, at + 5);
            if (precision != 8) {
                throw ImageException.unsupported(
                        "JPEG images of " + precision + " bits a sample are not supported: save it with 8 bits");
            }
            if (count != 1 && count != 3 && count != 4) {
                throw ImageException.unsupported(
                        "JPEG images of " + count + " components are not supported: save it as RGB");
            }
            if (width == 0 || height == 0 || next - at != 6 + 3 * count) {
                throw damaged();
            }
            progressive = marker == PROGRESSIVE;
            components = new int[count];
            blocks = new long[count];
            missing = new long[count];
            Arrays.fill(missing, -1);
            int largestHorizontal = 1;
            int largestVertical = 1;
            for (int i = 0; i < count; i++) {
                int sampling = Bytes.u8(data, at + 7 + 3 * i);
                if (sampling >> 4 < 1 || sampling >> 4 > 4 || (sampling & 15) < 1 || (sampling & 15) > 4) {
                    throw damaged();
                }
                largestHorizontal = Math.max(largestHorizontal, sampling >> 4);
                largestVertical = Math.max(largestVertical, sampling & 15);
            }
            for (int i = 0; i < count; i++) {
                int sampling = Bytes.u8(data, at + 7 + 3 * i);
                components[i] = Bytes.u8(data, at + 6 + 3 * i);
                blocks[i] = (long) ceil(width, 8 * largestHorizontal)
                        * (sampling >> 4)
                        * ceil(height, 8 * largestVertical)
                        * (sampling & 15);
            }
        }

        private void scan(int at, int next) {
            int count = Bytes.u8(data, at);
            if (components.length == 0 || count < 1 || count > components.length || next - at != 4 + 2 * count) {
                throw damaged();
            }
            scans++;
            inPart |= count < components.length;
            long had = coefficients(at + 1 + 2 * count);
            for (int i = 0; i < count; i++) {
                int id = Bytes.u8(data, at + 1 + 2 * i);
                for (int k = 0; k < components.length; k++) {
                    if (components[k] == id) {
                        blockVisits += blocks[k];
                        missing[k] &= ~had;
                    }
                }
            }
            if (scans > MOST_SCANS || blockVisits > MOST_BLOCK_VISITS) {
                throw ImageException.tooLarge(
                        "The JPEG image has too many scans for its size: save it as a baseline JPEG");
            }
        }

        /**
         * A bit for each coefficient that a scan has in full.
         *
         * @param at of the first one, the last one, and bits that were and are left for other scans
         */
        private long coefficients(int at) {
            if (!progressive) {
                return -1;
            }
            int left = Bytes.u8(data, at + 2) & 15;
            return left > 0 ? 0 : -1L << Bytes.u8(data, at) & -1L >>> 63 - Bytes.u8(data, at + 1);
        }

        /** In a scan, FF is followed by 00, or by a restart. */
        private int endOfScan(int from) {
            for (int at = from; at < end; at++) {
                int marker = Bytes.u8(data, at + 1);
                if (isMarker(at) && (marker < RESTART || marker >= RESTART + 8)) {
                    return at;
                }
            }
            return withoutPadding(from);
        }

        /** Zeros in place of what was never written are not taken for pixels; a scan may end with one. */
        private int withoutPadding(int from) {
            int last = data.length;
            while (last > from && data[last - 1] == 0) {
                last--;
            }
            if (last == from) {
                throw damaged();
            }
            return Math.min(last + 1, data.length);
        }

        private JpegFile file() {
            if (scans == 0) {
                throw damaged();
            }
            long all = 0;
            for (long count : blocks) {
                all += count;
            }
            // Outside of the heap: all coefficients unless each row of blocks can be decoded on its own.
            long coefficients = progressive || scans > 1 || inPart ? all * BYTES_PER_BLOCK : 0;
            int samples = components.length;
            boolean converted = samples > 1 && !Arrays.equals(components, new int[] {1, 2, 3});
            return new JpegFile(
                    new ImageHeader(
                            ImageFormat.JPEG,
                            width,
                            height,
                            orientation,
                            2L * data.length + coefficients + 64L * samples * width,
                            converted ? 2 * samples : samples),
                    data,
                    List.copyOf(parts),
                    samples == 4 && !adobe);
        }

        private static int ceil(int value, int divisor) {
            return (value + divisor - 1) / divisor;
        }

        private static ImageException damaged() {
            return ImageException.damaged(ImageFormat.JPEG);
        }

        private static ImageException unsupported() {
            return ImageException.unsupported(
                    "Lossless, hierarchical and arithmetic JPEG are not supported: save it as a baseline JPEG");
        }
    }
}
