package dev.luq.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.luq.Integration;
import dev.luq.engine.TinyEngine.Outcome;
import dev.luq.llama.ChatTemplates;
import dev.luq.llama.Context;
import dev.luq.llama.ContextOptions;
import dev.luq.llama.Llama;
import dev.luq.llama.Model;
import dev.luq.llama.SamplerOptions;
import dev.luq.llama.TinyWindow;
import dev.luq.machine.KvType;
import dev.luq.prompt.PromptContent;
import dev.luq.prompt.PromptRequest;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Cached prefixes of a model of which one layer looks at the latest positions alone. */
@Integration
@Timeout(120)
class EngineWindowTest {

    private static final int SEQUENCES = 2;
    private static final int BATCH = 64;
    private static final int CONTEXT = 512;
    /** Of a prompt whose window is far behind its beginning. */
    private static final int[] LONG = tokens(1, 300);

    @TempDir
    Path directory;

    private Model model;
    private Engine engine;
    private int requests;

    static {
        Llama.init(line -> {});
    }

    @BeforeEach
    void start() throws Exception {
        model = Model.load(List.of(TinyWindow.write(directory.resolve("window.gguf"))));
        engine = Engine.start(
                new EngineOptions(SEQUENCES, BATCH, 0, 1 << 20, Duration.ZERO, false),
                model,
                Context.create(model, new ContextOptions(CONTEXT, BATCH, SEQUENCES, 1, KvType.F32, false, SEQUENCES)),
                ChatTemplates.of(model),
                null,
                EngineFiles.NONE,
                WorkListener.NONE);
    }

    @AfterEach
    void close() {
        engine.close();
        model.close();
    }

    private static int[] tokens(int seed, int count) {
        return IntStream.range(0, count)
                .map(i -> 100 + (i * 31 + seed * 17) % 150)
                .toArray();
    }

    private static int[] join(int[] first, int count, int[] second) {
        return IntStream.concat(IntStream.of(first).limit(count), IntStream.of(second))
                .toArray();
    }

    private Outcome complete(int[] prompt, boolean cached) throws Exception {
        SamplerOptions greedy = new SamplerOptions(0f, 1f, 0, 0f, 0f, 0f, 1f, 0, Map.of(), Map.of(), true);
        PromptContent content = new PromptContent.Raw(List.of(new PromptContent.Piece.Tokens(prompt)), null);
        Outcome outcome = new Outcome();
        engine.submit(
                new GenerationRequest(
                        "r" + requests++,
                        new PromptRequest(content, List.of(), greedy, null),
                        1,
                        List.of(),
                        0,
                        cached,
                        null),
                outcome);
        outcome.await().finished();
        return outcome;
    }

    /** The long prompt, after which another one took the cells that its window has left. */
    private void loseTheBeginning() throws Exception {
        complete(tokens(2, 100), false);
        complete(LONG, false);
        complete(tokens(3, 150), false);
    }

    /** @param reused of the prompt, of which the answer must not depend on */
    private void assertAnswers(int[] prompt, int reused) throws Exception {
        Outcome outcome = complete(prompt, true);
        assertEquals(reused, outcome.accepted().cachedTokens());
        Outcome anew = complete(prompt, false);
        assertEquals(anew.logprobs().get(0).logprob(), outcome.logprobs().get(0).logprob(), 1e-4);
        assertEquals(anew.tokens(), outcome.tokens());
    }

    @Test
    void aBeginningThatTheWindowHasLeftIsEvaluatedAnew() throws Exception {
        loseTheBeginning();
        assertAnswers(join(LONG, 60, tokens(4, 40)), 0);
    }

    @Test
    void aPromptGoesOnAtItsEnd() throws Exception {
        loseTheBeginning();
        assertAnswers(join(LONG, LONG.length, tokens(4, 40)), LONG.length);
    }

    @Test
    void aBeginningThatIsStillThereIsReused() throws Exception {
        complete(LONG, false);
        assertAnswers(join(LONG, 200, tokens(4, 40)), 200);
    }

    @Test
    void aPromptThatWasKeptBeyondItsSequenceGoesOnAtItsEnd() throws Exception {
        loseTheBeginning();
        complete(tokens(5, 200), false);
        complete(tokens(6, 200), false);
        assertAnswers(join(LONG, LONG.length, tokens(4, 40)), LONG.length);
        assertEquals(1, engine.stats().promptCacheHits());
    }
}
