package dev.luq.llama;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.luq.Integration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Our numbers against those of Hugging Face transformers, as make_reference.py wrote them down. */
@Integration
class ReferenceTest {

    private static final double ENOUGH = 0.999;

    /** Far below one step of an 8-bit channel, which is 0.0142 after normalization: resized images are the same. */
    private static final float PIXEL_TOLERANCE = 1e-5f;

    static Stream<Arguments> images() {
        return Stream.of(TinyModels.LLAVA, TinyModels.QWEN).flatMap(name -> {
            List<Arguments> arguments = new ArrayList<>();
            TinyModels.description(name)
                    .get("images")
                    .forEach(image ->
                            arguments.add(Arguments.of(name, image.get("image").textValue())));
            return arguments.stream();
        });
    }

    private static JsonNode description(String name, String image) {
        for (JsonNode description : TinyModels.description(name).get("images")) {
            if (description.get("image").textValue().equals(image)) {
                return description;
            }
        }
        throw new IllegalArgumentException(image);
    }

    @ParameterizedTest
    @ValueSource(strings = {TinyModels.LLAVA, TinyModels.QWEN})
    void textGivesTheReferenceLogits(String name) {
        JsonNode text = TinyModels.description(name).get("text");
        int[] tokens =
                TinyModels.model(name).vocabulary().tokenize(text.get("prompt").textValue(), true, true);
        assertArrayEquals(TinyModels.ints(text.get("tokens")), tokens);
        try (Context context = TinyModels.context(name, 1)) {
            assertLogits(text, TinyModels.logits(context, tokens, 0));
        }
    }

    /** Resized, padded and normalized: what the vision tower's graph receives, every so-manieth value of it. */
    @ParameterizedTest
    @MethodSource("images")
    void imagesGiveTheReferencePixels(String name, String image) {
        JsonNode reference = description(name, image).get("pixels");
        float[] expected = TinyModels.floats(reference.get("file").textValue());
        int[] shape = TinyModels.ints(reference.get("shape"));
        int every = reference.get("every").intValue();
        InputTap tap = new InputTap();
        try (Vision vision =
                        Vision.open(TinyModels.mmprojFile(name), TinyModels.model(name), new VisionOptions(1, 0), tap);
                ImageChunk chunk = imageChunk(vision, image);
                ImageEmbedding embedding = vision.encode(chunk)) {
            assertEquals(shape[2], tap.columns);
            assertEquals(shape[0] * shape[1] * shape[2], tap.pixels.length);
            float[] actual = new float[expected.length];
            for (int i = 0; i < actual.length; i++) {
                actual[i] = tap.pixels[i * every];
            }
            assertArrayEquals(expected, actual, PIXEL_TOLERANCE);
        }
    }

    /** Keeps the pixels that go into the patch embedding, a convolution: channels, rows, columns. */
    private static final class InputTap implements TensorTap {
        private int columns;
        private float[] pixels;

        @Override
        public boolean wants(GraphTensor tensor) {
            return pixels == null
                    && tensor.source(1) != null
                    && tensor.source(1).name().equals("inp_raw");
        }

        @Override
        public void computed(GraphTensor tensor) {
            columns = tensor.source(1).columns();
            pixels = TinyModels.copy(tensor.source(1).floats());
        }
    }

    private static ImageChunk imageChunk(Vision vision, String image) {
        return (ImageChunk) vision.tokenize(List.of(TinyModels.image(image)), false).stream()
                .filter(ImageChunk.class::isInstance)
                .findFirst()
                .orElseThrow();
    }

    @ParameterizedTest
    @MethodSource("images")
    void imagesGiveTheReferenceEmbeddings(String name, String image) {
        JsonNode reference = description(name, image);
        float[] expected =
                TinyModels.floats(reference.get("embeddings").get("file").textValue());
        int tokens = reference.get("embeddings").get("shape").get(0).intValue();
        int size = reference.get("embeddings").get("shape").get(1).intValue();
        try (Vision vision = TinyModels.vision(name);
                ImageChunk chunk = imageChunk(vision, image);
                ImageEmbedding embedding = vision.encode(chunk)) {
            assertEquals(tokens, embedding.tokens());
            assertEquals(size, embedding.embeddingSize());
            assertEquals((long) tokens * size * Float.BYTES, embedding.bytes());
            float[] actual = TinyModels.copy(embedding.data());
            double sum = 0;
            for (int i = 0; i < tokens; i++) {
                sum += TinyModels.cosine(expected, actual, i * size, size);
            }
            assertTrue(sum / tokens >= ENOUGH, "mean cosine " + sum / tokens);
        }
    }

    @ParameterizedTest
    @MethodSource("images")
    void aPromptWithAnImageGivesTheReferenceLogits(String name, String image) {
        JsonNode reference = description(name, image);
        assertLogits(reference, logits(name, reference, Integer.MAX_VALUE));
    }

    @ParameterizedTest
    @MethodSource("images")
    void anImageMayBeEvaluatedInSeveralRuns(String name, String image) {
        JsonNode reference = description(name, image);
        assertLogits(reference, logits(name, reference, 7));
    }

    static Stream<Arguments> greedyPrompts() {
        return Stream.of(TinyModels.LLAVA, TinyModels.QWEN, TinyModels.DEMO)
                .flatMap(name -> Stream.of("one", "two", "text").map(prompt -> Arguments.of(name, prompt)));
    }

    /** Prompts with one image, with two and with none: every step's logits, and the tokens that they make. */
    @ParameterizedTest
    @MethodSource("greedyPrompts")
    void greedyAnswersAreTheReferenceTokens(String name, String prompt) {
        JsonNode reference = null;
        for (JsonNode description : TinyModels.description(name).get("greedy")) {
            reference = description.get("name").textValue().equals(prompt) ? description : reference;
        }
        int[] expected = TinyModels.ints(reference.get("tokens"));
        float[] logits = TinyModels.floats(reference.get("logits").get("file").textValue());
        int size = logits.length / expected.length;
        String[] texts = reference.get("prompt").textValue().split(TinyModels.MEDIA_MARKER, -1);
        List<PromptPart> parts = new ArrayList<>();
        for (int i = 0; i < texts.length; i++) {
            if (i > 0) {
                parts.add(TinyModels.image(
                        name, reference.get("images").get(i - 1).textValue()));
            }
            if (!texts[i].isEmpty()) {
                parts.add(new PromptPart.Text(texts[i], true));
            }
        }
        try (Vision vision = TinyModels.vision(name);
                Context context = TinyModels.context(name, 1);
                TokenBatch batch = TokenBatch.create(128)) {
            int position = 0;
            int last = 0;
            List<PromptChunk> chunks = vision.tokenize(parts, true);
            for (PromptChunk part : chunks) {
                if (part instanceof PromptChunk.TextChunk text) {
                    batch.clear();
                    int[] tokens = text.tokens();
                    for (int i = 0; i < tokens.length; i++) {
                        last = batch.add(tokens[i], position++, 0, i == tokens.length - 1);
                    }
                    context.decode(batch);
                } else {
                    try (ImageChunk chunk = (ImageChunk) part;
                            ImageEmbedding embedding = vision.encode(chunk)) {
                        context.decode(embedding, 0, embedding.tokens(), position, 0, 0);
                        position += embedding.positions();
                    }
                }
            }
            for (int i = 0; i < expected.length; i++) {
                float[] actual = TinyModels.copy(context.logits(last));
                float[] wanted = Arrays.copyOfRange(logits, i * size, (i + 1) * size);
                double cosine = TinyModels.cosine(wanted, actual, 0, size);
                assertTrue(cosine >= ENOUGH, "cosine " + cosine + " at token " + i);
                assertEquals(expected[i], argmax(actual), "token " + i);
                batch.clear();
                last = batch.add(expected[i], position++, 0, true);
                context.decode(batch);
            }
        }
    }

    /** Evaluates the prompt with its image in runs of at most {@code run} tokens. */
    private static float[] logits(String name, JsonNode reference, int run) {
        String marker = TinyModels.description(name).get("media_marker").textValue();
        String[] text = reference.get("prompt").textValue().split(marker, 2);
        List<PromptPart> parts = List.of(
                new PromptPart.Text(text[0], true),
                TinyModels.image(reference.get("image").textValue()),
                new PromptPart.Text(text[1], true));
        try (Vision vision = TinyModels.vision(name);
                Context context = TinyModels.context(name, 1);
                TokenBatch batch = TokenBatch.create(64)) {
            List<PromptChunk> chunks = vision.tokenize(parts, true);
            assertEquals(3, chunks.size());
            int[] before = ((PromptChunk.TextChunk) chunks.get(0)).tokens();
            int[] after = ((PromptChunk.TextChunk) chunks.get(2)).tokens();
            assertArrayEquals(TinyModels.ints(reference.get("tokens_before")), before);
            assertArrayEquals(TinyModels.ints(reference.get("tokens_after")), after);

            int position = 0;
            for (int token : before) {
                batch.add(token, position++, 0, false);
            }
            context.decode(batch);
            try (ImageChunk chunk = (ImageChunk) chunks.get(1);
                    ImageEmbedding embedding = vision.encode(chunk)) {
                assertEquals(chunk.positions(), embedding.positions());
                for (int first = 0; first < embedding.tokens(); first += run) {
                    int count = Math.min(run, embedding.tokens() - first);
                    context.decode(embedding, first, count, position, 0, 0);
                    if (count < run) {
                        break;
                    }
                }
                position += embedding.positions();
            }
            batch.clear();
            int last = 0;
            for (int i = 0; i < after.length; i++) {
                last = batch.add(after[i], position++, 0, i == after.length - 1);
            }
            context.decode(batch);
            return TinyModels.copy(context.logits(last));
        }
    }

    private static void assertLogits(JsonNode reference, float[] actual) {
        float[] expected = TinyModels.floats(reference.get("logits").get("file").textValue());
        assertEquals(expected.length, actual.length);
        double cosine = TinyModels.cosine(expected, actual, 0, expected.length);
        assertTrue(cosine >= ENOUGH, "cosine " + cosine);
        assertEquals(argmax(expected), argmax(actual));
    }

    private static int argmax(float[] values) {
        int best = 0;
        for (int i = 1; i < values.length; i++) {
            if (values[i] > values[best]) {
                best = i;
            }
        }
        return best;
    }
}
