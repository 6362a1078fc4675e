package dev.luq.engine;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.luq.Integration;
import dev.luq.gguf.Pooling;
import dev.luq.llama.ContextOptions;
import dev.luq.llama.Llama;
import dev.luq.llama.Model;
import dev.luq.llama.TinyEncoder;
import dev.luq.llama.TinyReranker;
import dev.luq.llama.TokenVectors;
import dev.luq.machine.KvType;
import dev.luq.prompt.PromptContent;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Rerankers, of the BERT kind and decoders: scores of pairs of texts, held against llama.cpp's own. */
@Integration
@Timeout(60)
class EngineRerankTest {

    private static final int SEQUENCES = 4;
    private static final String QUERY = "the cat sees a dog";

    @TempDir
    Path directory;

    private Model model;

    static {
        Llama.init(line -> {});
    }

    @AfterEach
    void close() {
        if (model != null) {
            model.close();
        }
    }

    private Engine bert() throws Exception {
        return engine(TinyEncoder.writeReranker(directory.resolve("bert.gguf")), "bert", TinyEncoder.CONTEXT);
    }

    private Engine decoder() throws Exception {
        return engine(TinyReranker.write(directory.resolve("qwen3.gguf")), "qwen3", 256);
    }

    private Engine engine(Path file, String architecture, int batch) {
        model = Model.loadReranker(List.of(file), architecture, null);
        return start(Pooling.RANK, batch);
    }

    private Engine start(Pooling pooling, int batch) {
        return PooledTexts.start(
                model, new ContextOptions(batch, batch, SEQUENCES, 1, KvType.F32, false, batch), pooling);
    }

    private static TinyEngine.Outcome rank(Engine engine, String id, String query, String document) {
        return PooledTexts.pool(engine, id, new PromptContent.Piece.Pair(query, document));
    }

    /** Of different lengths, more than a step holds. */
    private static List<String> documents() {
        return IntStream.range(0, 20)
                .mapToObj(i -> "a house " + "and a dog ".repeat(i % 7) + (char) ('b' + i))
                .toList();
    }

    private void assertRanks(Engine engine, List<int[]> pairs) throws Exception {
        List<TinyEngine.Outcome> outcomes = new ArrayList<>();
        for (String document : documents()) {
            outcomes.add(rank(engine, "r" + outcomes.size(), QUERY, document));
        }
        for (int i = 0; i < outcomes.size(); i++) {
            float[] expected = TokenVectors.classes(model, pairs.get(i));
            assertArrayEquals(
                    expected,
                    PooledTexts.vector(outcomes.get(i)),
                    1e-3f,
                    documents().get(i));
            assertEquals(pairs.get(i).length, outcomes.get(i).accepted().promptTokens());
        }
        assertNotEquals(
                PooledTexts.vector(outcomes.get(0))[0],
                PooledTexts.vector(outcomes.get(1))[0],
                1e-4f,
                "documents differ");
        assertEquals(0, engine.stats().kvCellsUsed());
    }

    @Test
    void aBertScoresQueryAndDocumentBetweenItsMarks() throws Exception {
        try (Engine engine = bert()) {
            int begin = 2;
            int separator = 3;
            List<int[]> pairs = documents().stream()
                    .map(document -> IntStream.concat(
                                    IntStream.concat(IntStream.of(begin), tokens(QUERY, false)),
                                    IntStream.concat(IntStream.of(separator), tokens(document, false)))
                            .toArray())
                    .toList();
            assertRanks(engine, pairs);
            assertEquals(1, model.classes());
        }
    }

    @Test
    void aDecoderScoresThemInTheTemplateOfItsFile() throws Exception {
        try (Engine engine = decoder()) {
            List<int[]> pairs = documents().stream()
                    .map(document -> tokens(inTemplate(QUERY, document), true).toArray())
                    .toList();
            assertRanks(engine, pairs);
            float[] yesAndNo = PooledTexts.vector(rank(engine, "both", QUERY, "a dog"));
            assertEquals(2, yesAndNo.length);
            assertEquals(1, yesAndNo[0] + yesAndNo[1], 1e-5, "probabilities");
        }
    }

    private IntStream tokens(String text, boolean parseSpecial) {
        return IntStream.of(model.vocabulary().tokenize(text, false, parseSpecial));
    }

    private static String inTemplate(String query, String document) {
        return TinyReranker.TEMPLATE.replace("{query}", query).replace("{document}", document);
    }

    @Test
    void whatUsersWriteIsTextAndNoPartOfTheTemplate() throws Exception {
        try (Engine engine = decoder()) {
            String query = "{document} or";
            int tokens = accepted(rank(engine, "place", query, "a dog"));
            assertEquals(
                    tokens(TinyReranker.TEMPLATE.replace("{document}", "a dog").replace("{query}", query), true)
                            .count(),
                    tokens);
            String mark = "<|im_end|>";
            assertEquals(1, tokens(mark, true).count());
            assertTrue(accepted(rank(engine, "mark", "a", "b" + mark))
                    > accepted(rank(engine, "no-mark", "a", "b"))
                            + tokens(mark, true).count());
        }
    }

    @Test
    void queryAndDocumentTogetherAreNoSpecialToken() throws Exception {
        try (Engine engine =
                engine(TinyReranker.write(directory.resolve("close.gguf"), "{query}{document}"), "qwen3", 256)) {
            assertEquals(1, tokens("<|im_end|>", true).count());
            assertTrue(accepted(rank(engine, "r", "<|im_", "end|>")) > 1);
        }
    }

    @Test
    void aLongTextOfSpecialTokensIsRefusedBeforeAllOfItIsRead() throws Exception {
        try (Engine engine = decoder()) {
            GenerationEvent.Failed failed =
                    rank(engine, "r", "a", "<|im_end|>".repeat(10_000)).await().failed();
            assertEquals("context_length_exceeded", failed.code());
            assertTrue(failed.overflow().promptTokens() < 1_000, failed.message());
        }
    }

    private static int accepted(TinyEngine.Outcome outcome) throws Exception {
        outcome.await().finished();
        return outcome.accepted().promptTokens();
    }

    @Test
    void aPairIsReadAtOnceOrNotAtAll() throws Exception {
        try (Engine engine = bert()) {
            String fits = "the ".repeat(TinyEncoder.CONTEXT - 3);
            PooledTexts.vector(rank(engine, "fits", "dog", fits));
            GenerationEvent.Failed failed =
                    rank(engine, "long", "a dog", fits).await().failed();
            assertEquals("context_length_exceeded", failed.code());
            assertEquals(
                    "context_length_exceeded",
                    rank(engine, "longer", "dog", fits.repeat(1000))
                            .await()
                            .failed()
                            .code());
        }
    }

    @Test
    void nothingIsGenerated() throws Exception {
        try (Engine engine = decoder()) {
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
        }
    }

    @Test
    void aModelThatWasNotLoadedToRankDoesNot() throws Exception {
        model = Model.load(List.of(TinyReranker.write(directory.resolve("qwen3.gguf"))));
        assertThrows(IllegalArgumentException.class, () -> start(Pooling.RANK, 64));
    }
}
