package dev.luq.bench;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Random;
import java.util.zip.CRC32;
import java.util.zip.Deflater;

/** Square pictures of noise as PNG files that are not compressed: made so fast that a client can send a new one each time. */
final class NoisePicture {

    private static final byte[] SIGNATURE = {(byte) 0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'};

    private NoisePicture() {}

    /**
     * Makes a picture.
     *
     * @param side in pixels
     * @param seed another one gives other pixels
     */
    static byte[] png(int side, long seed) {
        // Each line begins with the number of its filter: none.
        byte[] lines = new byte[side * (1 + 3 * side)];
        new Random(seed).nextBytes(lines);
        for (int y = 0; y < side; y++) {
            lines[y * (1 + 3 * side)] = 0;
        }
        byte[] header = ByteBuffer.allocate(13)
                .putInt(side)
                .putInt(side)
                .put(new byte[] {8, 2, 0, 0, 0}) // bits a sample, RGB; the only compression and filters; not interlaced
                .array();
        ByteArrayOutputStream png = new ByteArrayOutputStream(lines.length + 1024);
        png.writeBytes(SIGNATURE);
        chunk(png, "IHDR", header);
        chunk(png, "IDAT", stored(lines));
        chunk(png, "IEND", new byte[0]);
        return png.toByteArray();
    }

    private static byte[] stored(byte[] bytes) {
        Deflater deflater = new Deflater(Deflater.NO_COMPRESSION);
        try {
            deflater.setInput(bytes);
            deflater.finish();
            ByteArrayOutputStream stored = new ByteArrayOutputStream(bytes.length + 1024);
            byte[] piece = new byte[1 << 16];
            while (!deflater.finished()) {
                stored.write(piece, 0, deflater.deflate(piece));
            }
            return stored.toByteArray();
        } finally {
            deflater.end();
        }
    }

    private static void chunk(ByteArrayOutputStream png, String type, byte[] data) {
        byte[] name = type.getBytes(StandardCharsets.US_ASCII);
        CRC32 sum = new CRC32();
        sum.update(name);
        sum.update(data);
        png.writeBytes(ByteBuffer.allocate(4).putInt(data.length).array());
        png.writeBytes(name);
        png.writeBytes(data);
        png.writeBytes(ByteBuffer.allocate(4).putInt((int) sum.getValue()).array());
    }
}
