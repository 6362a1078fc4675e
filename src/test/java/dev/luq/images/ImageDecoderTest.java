package dev.luq.images;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.luq.openai.images.TestImages;
import java.awt.image.BufferedImage;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The pixels are those that other decoders make of the same file. */
class ImageDecoderTest {

    private static final long MEMORY = 256L << 20;
    private static final int LOW_DETAIL = 512 * 512;

    // --- JPEG ---

    @ParameterizedTest
    @ValueSource(strings = {"CMYK", "\1\2\3\4", "RGBA", "YCcA"})
    void fourComponentsAreCmykHoweverTheyAreNumbered(String ids) {
        byte[] numbered = withoutAdobeSegment(TestImages.resource("cmyk.jpg"));
        int frame = indexOf(numbered, "ffc0");
        int scan = indexOf(numbered, "ffda");
        for (int i = 0; i < 4; i++) {
            numbered[frame + 10 + 3 * i] = (byte) ids.charAt(i);
            numbered[scan + 5 + 2 * i] = (byte) ids.charAt(i);
        }
        Pixels pixels = new ImageDecoder(numbered).decode(1);
        assertEquals("255 0 0", colour(pixels, 5, 5));
        assertEquals("0 0 255", colour(pixels, 35, 5));
        assertArrayEquals(decode("cmyk.jpg").rgb(), pixels.rgb());
    }

    @ParameterizedTest
    @ValueSource(strings = {"progressive.jpg", "restarts.jpg", "cmyk.jpg", "orientation6.jpg"})
    void aJpegThatIsCompleteNeedsNoEndMarker(String name) {
        byte[] whole = TestImages.resource(name);
        byte[] expected = new ImageDecoder(whole).decode(1).rgb();
        for (int padding : new int[] {0, 1, 2, 64, 100_000}) {
            byte[] padded = Arrays.copyOf(Arrays.copyOf(whole, whole.length - 2), whole.length - 2 + padding);
            assertArrayEquals(expected, new ImageDecoder(padded).decode(1).rgb(), padding + " zeros");
        }
        byte[] halfAMarker = Arrays.copyOf(whole, whole.length - 1);
        assertArrayEquals(expected, new ImageDecoder(halfAMarker).decode(1).rgb());
    }

    @Test
    void everyStartOfAJpegIsRefused() {
        for (byte[] whole : jpegs()) {
            for (int length = 0; length < whole.length - 4; length++) {
                assertCutOff(whole, length, 0);
            }
        }
    }

    @Test
    void zerosInPlaceOfTheRestAreNotTakenForPixels() {
        for (byte[] whole : jpegs()) {
            for (int length = 0; length < whole.length * 9 / 10; length++) {
                assertCutOff(whole, length, 2 * whole.length);
            }
        }
    }

    private static List<byte[]> jpegs() {
        return List.of(
                TestImages.resource("progressive.jpg"),
                TestImages.resource("restarts.jpg"),
                TestImages.resource("cmyk.jpg"),
                TestImages.encode(noise(24, 24), "jpg"));
    }

    private static void assertCutOff(byte[] whole, int length, int zeros) {
        byte[] start = Arrays.copyOf(Arrays.copyOf(whole, length), length + zeros);
        assertThrows(
                ImageException.class,
                () -> new ImageDecoder(start).decode(1),
                length + " of " + whole.length + " bytes and " + zeros + " zeros");
    }

    private static BufferedImage noise(int width, int height) {
        BufferedImage noise = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
        Random random = new Random(1);
        for (int y = 0; y < height; y++) {
            for (int x = 0; x < width; x++) {
                noise.setRGB(x, y, random.nextInt());
            }
        }
        return noise;
    }

    private static byte[] withoutAdobeSegment(byte[] jpeg) {
        int from = indexOf(jpeg, "ffee");
        byte[] rest = Arrays.copyOf(jpeg, jpeg.length - 16);
        System.arraycopy(jpeg, from + 16, rest, from, rest.length - from);
        return rest;
    }

    private static int indexOf(byte[] file, String hex) {
        return HexFormat.of().formatHex(file).indexOf(hex) / 2;
    }

    // --- WEBP ---

    @Test
    void aLossyWebpHasTheColoursOfItsPngInEachQuarter() {
        Pixels webp = decode("sky.webp");
        Pixels png = decode("sky.png");
        for (int quarter = 0; quarter < 4; quarter++) {
            for (int channel = 0; channel < 3; channel++) {
                double error = meanError(webp, png, quarter % 2, quarter / 2, channel);
                assertTrue(error < 2, "quarter " + quarter + ", channel " + channel + ": " + error);
            }
        }
    }

    private static double meanError(Pixels actual, Pixels expected, int right, int lower, int channel) {
        int width = expected.width() / 2;
        int height = expected.height() / 2;
        double sum = 0;
        for (int y = lower * height; y < (lower + 1) * height; y++) {
            for (int x = right * width; x < (right + 1) * width; x++) {
                sum += Math.abs(sample(actual, x, y, channel) - sample(expected, x, y, channel));
            }
        }
        return sum / (width * height);
    }

    @Test
    void aWebpOfOneColourIsDecodedHoweverFewBytesItHas() {
        byte[] black = Tricks.webp(Tricks.lossless(2000, 1000));
        assertEquals(2000, new ImageDecoder(black).decode(1).width());
    }

    @ParameterizedTest
    @ValueSource(strings = {"none", "horizontal", "vertical", "gradient"})
    void anAlphaChannelThatIsNotCompressedIsReadWithEachFilter(String filter) {
        Pixels png = decode("raw_alpha.png");
        ImageDecoder webp = new ImageDecoder(TestImages.resource("raw_alpha_" + filter + ".webp"));
        for (int every = 1; every <= 3; every++) {
            Pixels kept = webp.decode(every);
            for (int y = 0; y < kept.height(); y++) {
                for (int x = 0; x < kept.width(); x++) {
                    for (int channel = 0; channel < 3; channel++) {
                        assertEquals(
                                sample(png, every * x, every * y, channel),
                                sample(kept, x, y, channel),
                                2,
                                x + ", " + y + " of every " + every);
                    }
                }
            }
        }
    }

    @Test
    void anAlphaChannelHasAllPixelsAndAKnownCompression() {
        assertEquals(40, ImageHeader.read(withAlpha(0, 40 * 30)).width());
        assertThrows(ImageException.class, () -> ImageHeader.read(withAlpha(0, 40 * 30 - 1)));
        assertThrows(ImageException.class, () -> ImageHeader.read(withAlpha(2, 40 * 30)));
        assertThrows(ImageException.class, () -> ImageHeader.read(withAlpha(3, 40 * 30)));
    }

    /** 40 x 30 pixels under an alpha channel of so many bytes behind the one that says how they are packed. */
    private static byte[] withAlpha(int packing, int length) {
        byte[] frame = TestImages.resource("lossy.webp");
        byte[] alpha = new byte[1 + length];
        alpha[0] = (byte) packing;
        return Tricks.webp(
                Tricks.canvas(16, 40, 30), Tricks.riff("ALPH", alpha), Arrays.copyOfRange(frame, 12, frame.length));
    }

    // --- all ---

    @Test
    void thinLinesOfALargePictureAreSeenInASmallOne() {
        BufferedImage lines = new BufferedImage(1920, 1080, BufferedImage.TYPE_BYTE_GRAY);
        for (int x = 0; x < 1920; x++) {
            for (int y = 0; y < 1080; y++) {
                lines.getRaster().setSample(x, y, 0, isLine(x) ? 0 : 255);
            }
        }
        ImageDecoder decoder = new ImageDecoder(TestImages.encode(lines, "png"));
        Pixels small =
                decoder.decode(decoder.header().every(LOW_DETAIL, MEMORY)).within(LOW_DETAIL);
        for (int x = 101; x < 1920; x += 100) {
            int column = x * small.width() / 1920;
            int darkest = Math.min(sample(small, column, 100, 0), sample(small, column + 1, 100, 0));
            assertTrue(darkest < 200, "the line at " + x + " is " + darkest);
        }
    }

    private static boolean isLine(int x) {
        return x > 100 && x % 100 == 1;
    }

    private static Pixels decode(String name) {
        return new ImageDecoder(TestImages.resource(name)).decode(1);
    }

    private static String colour(Pixels pixels, int x, int y) {
        return sample(pixels, x, y, 0) + " " + sample(pixels, x, y, 1) + " " + sample(pixels, x, y, 2);
    }

    private static int sample(Pixels pixels, int x, int y, int channel) {
        return pixels.rgb()[3 * (y * pixels.width() + x) + channel] & 0xff;
    }
}
