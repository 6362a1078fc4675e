package dev.luq.engine;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.luq.Integration;
import dev.luq.gguf.Pooling;
import dev.luq.llama.ContextOptions;
import dev.luq.llama.Llama;
import dev.luq.llama.Model;
import dev.luq.llama.TinyEncoder;
import dev.luq.llama.TokenVectors;
import dev.luq.machine.KvType;
import dev.luq.prompt.PromptContent;
import java.nio.file.Path;
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
        return PooledTexts.start(
                model, new ContextOptions(TinyEncoder.CONTEXT, BATCH, SEQUENCES, 1, KvType.F16, true, BATCH), pooling);
    }

    private static TinyEngine.Outcome embed(Engine engine, String id, String text) {
        return PooledTexts.pool(engine, id, new PromptContent.Piece.Text(text));
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
            float[] vector = PooledTexts.vector(outcomes.get(i));
            assertTrue(TokenVectors.cosine(expected.get(i), vector) > 0.9999, texts().get(i));
            assertArrayEquals(expected.get(i), vector, 0.02f, texts().get(i));
            assertEquals(
                    tokens(texts().get(i)).length, outcomes.get(i).accepted().promptTokens());
        }
        assertTrue(TokenVectors.cosine(expected.get(1), PooledTexts.vector(outcomes.get(2))) < 0.9999, "texts differ");
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
            assertEquals(64, PooledTexts.vector(embed(engine, "fits", fits)).length);
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
            engine.submit(
                    new GenerationRequest(
                            "g",
                            PooledTexts.prompt(new PromptContent.Piece.Text("the cat")),
                            4,
                            List.of(),
                            -1,
                            true,
                            null),
                    outcome);
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
