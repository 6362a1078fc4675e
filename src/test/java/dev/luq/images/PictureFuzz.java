package dev.luq.images;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.luq.fuzz.FuzzTarget;
import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import javax.imageio.ImageIO;

/** A picture is refused, or decoded to as many pixels as its header announced, in the memory that it announced. */
public final class PictureFuzz implements FuzzTarget {

    /** More cost time and find nothing that fewer do not. */
    private static final int MOST_PIXELS = 1 << 18;

    private static final long MOST_MEMORY = 64L << 20;

    private final ImageFormat format;

    private PictureFuzz(ImageFormat format) {
        this.format = format;
    }

    public static List<FuzzTarget> all() {
        return Arrays.stream(ImageFormat.values())
                .<FuzzTarget>map(PictureFuzz::new)
                .toList();
    }

    @Override
    public String name() {
        return format.name().toLowerCase(Locale.ROOT);
    }

    @Override
    public List<byte[]> seeds() {
        List<byte[]> seeds = new ArrayList<>();
        switch (format) {
            case WEBP -> {
                for (String name : List.of("alpha", "animated", "lossless", "lossy", "raw_alpha_gradient")) {
                    seeds.add(resource(name + ".webp"));
                }
            }
            case GIF -> {
                seeds.add(drawn(BufferedImage.TYPE_BYTE_INDEXED));
                seeds.add(resource("animated.gif"));
            }
            case PNG, JPEG -> {
                seeds.add(drawn(BufferedImage.TYPE_INT_RGB));
                seeds.add(drawn(BufferedImage.TYPE_BYTE_GRAY));
                if (format == ImageFormat.PNG) {
                    seeds.add(drawn(BufferedImage.TYPE_INT_ARGB));
                    seeds.add(drawn(BufferedImage.TYPE_BYTE_INDEXED));
                    seeds.add(drawn(BufferedImage.TYPE_USHORT_GRAY));
                }
            }
        }
        return seeds;
    }

    private byte[] drawn(int type) {
        BufferedImage image = new BufferedImage(17, 9, type);
        Graphics2D canvas = image.createGraphics();
        canvas.setColor(Color.RED);
        canvas.fillRect(0, 0, 8, 9);
        canvas.dispose();
        try {
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            ImageIO.write(image, name(), out);
            return out.toByteArray();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static byte[] resource(String name) {
        try (InputStream in = PictureFuzz.class.getResourceAsStream("/images/" + name)) {
            return in.readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void run(byte[] input) {
        if (ImageFormat.of(input).filter(format::equals).isEmpty()) {
            return;
        }
        try {
            ImageDecoder decoder = new ImageDecoder(input);
            ImageHeader header = decoder.header();
            if (header.pixels(1) > MOST_PIXELS) {
                return;
            }
            int every = header.every(MOST_PIXELS, MOST_MEMORY);
            Pixels pixels = decoder.decode(every);
            assertEquals(header.pixels(every), (long) pixels.width() * pixels.height());
        } catch (ImageException refused) {
            // as it may be
        }
    }
}
