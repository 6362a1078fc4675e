package dev.luq.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.HashSet;
import java.util.Set;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;

class NoisePictureTest {

    @Test
    void itIsAPngOfRandomPixels() throws IOException {
        BufferedImage image = read(NoisePicture.png(56, 1));
        assertEquals(56, image.getWidth());
        assertEquals(56, image.getHeight());
        Set<Integer> colors = new HashSet<>();
        for (int y = 0; y < 56; y++) {
            for (int x = 0; x < 56; x++) {
                colors.add(image.getRGB(x, y));
            }
        }
        assertTrue(colors.size() > 56 * 56 * 9 / 10, colors.size() + " colours");
    }

    @Test
    void anotherSeedGivesOtherPixels() throws IOException {
        BufferedImage one = read(NoisePicture.png(28, 1));
        BufferedImage other = read(NoisePicture.png(28, 2));
        int same = 0;
        for (int i = 0; i < 28; i++) {
            same += one.getRGB(i, i) == other.getRGB(i, i) ? 1 : 0;
        }
        assertTrue(same < 3, same + " of 28 pixels are the same");
    }

    private static BufferedImage read(byte[] png) throws IOException {
        return ImageIO.read(new ByteArrayInputStream(png));
    }
}
