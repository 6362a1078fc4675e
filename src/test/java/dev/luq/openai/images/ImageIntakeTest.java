package dev.luq.openai.images;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.luq.Integration;
import dev.luq.decoder.DecoderPool;
import dev.luq.decoder.TestDecoders;
import dev.luq.http.errors.ApiException;
import dev.luq.http.intake.IntakeBudget;
import dev.luq.http.intake.ReceivedBody;
import dev.luq.http.intake.TestBodies;
import dev.luq.images.ImageFormat;
import dev.luq.images.Pixels;
import dev.luq.images.Tricks;
import dev.luq.protocol.ServerFrame;
import dev.luq.serving.TestConfig;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;
import java.util.Collections;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@Integration
class ImageIntakeTest {

    private static final int[] RED = {255, 0, 0};
    private static final int[] BLUE = {0, 0, 255};
    private static final int[] WHITE = {255, 255, 255};

    private static final Asker ASKER = new Asker("client", () -> false);
    private static final ImagesConfig DEFAULTS = TestConfig.of(ImagesConfig.class, Map.of());

    private static DecoderPool decoders;

    private final IntakeBudget budget = new IntakeBudget(1L << 30, 1 << 26);
    private final ImageIntake intake = intake(decoders);

    private static ImageIntake intake(DecoderPool pool) {
        return new ImageIntake(DEFAULTS, pool, new ImageSources(DEFAULTS, new ImageFetcher(DEFAULTS, null)));
    }

    @BeforeAll
    static void startDecoders() {
        decoders = TestDecoders.pool(Map.of());
    }

    @AfterAll
    static void endDecoders() {
        decoders.close();
    }

    @ParameterizedTest
    @CsvSource({"png,0", "gif,0", "jpg,40"})
    void formatsOfTheJdk(String format, int tolerance) {
        ServerFrame.Image image =
                decode(TestImages.encode(TestImages.redAndBlue(40, 30, BufferedImage.TYPE_INT_RGB), format));
        assertRedAndBlue(image, tolerance);
    }

    @ParameterizedTest
    @CsvSource({
        "lossless.webp,0",
        "lossy.webp,40",
        "animated.webp,0",
        "animated.gif,0",
        "cmyk.jpg,8",
        "progressive.jpg,8"
    })
    void otherFormats(String name, int tolerance) {
        assertRedAndBlue(decode(TestImages.resource(name)), tolerance);
    }

    @ParameterizedTest
    @ValueSource(strings = {"orientation6.jpg", "orientation6.webp", "orientation6.png"})
    void exifOrientationIsApplied(String name) {
        assertRedAndBlue(decode(TestImages.resource(name)), 8);
    }

    @Test
    void everyOrientationOfTheStandard() {
        // Two rows: 1 2 3 / 4 5 6, as one grey byte each.
        Pixels stored = pixels(3, 1, 2, 3, 4, 5, 6);
        assertArrayEquals(new int[] {1, 2, 3, 4, 5, 6}, greys(stored.upright(1)));
        assertArrayEquals(new int[] {3, 2, 1, 6, 5, 4}, greys(stored.upright(2)), "mirrored");
        assertArrayEquals(new int[] {6, 5, 4, 3, 2, 1}, greys(stored.upright(3)), "upside down");
        assertArrayEquals(new int[] {4, 5, 6, 1, 2, 3}, greys(stored.upright(4)), "mirrored, upside down");
        assertArrayEquals(new int[] {1, 4, 2, 5, 3, 6}, greys(stored.upright(5)), "rows are columns");
        assertArrayEquals(new int[] {4, 1, 5, 2, 6, 3}, greys(stored.upright(6)), "turn clockwise");
        assertArrayEquals(new int[] {6, 3, 5, 2, 4, 1}, greys(stored.upright(7)), "transposed over the other diagonal");
        assertArrayEquals(new int[] {3, 6, 2, 5, 1, 4}, greys(stored.upright(8)), "turn counter-clockwise");
    }

    @Test
    void damagedExifCountsAsUpright() {
        byte[] jpeg = TestImages.resource("orientation6.jpg");
        int exif = new String(jpeg, StandardCharsets.ISO_8859_1).indexOf("Exif");
        Arrays.fill(jpeg, exif + 6, exif + 20, (byte) 0xff);
        assertEquals(30, decode(jpeg).width(), "stored width");
    }

    @Test
    void greySamplesKeepTheirValues() {
        BufferedImage grey = new BufferedImage(4, 4, BufferedImage.TYPE_BYTE_GRAY);
        grey.getRaster().setSample(1, 0, 0, 100);
        assertPixel(decode(TestImages.encode(grey, "png")), 1, 0, new int[] {100, 100, 100}, 0);
    }

    @Test
    void sixteenBitsBecomeEight() {
        BufferedImage grey = new BufferedImage(4, 4, BufferedImage.TYPE_USHORT_GRAY);
        grey.getRaster().setSample(1, 0, 0, 100 * 257);
        assertPixel(decode(TestImages.encode(grey, "png")), 1, 0, new int[] {100, 100, 100}, 0);
    }

    @Test
    void transparencyIsWhite() {
        BufferedImage image = new BufferedImage(2, 1, BufferedImage.TYPE_INT_ARGB);
        image.setRGB(0, 0, 0x00ff0000);
        image.setRGB(1, 0, 0x800000ff);
        ServerFrame.Image decoded = decode(TestImages.encode(image, "png"));
        assertPixel(decoded, 0, 0, WHITE, 0);
        assertPixel(decoded, 1, 0, new int[] {127, 127, 255}, 1);

        ServerFrame.Image webp = decode(TestImages.resource("alpha.webp"));
        assertPixel(webp, 5, 2, WHITE, 0);
        assertPixel(webp, 5, 28, RED, 0);
    }

    @Test
    void palettes() {
        assertRedAndBlue(
                decode(TestImages.encode(TestImages.redAndBlue(40, 30, BufferedImage.TYPE_BYTE_INDEXED), "png")), 0);
    }

    @Test
    void theFirstFrameOfAGifLiesOnItsScreen() {
        byte[] gif = TestImages.encode(TestImages.redAndBlue(4, 4, BufferedImage.TYPE_INT_RGB), "gif");
        // Logical screen 10 x 8, frame at 5, 3.
        gif[6] = 10;
        gif[8] = 8;
        int descriptor = indexOfImageDescriptor(gif);
        gif[descriptor + 1] = 5;
        gif[descriptor + 3] = 3;
        ServerFrame.Image image = decode(gif);
        assertEquals(10, image.width());
        assertEquals(8, image.height());
        assertPixel(image, 0, 0, WHITE, 0);
        assertPixel(image, 5, 3, RED, 0);
        assertPixel(image, 8, 6, BLUE, 0);
        assertPixel(image, 9, 7, WHITE, 0);
    }

    @Test
    void contentDecidesNotTheDeclaredType() {
        byte[] png = TestImages.encode(TestImages.redAndBlue(40, 30, BufferedImage.TYPE_INT_RGB), "png");
        String url = TestImages.dataUrl(png).replace("image/png", "application/pdf");
        assertRedAndBlue(decode(url, Detail.AUTO), 0);
    }

    @Test
    void identityIsOfThePixels() {
        BufferedImage picture = TestImages.redAndBlue(40, 30, BufferedImage.TYPE_INT_RGB);
        ServerFrame.Image png = decode(TestImages.encode(picture, "png"));
        ServerFrame.Image gif = decode(TestImages.encode(picture, "gif"));
        assertEquals(png.sha256(), gif.sha256());
        assertTrue(png.sha256().matches("[0-9a-f]{64}"));
        ServerFrame.Image other =
                decode(TestImages.encode(TestImages.redAndBlue(30, 40, BufferedImage.TYPE_INT_RGB), "png"));
        assertFalse(png.sha256().equals(other.sha256()));
    }

    @Test
    void imagesWithinTheLimitAreNotScaled() {
        ServerFrame.Image image = decode(TestImages.png(2048, 2048), Detail.HIGH);
        assertEquals(2048, image.width());
        assertEquals(2048, image.height());
    }

    @Test
    void lowDetailIsASmallerImageOfTheSameShape() {
        ServerFrame.Image image = decode(TestImages.png(1000, 500), Detail.LOW);
        assertTrue((long) image.width() * image.height() <= 262_144);
        assertEquals(2.0, (double) image.width() / image.height(), 0.01);
        assertPixel(image, 10, 10, RED, 0);
        assertPixel(image, image.width() - 10, 10, BLUE, 0);
    }

    @Test
    void largeImagesAreScaledToTheLimit() {
        ServerFrame.Image image = decode(TestImages.png(5000, 4000), Detail.AUTO);
        assertTrue((long) image.width() * image.height() <= 4_194_304);
        assertTrue((long) image.width() * image.height() > 4_000_000);
        assertPixel(image, 10, 10, RED, 0);
    }

    @Test
    void scalingAveragesAreas() {
        // Columns 0, 90, 30, 200: two to one is their means, three to two weighs the middle one twice by half.
        assertArrayEquals(new int[] {45, 115}, greys(new Pixels(4, 1, rgb(0, 90, 30, 200)).within(2)));
        assertArrayEquals(new int[] {20, 70}, greys(new Pixels(3, 1, rgb(0, 60, 75)).within(2)));
    }

    @ParameterizedTest
    @CsvSource({
        "https://example.org/a.png",
        "http://127.0.0.1/a.png",
        "file:///etc/passwd",
        "ftp://x/y",
        "a.png",
        "''",
        "data:image/png,abc",
        "data:image/png;base64"
    })
    void onlyBase64DataUrlsAreEnabled(String url) {
        assertEquals("invalid_image_url", refusal(url));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "iVBORw0K\u00a0Ggo=",
                "iVBORw0KGgo====",
                "iVBORw0KGg-_",
                "iVBORw0K*",
                "iVBO=Rw0",
                "i",
                "iVBORw0KGé"
            })
    void brokenBase64(String text) {
        assertEquals("invalid_base64", refusal("data:image/png;base64," + text));
    }

    @Test
    void base64MayHaveLineBreaks() {
        byte[] png = TestImages.encode(noise(64, 64), "png");
        ServerFrame.Image plain = decode(TestImages.dataUrl(png), Detail.AUTO);
        String lines = Base64.getMimeEncoder().encodeToString(png);
        assertTrue(lines.contains("\r\n"));
        assertEquals(
                plain.sha256(),
                decode("data:image/png;base64," + lines, Detail.AUTO).sha256());
        assertEquals(
                plain.sha256(),
                decode("DATA:image/png;BASE64,\n " + lines.replace("\r\n", "\n\t") + "\n", Detail.AUTO)
                        .sha256());
        assertEquals(
                plain.sha256(),
                decode("data:;base64," + lines.replace("=", ""), Detail.AUTO).sha256());
    }

    @Test
    void everyLengthOfBase64() {
        for (int length = 1; length < 20; length++) {
            byte[] data = new byte[length];
            new Random(length).nextBytes(data);
            assertArrayEquals(
                    data, DataUrl.of(TestImages.dataUrl(data), 20, "p").decode());
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "<svg xmlns='http://www.w3.org/2000/svg'/>",
                "<?xml version='1.0'?><svg/>",
                "%PDF-1.7",
                "RIFF",
                "no image"
            })
    void whatIsNoImage(String content) {
        assertEquals("invalid_image", refusal(TestImages.dataUrl(content.getBytes(StandardCharsets.UTF_8))));
    }

    @Test
    void noBytes() {
        assertEquals("invalid_image", refusal("data:image/png;base64,"));
    }

    @Test
    void everyTruncationIsNoticed() {
        BufferedImage picture = noise(64, 64);
        for (byte[] whole : List.of(
                TestImages.encode(picture, "png"),
                TestImages.encode(picture, "jpg"),
                TestImages.encode(picture, "gif"),
                TestImages.resource("lossless.webp"),
                TestImages.resource("progressive.jpg"))) {
            for (double part : new double[] {0.02, 0.1, 0.3, 0.5, 0.7, 0.9}) {
                byte[] cut = Arrays.copyOf(whole, (int) (whole.length * part));
                if (cut.length > 0) {
                    String url = TestImages.dataUrl(cut);
                    ApiException refused = assertThrows(
                            ApiException.class,
                            () -> decode(url, Detail.AUTO),
                            ImageFormat.of(whole).orElseThrow() + " cut at " + part);
                    assertEquals("invalid_image", refused.error().code());
                }
            }
        }
    }

    @Test
    void damageNeverEscapes() {
        Random random = new Random(7);
        for (String name : List.of("lossless.webp", "lossy.webp", "cmyk.jpg", "animated.gif", "orientation6.png")) {
            for (int i = 0; i < 60; i++) {
                byte[] data = TestImages.resource(name);
                for (int k = 0; k < 4; k++) {
                    data[random.nextInt(data.length)] = (byte) random.nextInt();
                }
                try (IntakeBudget.Share share = budget.reserve("a", 0)) {
                    intake.decode(
                            List.of(new ImageReference(TestImages.dataUrl(data), Detail.AUTO, "p")), ASKER, share);
                } catch (ApiException refused) {
                    assertEquals(400, refused.error().status());
                }
            }
        }
        assertEquals(budget.total(), budget.free());
    }

    @Test
    void aBombIsRefusedByItsHeader() {
        assertEquals(
                "image_too_large",
                refusal(TestImages.dataUrl(Tricks.png(
                        Tricks.ihdr(30_000, 30_000, 8, 2, 0),
                        Tricks.chunk("IDAT", new byte[1]),
                        Tricks.chunk("IEND", new byte[0])))));
    }

    @Test
    void tooManyBytes() {
        assertEquals("image_too_large", refusal(TestImages.dataUrl(new byte[20_971_521])));
    }

    @Test
    void extremeShapes() {
        assertEquals(1, decode(TestImages.png(1, 1), Detail.AUTO).width());
        assertEquals(200, decode(TestImages.png(200, 1), Detail.AUTO).width());
        assertEquals("invalid_image", refusal(TestImages.png(1, 10_000)));
        assertEquals("invalid_image", refusal(TestImages.png(201, 1)));
    }

    @Test
    void aThousandImages() {
        ImageReference one = new ImageReference(TestImages.png(1, 1), Detail.AUTO, "p");
        try (IntakeBudget.Share share = budget.reserve("a", 0)) {
            ApiException refused =
                    assertThrows(ApiException.class, () -> intake.decode(Collections.nCopies(1000, one), ASKER, share));
            assertEquals("messages", refused.error().param());
        }
    }

    @Test
    void pixelsCountAgainstTheMemoryUntilTheShareIsClosed() {
        IntakeBudget small = new IntakeBudget(62_000, 1000);
        ImageReference image = new ImageReference(TestImages.png(50, 50), Detail.AUTO, "p");
        IntakeBudget.Share first = small.reserve("a", 0);
        intake.decode(List.of(image), ASKER, first);
        assertEquals(62_000 - 7_500, small.free());
        try (IntakeBudget.Share second = small.reserve("a", 0)) {
            ApiException refused =
                    assertThrows(ApiException.class, () -> intake.decode(Collections.nCopies(8, image), ASKER, second));
            assertEquals(429, refused.error().status());
        }
        first.close();
        assertEquals(62_000, small.free());
    }

    @Test
    void imagesThatNeverFitTogetherAreRefusedForGood() {
        IntakeBudget small = new IntakeBudget(62_000, 1000);
        try (IntakeBudget.Share share = small.reserve("a", 0)) {
            ApiException refused = assertThrows(
                    ApiException.class,
                    () -> intake.decode(
                            Collections.nCopies(9, new ImageReference(TestImages.png(50, 50), Detail.AUTO, "p")),
                            ASKER,
                            share));
            assertEquals(400, refused.error().status());
            assertEquals(62_000, small.free());
        }
    }

    @Test
    void imagesThatNeverFitBesideTheirRequestAreRefusedForGood() {
        IntakeBudget small = new IntakeBudget(62_000, 20_000);
        List<ImageReference> seven =
                Collections.nCopies(7, new ImageReference(TestImages.png(50, 50), Detail.AUTO, "p"));
        try (ReceivedBody body = TestBodies.parsed(small, 10_000);
                IntakeBudget.Share share = small.beside(body)) {
            long before = small.free();
            ApiException refused = assertThrows(ApiException.class, () -> intake.decode(seven, ASKER, share));
            assertEquals(400, refused.error().status());
            assertEquals(before, small.free());
        }
    }

    @Test
    void fivePicturesOfAPhoneFitAServerWithAHeapOf256Megabytes() {
        IntakeBudget half = new IntakeBudget(107_000_000, 1 << 26);
        byte[] jpeg = TestImages.encode(TestImages.redAndBlue(4000, 3000, BufferedImage.TYPE_INT_RGB), "jpg");
        String picture = TestImages.dataUrl(withComments(jpeg, 3_000_000));
        try (ReceivedBody body = TestBodies.parsed(half, 5 * picture.length());
                IntakeBudget.Share share = half.beside(body)) {
            List<ImageReference> five = Collections.nCopies(5, new ImageReference(picture, Detail.AUTO, "p"));
            assertEquals(5, intake.decode(five, ASKER, share).size());
        }
        assertEquals(half.total(), half.free());
    }

    /** A JPEG that is so long. */
    private static byte[] withComments(byte[] jpeg, int bytes) {
        byte[] comment = HexFormat.of().parseHex(Tricks.segment("fe", new byte[65_000]));
        ByteArrayOutputStream longer = new ByteArrayOutputStream();
        longer.write(jpeg, 0, 2);
        while (longer.size() + jpeg.length < bytes) {
            longer.writeBytes(comment);
        }
        longer.write(jpeg, 2, jpeg.length - 2);
        return longer.toByteArray();
    }

    @Test
    void everyRefusalGivesBackWhatItWasCharged() {
        List<byte[]> invalid = List.of(
                Tricks.jpeg(Tricks.frame("c3", 8, 6300, 6300, "011100", "021100", "031100")),
                Tricks.jpeg(Tricks.frame("c9", 8, 64, 64, "011100")),
                Tricks.jpeg(Tricks.frame("c1", 12, 64, 64, "011100")),
                Tricks.progressive(2000, 2000, 99),
                Tricks.gif(9, 9, 60_000, 0, 9, 9, Tricks.growingCodes(99)),
                Tricks.webp(Tricks.canvas(0, 1, 1), Tricks.lossless(6000, 6000)),
                Tricks.png(
                        Tricks.ihdr(4, 4, 8, 2, 0),
                        Tricks.chunk("IDAT", new byte[8]),
                        Tricks.chunk("IEND", new byte[0])),
                Tricks.png(Tricks.ihdr(30_000, 30_000, 8, 2, 0)));
        List<byte[]> tooLarge = List.of(
                Tricks.progressive(64, 64, 500),
                Tricks.gif(65_535, 65_535, 0, 0, 1, 1, Tricks.growingCodes(4)),
                Tricks.webp(Tricks.lossless(16_000, 16_000)));
        try (IntakeBudget.Share share = budget.reserve("a", 0)) {
            invalid.forEach(file -> refusalGivesBackWhatItWasCharged(file, "invalid_image", share));
            tooLarge.forEach(file -> refusalGivesBackWhatItWasCharged(file, "image_too_large", share));
        }
    }

    private void refusalGivesBackWhatItWasCharged(byte[] file, String code, IntakeBudget.Share share) {
        ImageReference sound = new ImageReference(TestImages.png(50, 50), Detail.AUTO, "p");
        ImageReference trick = new ImageReference(TestImages.dataUrl(file), Detail.AUTO, "p");
        ApiException refused =
                assertThrows(ApiException.class, () -> intake.decode(List.of(sound, trick), ASKER, share));
        assertEquals(
                "400 " + code, refused.error().status() + " " + refused.error().code(), refused.getMessage());
        assertEquals(budget.total(), budget.free(), code);
    }

    @Test
    void whatEndsADecoderIsTheFaultOfItsRequestAlone() throws Exception {
        DecoderPool bounded = TestDecoders.pool(
                Map.of("concurrent-decodes", "2", "decode-timeout", "2S", "decode-memory", "67108864"));
        ImageIntake hurt = intake(bounded);
        try {
            for (byte[] file : List.of(Tricks.transformed(1500, 1500, 4000), Tricks.metaCodes())) {
                CompletableFuture<ApiException> refusal = CompletableFuture.supplyAsync(() -> {
                    try (IntakeBudget.Share share = budget.reserve("a", 0)) {
                        return assertThrows(
                                ApiException.class,
                                () -> hurt.decode(
                                        List.of(new ImageReference(
                                                TestImages.dataUrl(Tricks.webp(file)), Detail.AUTO, "p")),
                                        ASKER,
                                        share));
                    }
                });
                int answered = 0;
                while (!refusal.isDone()) {
                    try (IntakeBudget.Share share = budget.reserve("a", 0)) {
                        hurt.decode(List.of(new ImageReference(TestImages.png(8, 8), Detail.AUTO, "p")), ASKER, share);
                        answered++;
                    }
                }
                assertTrue(answered > 0);
                assertEquals("invalid_image", refusal.get().error().code());
                assertTrue(
                        refusal.get().getMessage().contains("to decode"),
                        refusal.get().getMessage());
            }
        } finally {
            bounded.close();
        }
        assertEquals(budget.total(), budget.free());
    }

    @Test
    void forAClientThatLeftNothingMoreIsDecoded() {
        List<ImageReference> two = List.of(
                new ImageReference(TestImages.png(100, 100), Detail.AUTO, "p"),
                new ImageReference("none at all", Detail.AUTO, "p"));
        Asker leaving = new Asker("client", () -> budget.total() - budget.free() >= 30_000); // the first one's pixels
        try (IntakeBudget.Share share = budget.reserve("a", 0)) {
            ApiException refused = assertThrows(ApiException.class, () -> intake.decode(two, leaving, share));
            assertEquals("client_closed_request", refused.error().code(), "the second would be refused as none");
        }
        assertEquals(budget.total(), budget.free());
    }

    @Test
    void withoutADecoderTheServerIsAtFault() {
        DecoderPool ended = TestDecoders.pool(Map.of());
        ended.close();
        try (IntakeBudget.Share share = budget.reserve("a", 0)) {
            ApiException refused = assertThrows(ApiException.class, () -> intake(ended)
                    .decode(List.of(new ImageReference(TestImages.png(8, 8), Detail.AUTO, "p")), ASKER, share));
            assertEquals(
                    "503 worker_restarting",
                    refused.error().status() + " " + refused.error().code());
            assertTrue(refused.error().retryAfterSeconds().isPresent());
            assertEquals(budget.total(), budget.free());
        }
    }

    @Test
    void theFieldAtFaultIsNamed() {
        ImageReference bad = new ImageReference("file:///x", Detail.AUTO, "messages[0].content[1].image_url.url");
        try (IntakeBudget.Share share = budget.reserve("a", 0)) {
            ApiException refused = assertThrows(ApiException.class, () -> intake.decode(List.of(bad), ASKER, share));
            assertEquals(bad.param(), refused.error().param());
        }
    }

    private ServerFrame.Image decode(byte[] data) {
        return decode(TestImages.dataUrl(data), Detail.AUTO);
    }

    private ServerFrame.Image decode(String url, Detail detail) {
        try (IntakeBudget.Share share = budget.reserve("a", 0)) {
            return intake.decode(List.of(new ImageReference(url, detail, "p")), ASKER, share)
                    .get(0);
        }
    }

    private String refusal(String url) {
        ApiException refused = assertThrows(ApiException.class, () -> decode(url, Detail.AUTO));
        assertEquals(400, refused.error().status());
        assertEquals("p", refused.error().param());
        return refused.error().code();
    }

    private static void assertRedAndBlue(ServerFrame.Image image, int tolerance) {
        assertEquals(40, image.width());
        assertEquals(30, image.height());
        assertEquals(40 * 30 * 3, image.rgb().length);
        assertPixel(image, 5, 5, RED, tolerance);
        assertPixel(image, 5, 25, RED, tolerance);
        assertPixel(image, 35, 5, BLUE, tolerance);
        assertPixel(image, 35, 25, BLUE, tolerance);
    }

    private static void assertPixel(ServerFrame.Image image, int x, int y, int[] expected, int tolerance) {
        for (int i = 0; i < 3; i++) {
            int actual = image.rgb()[3 * (y * image.width() + x) + i] & 0xff;
            assertEquals(expected[i], actual, tolerance, "pixel " + x + ", " + y + ", channel " + i);
        }
    }

    private static Pixels pixels(int width, int... greys) {
        return new Pixels(width, greys.length / width, rgb(greys));
    }

    private static byte[] rgb(int... greys) {
        byte[] rgb = new byte[3 * greys.length];
        for (int i = 0; i < rgb.length; i++) {
            rgb[i] = (byte) greys[i / 3];
        }
        return rgb;
    }

    private static int[] greys(Pixels pixels) {
        int[] greys = new int[pixels.width() * pixels.height()];
        for (int i = 0; i < greys.length; i++) {
            greys[i] = pixels.rgb()[3 * i] & 0xff;
        }
        return greys;
    }

    private static BufferedImage noise(int width, int height) {
        Random random = new Random(1);
        BufferedImage image = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
        for (int y = 0; y < height; y++) {
            for (int x = 0; x < width; x++) {
                image.setRGB(x, y, random.nextInt(0x1000000));
            }
        }
        return image;
    }

    private static int indexOfImageDescriptor(byte[] gif) {
        int colours = 2 << (gif[10] & 7);
        int at = 13 + ((gif[10] & 0x80) != 0 ? 3 * colours : 0);
        while (gif[at] == 0x21) {
            at += 2;
            while (gif[at] != 0) {
                at += (gif[at] & 0xff) + 1;
            }
            at++;
        }
        return at;
    }
}
