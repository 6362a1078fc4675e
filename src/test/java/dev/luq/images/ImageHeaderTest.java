package dev.luq.images;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.luq.openai.images.TestImages;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.Random;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a file's structure says is known, and judged, before anything is decoded. */
class ImageHeaderTest {

    private static final long MEMORY = 384L << 20;
    private static final int WANTED = 1 << 22;

    // --- JPEG ---

    @ParameterizedTest
    @ValueSource(strings = {"c3", "c5", "c6", "c7", "c8", "c9", "ca", "cb", "cd", "ce", "cf"})
    void losslessHierarchicalAndArithmeticJpeg(String marker) {
        assertRefused(
                "not supported: save it as a baseline JPEG",
                Tricks.jpeg(
                        Tricks.frame(marker, 8, 6300, 6300, "011100", "021100", "031100"),
                        "ffda000c03010002000300010000"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"cc", "de", "df"})
    void whatOnlySuchJpegHave(String marker) {
        assertRefused("not supported", Tricks.jpeg(Tricks.segment(marker, new byte[4])));
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 12, 16})
    void otherBitsThanEight(int precision) {
        assertRefused(precision + " bits", Tricks.jpeg(Tricks.frame("c1", precision, 8, 8, "011100")));
    }

    @Test
    void numbersOfComponents() {
        assertRefused("2 components", Tricks.jpeg(Tricks.frame("c0", 8, 8, 8, "011100", "021100")));
        String[] many = new String[255];
        Arrays.fill(many, "011100");
        assertRefused("255 components", Tricks.jpeg(Tricks.frame("c0", 8, 8, 8, many)));
        assertRefused("0 components", Tricks.jpeg(Tricks.frame("c0", 8, 8, 8)));
    }

    @ParameterizedTest
    @ValueSource(strings = {"00", "01", "10", "51", "15", "ff"})
    void samplingFactors(String factors) {
        assertRefused(
                "damaged", Tricks.jpeg(Tricks.frame("c0", 8, 8, 8, "01" + factors + "00"), "ffda0008010100003f00"));
    }

    @Test
    void aFrameWithoutHeightOrTwice() {
        String scan = "ffda0008010100003f00";
        assertRefused("damaged", Tricks.jpeg(Tricks.frame("c0", 8, 8, 0, "011100"), scan));
        assertRefused(
                "damaged",
                Tricks.jpeg(
                        Tricks.frame("c0", 8, 8, 8, "011100"), Tricks.frame("c0", 8, 60000, 60000, "011100"), scan));
        assertRefused("damaged", Tricks.jpeg(scan));
        assertRefused("damaged", Tricks.jpeg(Tricks.frame("c0", 8, 8, 8, "011100")));
    }

    @Test
    void scansAreCountedAndWeighed() {
        assertEquals(64, ImageHeader.read(Tricks.progressive(64, 64, 100)).width());
        assertTooLarge("too many scans", Tricks.progressive(64, 64, 101));
        // A scan of 6300 x 6300 pixels goes through 620,944 blocks.
        assertEquals(6300, ImageHeader.read(Tricks.progressive(6300, 6300, 20)).width());
        assertTooLarge("too many scans", Tricks.progressive(16_000, 16_000, 20));
    }

    @Test
    void coefficientsOfAllScansAreCounted() {
        ImageHeader baseline = ImageHeader.read(Tricks.baseline(4096, 4096));
        ImageHeader progressive = ImageHeader.read(Tricks.progressive(4096, 4096, 10));
        assertEquals(4096 * 4096 * 2, progressive.memory(4) - baseline.memory(4), 1 << 18);
        ImageHeader oneOfThree = ImageHeader.read(Tricks.oneComponentOfThree(4096, 4096));
        assertTrue(oneOfThree.memory(4) > 3 * 4096 * 4096 * 2, "decoders make room for the scans that may follow");
    }

    @Test
    void noDecoderSeesWhatAJpegCarriesBeside() {
        byte[] icc = ByteBuffer.allocate(60_000)
                .put("ICC_PROFILE\0\1\1".getBytes(StandardCharsets.US_ASCII))
                .array();
        byte[] exif = new byte[65_000];
        Arrays.fill(exif, (byte) 0xff);
        System.arraycopy("Exif\0\0II*\0\b\0\0\0".getBytes(StandardCharsets.US_ASCII), 0, exif, 0, 14);
        byte[] thumbnail = ByteBuffer.allocate(14 + 3 * 255 * 80)
                .put("JFIF\0\1\1\0\0\1\0\1".getBytes(StandardCharsets.US_ASCII))
                .put((byte) 255)
                .put((byte) 80)
                .array();
        byte[] loaded = Tricks.baseline(
                16,
                8,
                Tricks.segment("e0", thumbnail),
                Tricks.segment("e1", exif),
                Tricks.segment("e2", icc).repeat(20),
                Tricks.segment("fe", new byte[65_000]));
        assertArrayEquals(
                new ImageDecoder(Tricks.baseline(16, 8)).decode(1).rgb(),
                new ImageDecoder(loaded).decode(1).rgb());
    }

    @Test
    void moreSegmentsThanAnyJpegHas() {
        assertRefused("damaged", Tricks.baseline(8, 8, "fffe0002".repeat(30_000)));
    }

    // --- PNG ---

    @Test
    void noDecoderSeesTheTextsOfAPng() {
        byte[] text = ByteBuffer.allocate(200_000)
                .put("a\0\0".getBytes(StandardCharsets.US_ASCII))
                .put(Tricks.deflated(64 << 20))
                .array();
        byte[] pixels = Tricks.chunk("IDAT", Tricks.deflated(4 * 13));
        byte[] end = Tricks.chunk("IEND", new byte[0]);
        byte[] bare = Tricks.png(Tricks.ihdr(4, 4, 8, 2, 0), pixels, end);
        byte[] loaded = Tricks.png(
                Tricks.ihdr(4, 4, 8, 2, 0),
                Tricks.chunk("zTXt", text),
                Tricks.chunk("iTXt", text),
                Tricks.chunk("tEXt", text),
                Tricks.chunk("iCCP", text),
                Tricks.chunk("eXIf", text),
                pixels,
                Tricks.chunk("zTXt", text),
                end);
        assertArrayEquals(
                new ImageDecoder(bare).decode(1).rgb(),
                new ImageDecoder(loaded).decode(1).rgb());
        assertTrue(ImageHeader.read(loaded).memory(1) < 16 << 20);
    }

    @Test
    void pixelDataInPieces() {
        byte[] packed = Tricks.deflated(4 * 13);
        byte[][] chunks = new byte[packed.length * 2 + 2][];
        chunks[0] = Tricks.ihdr(4, 4, 8, 2, 0);
        for (int i = 0; i < packed.length; i++) {
            chunks[2 * i + 1] = Tricks.chunk("IDAT", new byte[0]);
            chunks[2 * i + 2] = Tricks.chunk("IDAT", new byte[] {packed[i]});
        }
        chunks[chunks.length - 1] = Tricks.chunk("IEND", new byte[0]);
        assertEquals(4, new ImageDecoder(Tricks.png(chunks)).decode(1).width());
    }

    @Test
    void moreDataThanPixelsIsNotUnpacked() {
        byte[] bomb = Tricks.png(
                Tricks.ihdr(4, 4, 8, 2, 1),
                Tricks.chunk("IDAT", Tricks.deflated(64 << 20)),
                Tricks.chunk("IEND", new byte[0]));
        assertEquals(4, new ImageDecoder(bomb).decode(1).width());
    }

    @ParameterizedTest
    @CsvSource({"0,4,8,2,0", "4,0,8,2,0", "-1,4,8,2,0", "4,4,3,0,0", "4,4,16,3,0", "4,4,4,2,0", "4,4,8,5,0", "4,4,8,2,2"
    })
    void headersThatPngDoesNotHave(int width, int height, int depth, int colour, int interlace) {
        assertRefused(
                "damaged",
                Tricks.png(
                        Tricks.ihdr(width, height, depth, colour, interlace),
                        Tricks.chunk("IDAT", new byte[8]),
                        Tricks.chunk("IEND", new byte[0])));
    }

    @Test
    void palettesThatPngDoesNotHave() {
        for (String type : new String[] {"PLTE", "tRNS"}) {
            assertRefused(
                    "damaged",
                    Tricks.png(
                            Tricks.ihdr(4, 4, 8, 3, 0),
                            Tricks.chunk(type, new byte[1 << 20]),
                            Tricks.chunk("IDAT", new byte[8]),
                            Tricks.chunk("IEND", new byte[0])));
        }
    }

    @Test
    void samplesOfAPngAreCounted() {
        long grey = png(1000, 8, 0).memory(1);
        assertTrue(png(1000, 16, 6).memory(1) - grey > 7_000_000, "eight bytes a pixel against one");
    }

    private static ImageHeader png(int side, int depth, int colour) {
        return ImageHeader.read(
                Tricks.png(Tricks.ihdr(side, side, depth, colour, 0), Tricks.chunk("IDAT", new byte[8])));
    }

    // --- GIF ---

    @Test
    void theScreenOfAGifCounts() {
        ImageHeader bomb = ImageHeader.read(Tricks.gif(65_535, 65_535, 0, 0, 1, 1, Tricks.growingCodes(4)));
        assertEquals(65_535L * 65_535, bomb.pixels(1));
    }

    @Test
    void aFrameBeyondTheScreenOfAGif() {
        ImageHeader beside = ImageHeader.read(Tricks.gif(10, 10, 60_000, 60_000, 5, 5, Tricks.growingCodes(10)));
        assertEquals(60_005L * 60_005, beside.pixels(1));
        Pixels larger = new ImageDecoder(Tricks.gif(1, 1, 0, 0, 3, 2, Tricks.growingCodes(10))).decode(1);
        assertEquals("3 x 2", larger.width() + " x " + larger.height());
    }

    @Test
    void aGifEndsWithItsLastPixel() {
        // A million codes of up to 4,091 pixels each.
        byte[] bomb = Tricks.gif(10, 10, 0, 0, 10, 10, Tricks.growingCodes(1_000_000));
        Pixels pixels = assertTimeoutPreemptively(Duration.ofSeconds(10), () -> new ImageDecoder(bomb).decode(1));
        assertEquals(0xff, pixels.rgb()[0] & 0xff);
    }

    @Test
    void aGifThatEndsBeforeItsLastPixel() {
        ImageException refused = assertThrows(
                ImageException.class,
                () -> new ImageDecoder(Tricks.gif(100, 100, 0, 0, 100, 100, Tricks.growingCodes(10))).decode(1));
        assertTrue(refused.getMessage().contains("incomplete"));
    }

    @Test
    void gifsAreWhatTheDecoderOfTheJdkMakesOfThem() throws IOException {
        for (int type : new int[] {BufferedImage.TYPE_INT_RGB, BufferedImage.TYPE_BYTE_GRAY}) {
            BufferedImage noise = new BufferedImage(150, 130, type);
            Random random = new Random(3);
            for (int y = 0; y < 130; y++) {
                for (int x = 0; x < 150; x++) {
                    noise.setRGB(x, y, (random.nextInt(4) * 0x40) * 0x010101);
                }
            }
            byte[] gif = TestImages.encode(noise, "gif");
            BufferedImage expected = ImageIO.read(new ByteArrayInputStream(gif));
            assertArrayEquals(
                    Rasters.rgb(expected).rgb(), new ImageDecoder(gif).decode(1).rgb());
        }
    }

    // --- WEBP ---

    @Test
    void aFrameLargerThanItsCanvas() {
        assertRefused("does not fit its canvas", Tricks.webp(Tricks.canvas(0, 1, 1), Tricks.lossless(16_000, 16_000)));
        assertRefused("does not fit its canvas", Tricks.webp(Tricks.canvas(0, 300, 300), Tricks.lossless(1, 1)));
        assertEquals(
                30,
                ImageHeader.read(Tricks.webp(Tricks.canvas(0, 30, 20), Tricks.lossless(30, 20)))
                        .width());
    }

    @Test
    void anAnimationsFrameLiesOnItsCanvas() {
        assertRefused("does not fit its canvas", animation(10, 10, 0, 0, 16_000, 16_000));
        assertRefused("does not fit its canvas", animation(10, 10, 5, 5, 8, 8));
        assertRefused("damaged", Tricks.webp(Tricks.canvas(2, 10, 10)));
        Pixels first = new ImageDecoder(animation(10, 8, 2, 1, 4, 3)).decode(1);
        assertEquals("10 x 8", first.width() + " x " + first.height());
        assertEquals(0xff, first.rgb()[0] & 0xff, "white around the frame");
        assertEquals(0, first.rgb()[3 * (2 * 10 + 4)], "which begins at 4, 2");
    }

    private static byte[] animation(
            int canvasWidth, int canvasHeight, int halfLeft, int halfTop, int width, int height) {
        byte[] frame = Tricks.lossless(width, height);
        byte[] header = {
            (byte) halfLeft,
            0,
            0,
            (byte) halfTop,
            0,
            0,
            (byte) (width - 1),
            (byte) (width - 1 >> 8),
            0,
            (byte) (height - 1),
            (byte) (height - 1 >> 8),
            0,
            0,
            0,
            0,
            0
        };
        return Tricks.webp(
                Tricks.canvas(2, canvasWidth, canvasHeight),
                Tricks.riff("ANIM", new byte[6]),
                Tricks.riff(
                        "ANMF",
                        ByteBuffer.allocate(header.length + frame.length)
                                .put(header)
                                .put(frame)
                                .array()));
    }

    @Test
    void aWebpIsDecodedWhole() {
        ImageHeader large = ImageHeader.read(Tricks.webp(Tricks.lossless(16_000, 16_000)));
        ImageException refused = assertThrows(ImageException.class, () -> large.every(WANTED, MEMORY));
        assertTrue(refused.isTooLarge());
        assertTrue(refused.getMessage().contains("send it as JPEG"), refused.getMessage());
    }

    @Test
    void chunksBeyondTheFile() {
        byte[] file = Tricks.webp(Tricks.lossless(30, 20), Tricks.riff("XXXX", new byte[100]));
        file[file.length - 101] = 0x7f;
        assertRefused("damaged", file);
    }

    // --- all ---

    @Test
    void pixelsAreSkippedForTheMemoryBeforeAnImageIsRefused() {
        ImageHeader header = new ImageHeader(ImageFormat.PNG, 4000, 4000, 1, 0, 8);
        assertEquals(1, header.every(WANTED, MEMORY));
        assertEquals(2, header.every(1 << 21, 100 << 20));
        assertThrows(ImageException.class, () -> header.every(WANTED, 10 << 20));
    }

    @Test
    void whatNoArrayHoldsIsNotDecoded() {
        for (byte[] file : new byte[][] {
            Tricks.gif(1, 1, 0, 0, 65_535, 65_535, Tricks.growingCodes(4)),
            Tricks.png(Tricks.ihdr(Integer.MAX_VALUE, Integer.MAX_VALUE, 8, 2, 0), Tricks.chunk("IDAT", new byte[8]))
        }) {
            assertTrue(assertThrows(ImageException.class, () -> new ImageDecoder(file).decode(1000))
                    .isTooLarge());
        }
    }

    @Test
    void everyStartOfAFileIsJudged() {
        for (byte[] file : new byte[][] {
            Tricks.baseline(8, 8),
            Tricks.webp(Tricks.canvas(0, 30, 20), Tricks.lossless(30, 20)),
            animation(10, 8, 2, 1, 4, 3),
            Tricks.gif(10, 10, 0, 0, 10, 10, Tricks.growingCodes(99)),
            Tricks.png(
                    Tricks.ihdr(4, 4, 8, 2, 0),
                    Tricks.chunk("IDAT", Tricks.deflated(4 * 13)),
                    Tricks.chunk("IEND", new byte[0]))
        }) {
            ImageHeader.read(file);
            for (int length = 0; length < file.length - 12; length++) {
                byte[] start = Arrays.copyOf(file, length);
                assertThrows(ImageException.class, () -> ImageHeader.read(start), "the first " + length + " bytes");
            }
        }
    }

    private static void assertRefused(String part, byte[] file) {
        ImageException refused = assertThrows(ImageException.class, () -> ImageHeader.read(file));
        assertTrue(refused.getMessage().contains(part), refused.getMessage());
        assertFalse(refused.isTooLarge());
    }

    private static void assertTooLarge(String part, byte[] file) {
        ImageException refused = assertThrows(ImageException.class, () -> ImageHeader.read(file));
        assertTrue(refused.getMessage().contains(part), refused.getMessage());
        assertTrue(refused.isTooLarge());
    }
}
