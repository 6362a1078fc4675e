package dev.luq.llama;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.luq.Integration;
import dev.luq.gguf.GgufValue;
import dev.luq.gguf.GgufWriter;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@Integration
class VisionTest {

    private static final VisionOptions OPTIONS = new VisionOptions(1, 0);

    @TempDir
    Path directory;

    private static PromptPart.Image image(int width, int height, String id) {
        byte[] rgb = new byte[3 * width * height];
        for (int i = 0; i < rgb.length; i++) {
            rgb[i] = (byte) (i * 31);
        }
        return new PromptPart.Image(width, height, rgb, id);
    }

    static ImageChunk imageChunk(Vision vision, PromptPart.Image image) {
        return (ImageChunk) vision.tokenize(List.of(image), false).stream()
                .filter(ImageChunk.class::isInstance)
                .findFirst()
                .orElseThrow();
    }

    @Test
    void theProjectorOfAnotherModelIsRefused() {
        for (String[] pair :
                new String[][] {{TinyModels.LLAVA, TinyModels.QWEN}, {TinyModels.QWEN, TinyModels.LLAVA}}) {
            assertRefused(TinyModels.mmprojFile(pair[0]), pair[1]);
        }
    }

    @Test
    void whatIsNoProjectorIsRefused() throws IOException {
        byte[] whole = Files.readAllBytes(TinyModels.mmprojFile(TinyModels.QWEN));
        for (int length : new int[] {0, 100, 3_000, 400_000}) {
            assertRefused(Files.write(directory.resolve("cut.gguf"), Arrays.copyOf(whole, length)), TinyModels.QWEN);
        }
        assertRefused(TinyModels.modelFile(TinyModels.QWEN), TinyModels.QWEN);
        assertRefused(directory.resolve("absent.gguf"), TinyModels.QWEN);
    }

    /** Embeddings and positions are cached by the picture alone. */
    @ParameterizedTest
    @ValueSource(strings = {"hunyuanvl", "deepseek4v"})
    void projectorsWhoseImagesDependOnTheirPlaceInThePromptAreRefused(String type) throws IOException {
        Path file = directory.resolve("mmproj.gguf");
        try (GgufWriter writer =
                GgufWriter.create(file, Map.of("clip.projector_type", GgufValue.text(type)), List.of())) {
            writer.commit();
        }
        String message = assertThrows(
                        LlamaException.VisionLoad.class, () -> Projector.check(file, TinyModels.model(TinyModels.QWEN)))
                .getMessage();
        assertTrue(message.contains(type + " are not supported"), message);
    }

    /** Patches of the tiny encoder have 14 pixels, windows 112. */
    @Test
    void aProjectorWhoseWindowsAreSmallerThanWhatIsMergedIsRefused() throws IOException {
        byte[] file = Files.readAllBytes(TinyModels.mmprojFile(TinyModels.QWEN));
        byte[] key = "clip.vision.patch_size".getBytes(UTF_8);
        int at = 0;
        while (!Arrays.equals(key, 0, key.length, file, at, at + key.length)) {
            at++;
        }
        ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN).putInt(at + key.length + Integer.BYTES, 57);
        Path mmproj = Files.write(directory.resolve("patches.gguf"), file);
        String message = assertThrows(
                        LlamaException.VisionLoad.class,
                        () -> Vision.open(mmproj, TinyModels.model(TinyModels.QWEN), OPTIONS))
                .getMessage();
        assertTrue(message.contains("less than a merged patch"), message);
    }

    private static void assertRefused(Path mmproj, String model) {
        String message = assertThrows(
                        LlamaException.VisionLoad.class, () -> Vision.open(mmproj, TinyModels.model(model), OPTIONS))
                .getMessage();
        assertFalse(message.contains("/"), message);
    }

    /** As smart_resize of transformers 5.24 makes them, of merged patches of 28 pixels. */
    @ParameterizedTest
    @CsvSource({"350,350,12,12", "64,64,2,2", "32,32,2,2", "28,28,2,2", "630,462,22,16", "350,70,12,2", "70,14,5,1"})
    void qwenSeesAPictureInTheSizeThatItWasTrainedOn(int width, int height, int columns, int rows) {
        try (Vision vision = TinyModels.vision(TinyModels.QWEN);
                ImageChunk chunk = imageChunk(vision, image(width, height, "size"))) {
            assertEquals(columns * rows, chunk.tokens());
            assertEquals(Math.max(columns, rows), chunk.positions());
        }
    }

    @Test
    void imagesKeepTheirIdentityAndTakeFewerPositionsThanTokensWithMrope() {
        try (Vision vision = TinyModels.vision(TinyModels.QWEN);
                ImageChunk chunk = imageChunk(vision, image(140, 84, "abc"))) {
            assertTrue(vision.mrope());
            assertEquals("abc", chunk.id());
            assertEquals(5 * 3, chunk.tokens());
            assertEquals(5, chunk.positions());
            try (ImageEmbedding embedding = vision.encode(chunk)) {
                assertEquals("abc", embedding.id());
                assertTrue(embedding.divisible());
                // Token 7 lies in row 1, column 2. The axes are time, height, width.
                assertArrayEquals(new int[] {100, 101, 102, 0}, new int[] {
                    embedding.position(7, 0, 100),
                    embedding.position(7, 1, 100),
                    embedding.position(7, 2, 100),
                    embedding.position(7, 3, 100)
                });
            }
        }
        try (Vision vision = TinyModels.vision(TinyModels.LLAVA);
                ImageChunk chunk = imageChunk(vision, image(33, 77, "x"))) {
            assertFalse(vision.mrope());
            assertEquals(25, chunk.tokens());
            assertEquals(25, chunk.positions());
        }
    }

    @Test
    void tokenBoundsResizeImages() {
        try (Vision vision = Vision.open(
                        TinyModels.mmprojFile(TinyModels.QWEN),
                        TinyModels.model(TinyModels.QWEN),
                        new VisionOptions(1, 16));
                ImageChunk chunk = imageChunk(vision, image(560, 560, "big"))) {
            assertTrue(chunk.tokens() <= 16, "tokens " + chunk.tokens());
        }
    }

    /** Padded to a square before it is scaled, this image would take 1.2 GB. */
    @Test
    void aVeryLongImageNeedsNoHugeSquare() {
        try (Vision vision = TinyModels.vision(TinyModels.LLAVA);
                ImageChunk chunk = imageChunk(vision, image(20_000, 100, "long"))) {
            assertEquals(25, chunk.tokens());
            for (float value : encoded(vision, chunk)) {
                assertTrue(Float.isFinite(value));
            }
        }
    }

    /** 1,296 tokens: some of its nodes take longer than a piece. */
    static PromptPart.Image large() {
        return image(1008, 1008, "large");
    }

    @Test
    void anImageIsEncodedInPiecesAndIsTheSame() {
        for (String model : List.of(TinyModels.QWEN, TinyModels.LLAVA)) {
            try (Vision vision = TinyModels.vision(model);
                    ImageChunk chunk = imageChunk(vision, large())) {
                float[] whole = encoded(vision, chunk);
                List<Float> shares = new ArrayList<>();
                try (ImageEmbedding embedding = vision.encode(chunk, shares::add)) {
                    assertArrayEquals(whole, TinyModels.copy(embedding.data()), 1e-5f);
                }
                List<Float> sorted = shares.stream().sorted().toList();
                assertEquals(sorted, shares);
                assertTrue(shares.stream().allMatch(share -> share >= 0 && share <= 1), shares::toString);
                if (model.equals(TinyModels.QWEN)) { // the other one has 25 patches, whatever the image
                    assertTrue(shares.size() > 2 && shares.get(shares.size() - 1) >= 0.5, shares::toString);
                }
            }
        }
    }

    @Test
    void anEncodingEndsWhereItsListenerWantsNoMore() {
        try (Vision vision = TinyModels.vision(TinyModels.QWEN);
                ImageChunk chunk = imageChunk(vision, large());
                ImageChunk next = imageChunk(vision, image(140, 140, "next"))) {
            float[] expected = encoded(vision, next);
            AtomicInteger pieces = new AtomicInteger();
            for (int last : new int[] {1, 3}) {
                pieces.set(0);
                assertThrows(
                        LlamaException.EncodingStopped.class,
                        () -> vision.encode(chunk, share -> pieces.incrementAndGet() < last));
                assertEquals(last, pieces.get());
                assertArrayEquals(expected, encoded(vision, next));
            }
            assertThrows(
                    IllegalArgumentException.class,
                    () -> vision.encode(chunk, share -> {
                        throw new IllegalArgumentException("" + share);
                    }));
            assertArrayEquals(expected, encoded(vision, next));
        }
    }

    /** The memory that encoding takes is estimated from that bound. No image is longer: {@code ImageIntake} refuses it. */
    @Test
    void noImageHasMoreTokensThanTheBound() {
        try (Vision vision = Vision.open(
                TinyModels.mmprojFile(TinyModels.QWEN), TinyModels.model(TinyModels.QWEN), new VisionOptions(1, 256))) {
            for (int[] size : new int[][] {{2000, 2000}, {28, 5600}, {10, 2000}, {5000, 25}, {3999, 333}, {6000, 60}}) {
                try (ImageChunk chunk = imageChunk(vision, image(size[0], size[1], "long"))) {
                    assertTrue(chunk.tokens() <= 256, () -> Arrays.toString(size) + " has " + chunk.tokens());
                }
            }
        }
    }

    @Test
    void aTapSeesTheVisionTowerAndWhatItThrowsComesOut() {
        TensorTap tap = new TensorTap() {
            @Override
            public boolean wants(GraphTensor tensor) {
                return tensor.isMatrixProduct();
            }

            @Override
            public void computed(GraphTensor tensor) {
                throw new IllegalArgumentException("seen " + tensor.rows());
            }
        };
        try (Vision vision = Vision.open(
                        TinyModels.mmprojFile(TinyModels.QWEN), TinyModels.model(TinyModels.QWEN), OPTIONS, tap);
                ImageChunk chunk = imageChunk(vision, image(112, 112, "x"))) {
            assertThrows(IllegalArgumentException.class, () -> vision.encode(chunk));
        }
    }

    @Test
    void mediaMarkersInTextAreText() {
        try (Vision vision = TinyModels.vision(TinyModels.QWEN)) {
            List<PromptChunk> chunks = vision.tokenize(List.of(new PromptPart.Text("a <__media__> b", false)), false);
            assertEquals(1, chunks.size());
            assertArrayEquals(
                    TinyModels.model(TinyModels.QWEN).vocabulary().tokenize("a <__media__> b", false, false),
                    ((PromptChunk.TextChunk) chunks.get(0)).tokens());
            assertEquals(List.of(), vision.tokenize(List.of(), false));
        }
    }

    @Test
    void severalImagesKeepTheirOrder() {
        try (Vision vision = TinyModels.vision(TinyModels.QWEN)) {
            List<PromptChunk> chunks = vision.tokenize(
                    List.of(
                            image(56, 56, "one"),
                            new PromptPart.Text("and", false),
                            image(84, 56, "two"),
                            image(84, 56, "two")),
                    false);
            List<String> ids = chunks.stream()
                    .filter(ImageChunk.class::isInstance)
                    .map(c -> ((ImageChunk) c).id())
                    .toList();
            assertEquals(List.of("one", "two", "two"), ids);
            chunks.forEach(chunk -> {
                if (chunk instanceof ImageChunk image) {
                    image.close();
                }
            });
        }
    }

    @Test
    void textIsTokenizedWhileAnImageIsEncoded() {
        try (Vision vision = TinyModels.vision(TinyModels.QWEN);
                ImageChunk chunk = imageChunk(vision, image(280, 280, "x"))) {
            float[] expected = encoded(vision, chunk);
            CompletableFuture<float[]> encoding = CompletableFuture.supplyAsync(() -> encoded(vision, chunk));
            for (int i = 0; i < 50; i++) {
                try (ImageChunk other = imageChunk(vision, image(56 + i, 56, "y" + i))) {
                    assertEquals("y" + i, other.id());
                }
            }
            assertTrue(TinyModels.cosine(expected, encoding.join(), 0, expected.length) > 0.99999);
        }
    }

    static float[] encoded(Vision vision, ImageChunk chunk) {
        try (ImageEmbedding embedding = vision.encode(chunk)) {
            return TinyModels.copy(embedding.data());
        }
    }

    @Test
    void runsThatAreNotPartOfTheImageAreRefused() {
        try (Vision vision = TinyModels.vision(TinyModels.QWEN);
                ImageChunk chunk = imageChunk(vision, image(140, 140, "x"));
                ImageEmbedding embedding = vision.encode(chunk);
                Context context = TinyModels.context(TinyModels.QWEN, 1)) {
            assertThrows(IllegalArgumentException.class, () -> context.decode(embedding, 0, 0, 0, 0, 0));
            assertThrows(IllegalArgumentException.class, () -> context.decode(embedding, 20, 6, 0, 0, 0));
            assertThrows(IllegalArgumentException.class, () -> context.decode(embedding, -1, 5, 0, 0, 0));
            assertThrows(IllegalArgumentException.class, () -> context.decode(embedding, 0, 25, 0, 1, 0));
            assertThrows(
                    IllegalArgumentException.class, () -> context.decode(embedding, 0, Integer.MAX_VALUE, 0, 0, 0));
            context.decode(embedding, 0, 25, 0, 0, 1);
            assertEquals(384, context.logits(24).remaining());
        }
    }

    @Test
    void imagesMustHaveTheirPixels() {
        assertThrows(IllegalArgumentException.class, () -> new PromptPart.Image(2, 2, new byte[11], "x"));
        assertThrows(IllegalArgumentException.class, () -> new PromptPart.Image(0, 2, new byte[0], "x"));
    }

    @Test
    void closingTwiceIsHarmless() {
        Vision vision = TinyModels.vision(TinyModels.LLAVA);
        ImageChunk chunk = imageChunk(vision, image(70, 70, "x"));
        ImageEmbedding embedding = vision.encode(chunk);
        for (int i = 0; i < 2; i++) {
            embedding.close();
            chunk.close();
        }
        assertThrows(IllegalStateException.class, embedding::data);
        assertThrows(IllegalStateException.class, () -> vision.encode(chunk));
        vision.close();
        vision.close();
        assertThrows(IllegalStateException.class, () -> vision.tokenize(List.of(image(70, 70, "x")), false));
    }
}
