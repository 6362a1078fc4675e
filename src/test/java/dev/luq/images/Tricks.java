package dev.luq.images;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.zip.CRC32;
import java.util.zip.Deflater;

/** Files of a few bytes that are a lot of work, or pretend to be. Built by hand: no encoder makes them. */
public final class Tricks {

    private Tricks() {}

    // --- JPEG ---

    private static final String QUANTIZATION = "ffdb004300" + "01".repeat(64);
    private static final String CODES = "ffc4001400" + "01" + "00".repeat(16) + "ffc4001410" + "01" + "00".repeat(16);

    /** A file of these segments, in hexadecimal. */
    public static byte[] jpeg(String... segments) {
        return hex("ffd8" + String.join("", segments) + "ffd9");
    }

    /**
     * @param marker of the frame: c0 is baseline.
     * @param components three bytes each
     */
    public static String frame(String marker, int precision, int width, int height, String... components) {
        return "ff%s%04x%02x%04x%04x%02x%s"
                .formatted(
                        marker,
                        8 + 3 * components.length,
                        precision,
                        height,
                        width,
                        components.length,
                        String.join("", components));
    }

    /** One grey frame and so many scans of no bytes: one of the DC coefficients, the others of an AC coefficient. */
    public static byte[] progressive(int width, int height, int scans) {
        return jpeg(
                QUANTIZATION,
                frame("c2", 8, width, height, "011100"),
                CODES,
                "ffda0008010100000000",
                "ffda0008010100010100".repeat(scans - 1));
    }

    /** Grey, black, with these segments before its frame. */
    public static byte[] baseline(int width, int height, String... before) {
        int blocks = (width + 7) / 8 * ((height + 7) / 8);
        // Each block is two codes of one bit.
        return jpeg(
                String.join("", before),
                QUANTIZATION,
                frame("c0", 8, width, height, "011100"),
                CODES,
                "ffda0008010100003f00",
                "00".repeat((blocks * 2 + 7) / 8));
    }

    /** Three components, of which the only scan has one. */
    public static byte[] oneComponentOfThree(int width, int height) {
        return jpeg(
                QUANTIZATION,
                frame("c0", 8, width, height, "011100", "021100", "031100"),
                CODES,
                "ffda0008010100003f00",
                "00");
    }

    /** An application segment. */
    public static String segment(String marker, byte[] content) {
        return "ff%s%04x%s".formatted(marker, content.length + 2, HexFormat.of().formatHex(content));
    }

    // --- PNG ---

    /** Chunks behind the signature. */
    public static byte[] png(byte[]... chunks) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.writeBytes(new byte[] {(byte) 0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'});
        for (byte[] chunk : chunks) {
            out.writeBytes(chunk);
        }
        return out.toByteArray();
    }

    public static byte[] chunk(String type, byte[] content) {
        byte[] name = type.getBytes(StandardCharsets.US_ASCII);
        CRC32 crc = new CRC32();
        crc.update(name);
        crc.update(content);
        return ByteBuffer.allocate(12 + content.length)
                .putInt(content.length)
                .put(name)
                .put(content)
                .putInt((int) crc.getValue())
                .array();
    }

    public static byte[] ihdr(int width, int height, int depth, int colour, int interlace) {
        return chunk(
                "IHDR",
                ByteBuffer.allocate(13)
                        .putInt(width)
                        .putInt(height)
                        .put((byte) depth)
                        .put((byte) colour)
                        .putShort((short) 0)
                        .put((byte) interlace)
                        .array());
    }

    /** So many zeros, as zlib packs them. */
    public static byte[] deflated(int zeros) {
        Deflater deflater = new Deflater(9);
        deflater.setInput(new byte[zeros]);
        deflater.finish();
        byte[] packed = new byte[zeros / 500 + 64];
        int length = deflater.deflate(packed);
        deflater.end();
        return Arrays.copyOf(packed, length);
    }

    // --- GIF ---

    /** @param codes packed, least significant bit first, of a frame with two colours: roots of two bits, codes of three */
    public static byte[] gif(
            int screenWidth, int screenHeight, int left, int top, int width, int height, byte[] codes) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.writeBytes(ByteBuffer.allocate(30)
                .order(ByteOrder.LITTLE_ENDIAN)
                .put("GIF89a".getBytes(StandardCharsets.US_ASCII))
                .putShort((short) screenWidth)
                .putShort((short) screenHeight)
                .put((byte) 0x80)
                .putShort((short) 0)
                .put(hex("ff00000000ff"))
                .put((byte) 0x2c)
                .putShort((short) left)
                .putShort((short) top)
                .putShort((short) width)
                .putShort((short) height)
                .put((byte) 0)
                .put((byte) 2)
                .array());
        for (int i = 0; i < codes.length; i += 255) {
            int length = Math.min(255, codes.length - i);
            out.write(length);
            out.write(codes, i, length);
        }
        out.write(0);
        out.write(0x3b);
        return out.toByteArray();
    }

    /** Codes that each stand for one pixel more than the one before: 4,000 of 12 bits are eight million pixels. */
    public static byte[] growingCodes(int count) {
        Bits bits = new Bits();
        int width = 3;
        int next = 6;
        bits.put(4, width);
        bits.put(0, width);
        for (int i = 1; i < count; i++) {
            bits.put(next < 4096 ? next : 4095, width);
            if (next < 4096 && ++next == 1 << width && width < 12) {
                width++;
            }
        }
        return bits.bytes();
    }

    // --- WEBP ---

    /** Chunks behind the file's header. */
    public static byte[] webp(byte[]... chunks) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.writeBytes("RIFF\0\0\0\0WEBP".getBytes(StandardCharsets.US_ASCII));
        for (byte[] chunk : chunks) {
            out.writeBytes(chunk);
        }
        byte[] file = out.toByteArray();
        ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN).putInt(4, file.length - 8);
        return file;
    }

    public static byte[] riff(String type, byte[] content) {
        return ByteBuffer.allocate(8 + content.length + (content.length & 1))
                .order(ByteOrder.LITTLE_ENDIAN)
                .put(type.getBytes(StandardCharsets.US_ASCII))
                .putInt(content.length)
                .put(content)
                .array();
    }

    /** @param flags 2 for an animation, 16 for alpha */
    public static byte[] canvas(int flags, int width, int height) {
        return riff(
                "VP8X",
                ByteBuffer.allocate(12)
                        .order(ByteOrder.LITTLE_ENDIAN)
                        .putInt(flags)
                        .putInt(width - 1)
                        .position(7)
                        .putInt(height - 1)
                        .array(),
                10);
    }

    private static byte[] riff(String type, byte[] content, int length) {
        return riff(type, Arrays.copyOf(content, length));
    }

    /** A black frame, lossless: after its size, nothing but the end of five lists and codes of no bits. */
    public static byte[] lossless(int width, int height) {
        Bits bits = size(width, height);
        bits.put(0, 3); // no transform, no colour cache, no meta codes
        codes(bits, 0, 0);
        return riff("VP8L", bits.bytes());
    }

    /** The same after the transform that subtracts green, so many times: each goes through all pixels. */
    public static byte[] transformed(int width, int height, int times) {
        Bits bits = size(width, height);
        for (int i = 0; i < times; i++) {
            bits.put(1, 1);
            bits.put(2, 2);
        }
        bits.put(0, 3);
        codes(bits, 0, 0);
        return riff("VP8L", bits.bytes());
    }

    /** All meta codes are the last of 65,536, so that tables for all of them have to be there: over 300 MiB. */
    public static byte[] metaCodes() {
        return metaCodes(65_536);
    }

    /** @param count of the tables that are there, of 65,536 that are announced */
    public static byte[] metaCodes(int count) {
        Bits bits = size(1500, 1500);
        bits.put(0, 2);
        bits.put(1, 1);
        bits.put(7, 3); // a meta code for each 512 x 512 pixels
        bits.put(0, 1);
        codes(bits, 255, 255);
        for (int group = 0; group < count; group++) {
            codes(bits, 0, 0);
        }
        return riff("VP8L", bits.bytes());
    }

    private static Bits size(int width, int height) {
        Bits bits = new Bits();
        bits.put(0x2f, 8);
        bits.put(width - 1, 14);
        bits.put(height - 1, 14);
        bits.put(0, 4);
        return bits;
    }

    /** Five codes of one symbol each, which take no bits: green, red, and zero for blue, alpha and distance. */
    private static void codes(Bits bits, int green, int red) {
        for (int symbol : new int[] {green, red, 0, 0, 0}) {
            bits.put(1, 2);
            bits.put(1, 1);
            bits.put(symbol, 8);
        }
    }

    /** Least significant bit first. */
    private static final class Bits {
        private final ByteArrayOutputStream out = new ByteArrayOutputStream();
        private long held;
        private int count;

        void put(int value, int width) {
            held |= (long) value << count;
            count += width;
            for (; count >= 8; count -= 8) {
                out.write((int) held);
                held >>>= 8;
            }
        }

        /** The last byte filled with zeros. */
        byte[] bytes() {
            if (count > 0) {
                out.write((int) held);
            }
            return out.toByteArray();
        }
    }

    private static byte[] hex(String text) {
        return HexFormat.of().parseHex(text);
    }
}
