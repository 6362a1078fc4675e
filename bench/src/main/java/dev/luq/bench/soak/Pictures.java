package dev.luq.bench.soak;

import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.zip.CRC32;
import javax.imageio.ImageIO;

/** Pictures to ask about, drawn once: to draw each anew would take the processors from the server. Thread-safe. */
final class Pictures {

    private static final int COUNT = 32;
    private static final int LONGEST_SIDE = 900;
    /** One side in the other; the server refuses what is longer than twice this. */
    private static final int LONGEST_SHAPE = 100;

    private static final List<String> FORMATS = List.of("png", "jpg", "gif");

    private final List<byte[]> files = new ArrayList<>();
    private final byte[] bomb = header(30_000, 30_000);

    Pictures(long seed) {
        Random random = new Random(seed);
        files.add(draw(random, 1, 1, "png"));
        while (files.size() < COUNT) {
            // Small ones are common, large ones are there.
            int width = 1 + random.nextInt(1 + random.nextInt(LONGEST_SIDE));
            int height = 1 + random.nextInt(LONGEST_SIDE);
            String format = FORMATS.get(random.nextInt(FORMATS.size()));
            files.add(draw(
                    random,
                    Math.max(width, height / LONGEST_SHAPE + 1),
                    Math.max(height, width / LONGEST_SHAPE + 1),
                    format));
        }
    }

    byte[] any(Random random) {
        return files.get(random.nextInt(files.size()));
    }

    /** A PNG that would take gigabytes. */
    byte[] bomb() {
        return bomb;
    }

    private static byte[] draw(Random random, int width, int height, String format) {
        BufferedImage image = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
        Graphics2D canvas = image.createGraphics();
        for (int i = 0; i < 20; i++) {
            canvas.setColor(new Color(random.nextInt(1 << 24)));
            canvas.fillOval(
                    random.nextInt(width),
                    random.nextInt(height),
                    1 + random.nextInt(width),
                    1 + random.nextInt(height));
        }
        canvas.dispose();
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try {
            ImageIO.write(image, format, out);
        } catch (IOException e) {
            throw new AssertionError("memory takes everything", e);
        }
        return out.toByteArray();
    }

    private static byte[] header(int width, int height) {
        byte[] chunk = ByteBuffer.allocate(17)
                .put("IHDR".getBytes(StandardCharsets.US_ASCII))
                .putInt(width)
                .putInt(height)
                .put(new byte[] {8, 2, 0, 0, 0})
                .array();
        CRC32 sum = new CRC32();
        sum.update(chunk);
        return ByteBuffer.allocate(33)
                .put(new byte[] {(byte) 0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'})
                .putInt(13)
                .put(chunk)
                .putInt((int) sum.getValue())
                .array();
    }
}
