package dev.luq.images;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.luq.openai.images.TestImages;
import org.junit.jupiter.api.Test;

/** The pixels are those that other decoders make of the same file. */
class ImageDecoderTest {

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

    private static Pixels decode(String name) {
        return new ImageDecoder(TestImages.resource(name)).decode(1);
    }

    private static int sample(Pixels pixels, int x, int y, int channel) {
        return pixels.rgb()[3 * (y * pixels.width() + x) + channel] & 0xff;
    }
}
