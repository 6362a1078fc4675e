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
import dev.luq.llama.Llama;
import dev.luq.llama.Model;
import dev.luq.llama.SamplerOptions;
import dev.luq.llama.TinyEncoder;
import dev.luq.llama.TokenVectors;
import dev.luq.machine.KvType;
import dev.luq.prompt.PromptContent;
import dev.luq.prompt.PromptRequest;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Models of the BERT kind: embeddings alone, held against llama.cpp's own. */
@Integration
@Timeout(60)
class EngineEncoderTest {

    private static final int BATCH = 48;
    private static final int SEQUENCES = 4;

    @TempDir
    Path directory;

    private Model model;

    static {
        Llama.init(line -> {});
    }

    private Engine engine(Pooling ofFile, Pooling pooling) throws Exception {
        model = Model.load(List.of(TinyEncoder.write(directory.resolve(ofFile + ".gguf"), ofFile)));
        Context context = Context.create(
                model, new ContextOptions(TinyEncoder.CONTEXT, BATCH, SEQUENCES, 1, KvType.F16, true, BATCH));
        ChatTemplates templates = ChatTemplates.of(model);
        try {
            return Engine.start(
                    new EngineOptions(SEQUENCES, BATCH, 0, 0, 0, Duration.ZERO, false, pooling),
                    model,
                    context,
                    templates,
                    null,
                    EngineFiles.NONE,
                    WorkListener.NONE);
        } catch (IllegalArgumentException e) {
            templates.close();
            context.close();
            throw e;
        }
    }

    private static PromptRequest prompt(String text) {
        return new PromptRequest(
                new PromptContent.Raw(List.of(new PromptContent.Piece.Text(text)), null),
                List.of(),
                SamplerOptions.GREEDY,
                null);
    }

    private static TinyEngine.Outcome embed(Engine engine, String id, String text) {
        TinyEngine.Outcome outcome = new TinyEngine.Outcome();
        engine.submit(GenerationRequest.embedding(id, prompt(text), null), outcome);
        return outcome;
    }

    private static float[] vector(TinyEngine.Outcome outcome) throws Exception {
        outcome.await().finished();
        return outcome.events(GenerationEvent.Embedded.class).get(0).vector();
    }

    /** More than a batch holds, of different lengths. */
    private static List<String> texts() {
        return IntStream.range(0, 30)
                .mapToObj(i -> "the cat sees a " + "house and ".repeat(i % 11) + (char) ('b' + i % 20))
                .toList();
    }

    private int[] tokens(String text) {
        return model.vocabulary().tokenize(text, true, true);
    }

    private void assertEmbeds(Engine engine, List<float[]> expected) throws Exception {
        List<TinyEngine.Outcome> outcomes = new ArrayList<>();
        for (String text : texts()) {
            outcomes.add(embed(engine, "e" + outcomes.size(), text));
        }
        for (int i = 0; i < outcomes.size(); i++) {
            float[] vector = vector(outcomes.get(i));
            assertTrue(TokenVectors.cosine(expected.get(i), vector) > 0.9999, texts().get(i));
            assertArrayEquals(expected.get(i), vector, 0.02f, texts().get(i));
            assertEquals(
                    tokens(texts().get(i)).length, outcomes.get(i).accepted().promptTokens());
        }
        assertTrue(TokenVectors.cosine(expected.get(1), vector(outcomes.get(2))) < 0.9999, "texts differ");
        assertEquals(0, engine.stats().kvCellsUsed());
    }

    @ParameterizedTest
    @EnumSource(names = {"MEAN", "CLS", "LAST"})
    void embeddingsArePooledAsTheFileSays(Pooling pooling) throws Exception {
        try (Engine engine = engine(pooling, pooling)) {
            assertEmbeds(
                    engine,
                    texts().stream()
                            .map(text -> TokenVectors.pooled(model, tokens(text)))
                            .toList());
        } finally {
            model.close();
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"MEAN", "CLS", "LAST"})
    void whereTheFileSaysNothingTheyArePooledAsConfigured(Pooling pooling) throws Exception {
        List<float[]> expected;
        try (Engine named = engine(pooling, pooling)) {
            expected = texts().stream()
                    .map(text -> TokenVectors.pooled(model, tokens(text)))
                    .toList();
        } finally {
            model.close();
        }
        try (Engine engine = engine(Pooling.NONE, pooling)) {
            assertEmbeds(engine, expected);
        } finally {
            model.close();
        }
    }

    @Test
    void aTextIsReadAtOnceOrNotAtAll() throws Exception {
        try (Engine engine = engine(Pooling.CLS, Pooling.CLS)) {
            String fits = "the ".repeat(BATCH - 2);
            assertEquals(BATCH, tokens(fits).length, "with [CLS] and [SEP]");
            assertEquals(64, vector(embed(engine, "fits", fits)).length);
            GenerationEvent.Failed failed =
                    embed(engine, "long", fits + "the").await().failed();
            assertEquals("context_length_exceeded", failed.code());
            assertTrue(failed.message().contains("maximum context length is 48 tokens"), failed.message());
        } finally {
            model.close();
        }
    }

    @Test
    void nothingIsGenerated() throws Exception {
        try (Engine engine = engine(Pooling.CLS, Pooling.CLS)) {
            TinyEngine.Outcome outcome = new TinyEngine.Outcome();
            engine.submit(new GenerationRequest("g", prompt("the cat"), 4, List.of(), -1, true, null), outcome);
            assertEquals("internal_error", outcome.await().failed().code());
        } finally {
            model.close();
        }
    }

    @Test
    void oneThatIsNotPooledIsOfNoUse() throws Exception {
        assertThrows(IllegalArgumentException.class, () -> engine(Pooling.NONE, Pooling.NONE));
        model.close();
    }
}
