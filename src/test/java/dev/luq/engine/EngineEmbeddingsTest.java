package dev.luq.engine;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.luq.Integration;
import dev.luq.gguf.Pooling;
import dev.luq.llama.ChatTemplates;
import dev.luq.llama.Context;
import dev.luq.llama.ContextOptions;
import dev.luq.llama.SamplerOptions;
import dev.luq.llama.TokenVectors;
import dev.luq.machine.KvType;
import dev.luq.prompt.PromptContent;
import dev.luq.prompt.PromptRequest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Embeddings beside generations, held against llama.cpp's own. */
@Integration
class EngineEmbeddingsTest {

    private static final PromptContent.Piece IMAGE = new PromptContent.Piece.Media();

    private static PromptContent.Piece text(String text) {
        return new PromptContent.Piece.Text(text);
    }

    private static GenerationRequest embed(String id, List<PromptContent.Piece> pieces, int... images) {
        List<PromptRequest.ImageInput> inputs = new ArrayList<>();
        for (int seed : images) {
            inputs.add(TinyEngine.noise(seed));
        }
        return GenerationRequest.embedding(
                id, new PromptRequest(new PromptContent.Raw(pieces, null), inputs, SamplerOptions.GREEDY, null), null);
    }

    private static float[] vector(TinyEngine.Outcome outcome) throws Exception {
        outcome.await().finished();
        return outcome.events(GenerationEvent.Embedded.class).get(0).vector();
    }

    private static float[] expected(TinyEngine tiny, String text, Pooling pooling) {
        int[] tokens = tiny.model.vocabulary().tokenize(text, true, true);
        float[][] vectors = TokenVectors.of(tiny.model, tokens);
        if (pooling == Pooling.LAST) {
            return vectors[vectors.length - 1];
        }
        float[] mean = new float[vectors[0].length];
        for (float[] vector : vectors) {
            for (int i = 0; i < mean.length; i++) {
                mean[i] += vector[i] / vectors.length;
            }
        }
        return mean;
    }

    @ParameterizedTest
    @CsvSource({"LAST,qwen2.5-vl-tiny", "MEAN,qwen2.5-vl-tiny", "LAST,llava-tiny", "MEAN,llava-tiny"})
    void embeddingsAreThoseOfLlamaCppAlsoBesideAnswers(Pooling pooling, String name) throws Exception {
        // the last one takes several steps
        List<String> texts = List.of("a", "What do you see?", "A short text, and then some. ".repeat(5));
        try (TinyEngine tiny = TinyEngine.pooling(name, pooling)) {
            String alone =
                    tiny.complete(tiny.ask(TinyEngine.user("Hi")).maxTokens(40)).text();
            TinyEngine.Outcome answer =
                    tiny.submit(tiny.ask(TinyEngine.user("Hi")).maxTokens(40).withoutCache());
            List<TinyEngine.Outcome> outcomes = new ArrayList<>();
            for (String text : texts) {
                outcomes.add(tiny.submit(embed(text, List.of(text(text))), event -> {}));
            }
            for (int i = 0; i < texts.size(); i++) {
                float[] vector = vector(outcomes.get(i));
                float[] expected = expected(tiny, texts.get(i), pooling);
                assertTrue(TokenVectors.cosine(expected, vector) > 0.9999, texts.get(i));
                assertArrayEquals(expected, vector, 1e-3f, texts.get(i));
            }
            assertEquals(alone, answer.await().text());
        }
    }

    @ParameterizedTest
    @CsvSource({"LAST,qwen2.5-vl-tiny", "MEAN,qwen2.5-vl-tiny", "LAST,llava-tiny", "MEAN,llava-tiny"})
    void picturesAreEmbedded(Pooling pooling, String name) throws Exception {
        try (TinyEngine tiny = TinyEngine.pooling(name, pooling)) {
            float[] one = vector(tiny.submit(embed("1", List.of(IMAGE, text(" this")), 7), event -> {}));
            float[] same = vector(tiny.submit(embed("2", List.of(IMAGE, text(" this")), 7), event -> {}));
            float[] other = vector(tiny.submit(embed("3", List.of(IMAGE, text(" this")), 8), event -> {}));
            float[] atTheEnd = vector(tiny.submit(embed("4", List.of(text("this "), IMAGE), 7), event -> {}));
            assertArrayEquals(one, same);
            assertTrue(TokenVectors.cosine(one, other) < 0.9999);
            assertTrue(TokenVectors.cosine(one, atTheEnd) < 0.9999);
        }
    }

    @Test
    void anEmbeddingLeavesNothingInTheCacheAndEvictsNothingWhileThereIsRoom() throws Exception {
        try (TinyEngine tiny = TinyEngine.pooling(TinyEngine.QWEN, Pooling.LAST)) {
            vector(tiny.submit(embed("first", List.of(text("a text"))), event -> {}));
            assertEquals(0, tiny.engine.stats().kvCellsUsed());
            tiny.complete(tiny.ask(TinyEngine.user("Hello there")).maxTokens(1));
            int kept = tiny.engine.stats().kvCellsUsed();
            for (int i = 0; i < 10; i++) {
                vector(tiny.submit(embed("e" + i, List.of(text("a text " + i))), event -> {}));
            }
            assertEquals(kept, tiny.engine.stats().kvCellsUsed());
            TinyEngine.Outcome again =
                    tiny.complete(tiny.ask(TinyEngine.user("Hello there")).maxTokens(1));
            assertEquals(again.accepted().promptTokens() - 1, again.accepted().cachedTokens());
        }
    }

    @Test
    void aTextBeyondTheContextIsRefused() throws Exception {
        try (TinyEngine tiny = TinyEngine.pooling(TinyEngine.QWEN, Pooling.LAST)) {
            TinyEngine.Outcome outcome =
                    tiny.submit(embed("long", List.of(text("word ".repeat(TinyEngine.CONTEXT)))), event -> {});
            assertEquals("context_length_exceeded", outcome.await().failed().code());
        }
    }

    @Test
    void aModelThatIsNotPooledMakesNone() throws Exception {
        try (TinyEngine tiny = new TinyEngine(TinyEngine.QWEN, 4, 64)) {
            TinyEngine.Outcome outcome = tiny.submit(embed("e", List.of(text("a text"))), event -> {});
            assertEquals("internal_error", outcome.await().failed().code());
        }
    }

    @Test
    void whatCannotBePooledIsRefused() {
        try (Context context = Context.create(
                        TinyEngine.model(TinyEngine.QWEN), new ContextOptions(512, 64, 4, 1, KvType.F32, false));
                ChatTemplates templates = ChatTemplates.of(TinyEngine.model(TinyEngine.QWEN))) {
            // one without an output for each token of a batch
            for (Pooling pooling : List.of(Pooling.MEAN, Pooling.CLS)) {
                EngineOptions options = new EngineOptions(4, 64, 0, 0, 0, 0, Duration.ZERO, false, pooling);
                assertThrows(
                        IllegalArgumentException.class,
                        () -> Engine.start(
                                options,
                                TinyEngine.model(TinyEngine.QWEN),
                                context,
                                templates,
                                null,
                                EngineFiles.NONE,
                                WorkListener.NONE));
            }
        }
    }
}
