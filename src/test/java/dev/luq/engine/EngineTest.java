package dev.luq.engine;

import static dev.luq.engine.TinyEngine.LLAVA;
import static dev.luq.engine.TinyEngine.QWEN;
import static dev.luq.engine.TinyEngine.noise;
import static dev.luq.engine.TinyEngine.user;
import static dev.luq.engine.TinyEngine.userWithImages;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.luq.Integration;
import dev.luq.engine.TinyEngine.Ask;
import dev.luq.engine.TinyEngine.Outcome;
import dev.luq.llama.ChatTemplates;
import dev.luq.llama.Context;
import dev.luq.llama.ContextOptions;
import dev.luq.llama.KvType;
import dev.luq.llama.Model;
import dev.luq.llama.Vision;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The whole engine on random-weight models: their answers mean nothing, but must not depend on how they came about. */
@Integration
@Timeout(120)
class EngineTest {

    private static final String LONG = "Tell me about the shapes and the colours. ".repeat(4);

    private static List<Ask> fourDifferent(TinyEngine tiny) {
        return List.of(
                tiny.ask(user("What colour is the square?")),
                tiny.ask(user(LONG)).maxTokens(24),
                tiny.ask(userWithImages("Describe.", 1)).image(noise(1)),
                tiny.ask(userWithImages("Compare.", 2)).image(noise(1)).image(noise(2)));
    }

    private static List<Outcome> oneByOne(TinyEngine tiny) throws Exception {
        List<Outcome> answers = new ArrayList<>();
        for (Ask ask : fourDifferent(tiny)) {
            answers.add(tiny.complete(ask));
        }
        return answers;
    }

    /** How much a log probability may change when llama.cpp computes the same in batches of other sizes; seen: 0.001. */
    private static final double ROUNDING = 0.01;

    /** The same tokens with the same probabilities, until two tokens are so close that rounding decides. */
    private static void assertSameAnswer(Outcome expected, Outcome actual) {
        List<GenerationEvent.TokenLogprob> a = expected.logprobs();
        List<GenerationEvent.TokenLogprob> b = actual.logprobs();
        assertEquals(a.size(), b.size());
        for (int i = 0; i < a.size(); i++) {
            assertEquals(a.get(i).logprob(), b.get(i).logprob(), ROUNDING, "token " + i);
            if (!a.get(i).bytes().equals(b.get(i).bytes())) {
                return;
            }
        }
    }

    /** The other one generates beside it, whatever the grammar costs. */
    @Test
    void aGrammarThatIsTooComplexEndsItsOwnRequestOnly() throws Exception {
        try (TinyEngine tiny = new TinyEngine(QWEN, 2, 64)) {
            Outcome other = tiny.submit(tiny.ask(user("Hello")).maxTokens(100));
            // at once, and behind more text than any token has
            for (String begin : List.of("", "xyz".repeat(40))) {
                String schema = "{\"type\":\"string\",\"pattern\":\"^" + begin + "(.{0,2000}){0,2000}b$\"}";
                Outcome complex =
                        tiny.complete(tiny.ask(user("Hi")).schema(schema).maxTokens(200));
                assertEquals("schema_too_complex", complex.failed().code());
                assertEquals("response_format", complex.failed().param());
            }
            assertEquals(100, other.await().finished().completionTokens());
        }
    }

    @Test
    void jsonObjectIsJsonAndNothingElse() throws Exception {
        try (TinyEngine tiny = new TinyEngine(QWEN, 1, 64)) {
            String text = tiny.complete(tiny.ask(user("Hi"))
                            .schema("{\"type\":\"object\"}")
                            .random(3)
                            .maxTokens(40))
                    .text();
            assertTrue(text.startsWith("{"), text);
        }
    }

    /** Of all text that is accepted only so much is tokenized as the context holds. */
    @Test
    void textThatDoesNotFitIsRefusedSoon() throws Exception {
        try (TinyEngine tiny = new TinyEngine(QWEN, 1, 64)) {
            GenerationEvent.Failed failed =
                    tiny.complete(tiny.ask(user("x".repeat(3_000_000)))).failed();
            assertEquals("context_length_exceeded", failed.code());
            assertTrue(failed.message().contains("more than"), failed.message());
        }
    }

    /** While two long prompts are prepared, a short one passes. */
    @Test
    void aShortPromptDoesNotWaitForLongOnes() throws Exception {
        try (TinyEngine tiny = new TinyEngine(QWEN, 4, 64)) {
            List<Outcome> slow = new ArrayList<>();
            for (int i = 0; i < 6; i++) {
                slow.add(tiny.submit(tiny.ask(user((" " + i).repeat(400_000)))));
            }
            tiny.complete(tiny.ask(user("Hi")).maxTokens(2)).finished();
            for (Outcome outcome : slow) {
                assertEquals("context_length_exceeded", outcome.await().failed().code());
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {LLAVA, QWEN})
    void answersAreTheSameAloneAndFourAtOnce(String name) throws Exception {
        List<Outcome> alone;
        try (TinyEngine tiny = new TinyEngine(name, 1, 64)) {
            alone = oneByOne(tiny);
        }
        assertEquals(
                List.of(16, 24, 16, 16),
                alone.stream().map(o -> o.tokens().size()).toList());
        try (TinyEngine tiny = new TinyEngine(name, 4, 64)) {
            List<Outcome> outcomes =
                    fourDifferent(tiny).stream().map(tiny::submit).toList();
            for (int i = 0; i < 4; i++) {
                assertSameAnswer(alone.get(i), outcomes.get(i).await());
                assertEquals(FinishReason.LENGTH, outcomes.get(i).finished().reason());
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {LLAVA, QWEN})
    void answersAreTheSameHoweverThePromptIsCut(String name) throws Exception {
        List<Outcome> whole;
        try (TinyEngine tiny = new TinyEngine(name, 1, 256)) {
            whole = oneByOne(tiny);
        }
        try (TinyEngine tiny = new TinyEngine(name, 1, 7)) {
            List<Outcome> cut = oneByOne(tiny);
            for (int i = 0; i < whole.size(); i++) {
                assertSameAnswer(whole.get(i), cut.get(i));
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {LLAVA, QWEN})
    void answersAreTheSameWithAndWithoutPrefixReuse(String name) throws Exception {
        try (TinyEngine tiny = new TinyEngine(name, 2, 64)) {
            for (int i = 0; i < 4; i++) {
                Outcome fresh = tiny.complete(fourDifferent(tiny).get(i).withoutCache());
                Outcome cached = tiny.complete(fourDifferent(tiny).get(i));
                assertEquals(0, fresh.accepted().cachedTokens());
                assertEquals(
                        fresh.accepted().promptTokens() - 1, cached.accepted().cachedTokens());
                assertSameAnswer(fresh, cached);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {LLAVA, QWEN})
    void aPrefixWithAnImageIsReusedByOthersWhileItsOwnerRuns(String name) throws Exception {
        try (TinyEngine tiny = new TinyEngine(name, 2, 64)) {
            CountDownLatch started = new CountDownLatch(1);
            Outcome owner = tiny.submit(
                    tiny.ask(userWithImages("Explain.", 1))
                            .image(noise(1))
                            .maxTokens(200)
                            .as("owner"),
                    event -> started.countDown());
            started.await();
            Outcome other =
                    tiny.complete(tiny.ask(userWithImages("Describe.", 1)).image(noise(1)));
            assertTrue(other.accepted().cachedTokens() > other.accepted().imageTokens());
            assertEquals(200, owner.await().tokens().size());
            Outcome alone = tiny.complete(
                    tiny.ask(userWithImages("Describe.", 1)).image(noise(1)).withoutCache());
            assertSameAnswer(alone, other);
        }
    }

    @Test
    void textInQuickSuccessionIsOneDeltaAfterTheFirst() throws Exception {
        Outcome piecewise;
        try (TinyEngine tiny = new TinyEngine(QWEN, 1, 64)) {
            piecewise = tiny.complete(tiny.ask(user("Count.")));
        }
        try (TinyEngine tiny = new TinyEngine(QWEN, 1, 64, Duration.ofDays(1))) {
            Outcome gathered = tiny.complete(tiny.ask(user("Count.")));
            List<GenerationEvent.Delta> deltas = gathered.events(GenerationEvent.Delta.class);
            assertEquals(2, deltas.size());
            assertEquals(piecewise.events(GenerationEvent.Delta.class).get(0), withId(deltas.get(0), "r0"));
            assertEquals(piecewise.text(), gathered.text());
            assertEquals(piecewise.tokens(), gathered.tokens());
        }
    }

    @Test
    void textHeldBackDoesNotWaitForAnotherRequestsPrompt() throws Exception {
        try (TinyEngine tiny = new TinyEngine(QWEN, 2, 64, Duration.ofDays(1))) {
            CountDownLatch started = new CountDownLatch(1);
            Outcome stream =
                    tiny.submit(tiny.ask(user("Count.")).maxTokens(200).as("stream"), event -> started.countDown());
            started.await();
            tiny.complete(tiny.ask(userWithImages("Describe.", 1)).image(noise(1)));
            assertEquals(200, stream.await().tokens().size());
            assertTrue(stream.events(GenerationEvent.Delta.class).size() > 2);
        }
    }

    private static GenerationEvent.Delta withId(GenerationEvent.Delta delta, String id) {
        return new GenerationEvent.Delta(id, delta.content(), delta.toolCall(), delta.logprobs());
    }

    @Test
    void theNextTurnReusesTheConversationAndItsImage() throws Exception {
        try (TinyEngine tiny = new TinyEngine(QWEN, 4, 64)) {
            Outcome first =
                    tiny.complete(tiny.ask(userWithImages("Describe.", 1)).image(noise(1)));
            String next = "[{\"role\":\"user\",\"content\":[{\"type\":\"media_marker\"},"
                    + "{\"type\":\"text\",\"text\":\"Describe.\"}]},{\"role\":\"assistant\",\"content\":\"ok\"},"
                    + "{\"role\":\"user\",\"content\":\"Why?\"}]";
            Outcome second = tiny.complete(tiny.ask(next).image(noise(1)));
            assertTrue(second.accepted().cachedTokens() >= first.accepted().promptTokens() - 1);
            assertEquals(1, tiny.engine.stats().imagesEncoded());
            assertEquals(
                    first.accepted().promptTokens() + second.accepted().promptTokens(),
                    tiny.engine.stats().promptTokens());
            assertEquals(second.accepted().cachedTokens(), tiny.engine.stats().prefixHits());
        }
    }

    @Test
    void anImageIsEncodedOnceAndItsEmbeddingsKept() throws Exception {
        try (TinyEngine tiny = new TinyEngine(QWEN, 4, 64)) {
            Outcome first = tiny.complete(
                    tiny.ask(userWithImages("Describe.", 1)).image(noise(1)).withoutCache());
            Outcome second = tiny.complete(
                    tiny.ask(userWithImages("Describe.", 1)).image(noise(1)).withoutCache());
            assertSameAnswer(first, second);
            assertTrue(first.finished().timings().imageEncodeMillis() > 0);
            assertEquals(0, second.finished().timings().imageEncodeMillis());
            EngineStats stats = tiny.engine.stats();
            assertEquals(1, stats.imagesEncoded());
            assertEquals(2, stats.imageQueries());
            assertEquals(1, stats.imageHits());
            assertEquals(2L * first.accepted().imageTokens(), stats.imageTokens());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {LLAVA, QWEN})
    void differentImagesGiveDifferentProbabilities(String name) throws Exception {
        try (TinyEngine tiny = new TinyEngine(name, 4, 64)) {
            Outcome one = tiny.complete(tiny.ask(userWithImages("Describe.", 1)).image(noise(1)));
            Outcome two = tiny.complete(tiny.ask(userWithImages("Describe.", 1)).image(noise(2)));
            assertNotEquals(
                    one.logprobs().get(0).logprob(), two.logprobs().get(0).logprob());
        }
    }

    /** If encoding held up decoding, this would never end. */
    @Test
    void threeStreamsGoOnWhileTheFourthsImageIsEncoded() throws Exception {
        CountDownLatch encoding = new CountDownLatch(1);
        CountDownLatch furtherTokens = new CountDownLatch(3);
        try (TinyEngine tiny = new TinyEngine(QWEN, 4, 64, true, (vision, chunk) -> {
            encoding.countDown();
            awaitQuietly(furtherTokens);
            return vision.encode(chunk);
        })) {
            Outcome image = tiny.submit(tiny.ask(userWithImages("Describe.", 1)).image(noise(1)));
            encoding.await();
            List<Outcome> streams = new ArrayList<>();
            for (int i = 0; i < 3; i++) {
                AtomicInteger deltas = new AtomicInteger();
                streams.add(
                        tiny.submit(tiny.ask(user("Stream " + i)).maxTokens(40).as("stream" + i), event -> {
                            if (event instanceof GenerationEvent.Delta && deltas.incrementAndGet() == 5) {
                                furtherTokens.countDown();
                            }
                        }));
            }
            for (Outcome stream : streams) {
                assertEquals(FinishReason.LENGTH, stream.await().finished().reason());
            }
            assertEquals(FinishReason.LENGTH, image.await().finished().reason());
        }
    }

    private static void awaitQuietly(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void aStopStringEndsTheAnswerBeforeIt() throws Exception {
        try (TinyEngine tiny = new TinyEngine(QWEN, 4, 64)) {
            Ask ask = tiny.ask(user("What colour is the square?")).maxTokens(40);
            String whole = tiny.complete(ask).text();
            String stop = whole.substring(whole.length() / 2, whole.length() / 2 + 3);
            Outcome stopped = tiny.complete(ask.stop("never in it", stop));
            assertEquals(whole.substring(0, whole.indexOf(stop)), stopped.text());
            assertEquals(FinishReason.STOP, stopped.finished().reason());
            assertTrue(stopped.finished().completionTokens() < 40);
        }
    }

    @Test
    void equalSeedsGiveEqualAnswers() throws Exception {
        try (TinyEngine tiny = new TinyEngine(QWEN, 4, 64)) {
            String question = user("What colour is the square?");
            List<List<Integer>> one =
                    tiny.complete(tiny.ask(question).random(1)).tokens();
            List<List<Integer>> two =
                    tiny.complete(tiny.ask(question).random(2)).tokens();
            assertEquals(one, tiny.complete(tiny.ask(question).random(1)).tokens());
            assertNotEquals(one, two);
        }
    }

    @Test
    void logProbabilitiesComeWithEveryToken() throws Exception {
        try (TinyEngine tiny = new TinyEngine(QWEN, 4, 64)) {
            Outcome outcome = tiny.complete(tiny.ask(user("Hello")).logprobs(20));
            assertEquals(16, outcome.logprobs().size());
            for (GenerationEvent.TokenLogprob token : outcome.logprobs()) {
                assertEquals(20, token.top().size());
                assertTrue(token.logprob() <= 0);
                double mass = token.top().stream()
                        .mapToDouble(t -> Math.exp(t.logprob()))
                        .sum();
                assertTrue(mass > 0 && mass <= 1 + 1e-9);
            }
            Outcome without = tiny.complete(tiny.ask(user("Hello")).logprobs(-1));
            assertTrue(without.events(GenerationEvent.Delta.class).stream().allMatch(d -> d.logprobs() == null));
            assertEquals(outcome.text(), without.text());
        }
    }

    @Test
    void withoutAMaximumTheAnswerEndsWithTheContext() throws Exception {
        try (TinyEngine tiny = new TinyEngine(QWEN, 4, 64)) {
            Outcome outcome = tiny.complete(tiny.ask(user("Hello")).maxTokens(0));
            assertEquals(FinishReason.LENGTH, outcome.finished().reason());
            assertEquals(
                    tiny.engine.stats().kvCells() + 1,
                    outcome.accepted().promptTokens() + outcome.finished().completionTokens());
        }
    }

    @Test
    void manyRequestsOnFewSequencesAllEnd() throws Exception {
        try (TinyEngine tiny = new TinyEngine(QWEN, 3, 16)) {
            List<Outcome> outcomes = new ArrayList<>();
            for (int i = 0; i < 40; i++) {
                Ask ask = i % 3 == 0
                        ? tiny.ask(userWithImages("Number " + i, 1)).image(noise(i % 5))
                        : tiny.ask(user("Number " + i % 7));
                outcomes.add(tiny.submit(ask.maxTokens(1 + i % 9)));
            }
            for (int i = 0; i < 40; i++) {
                assertEquals(1 + i % 9, outcomes.get(i).await().finished().completionTokens());
            }
            assertEquals(0, tiny.engine.stats().running() + tiny.engine.stats().waiting());
        }
    }

    @Test
    void answersAreTheSameWhenCachesAreEvicted() throws Exception {
        try (TinyEngine tiny = new TinyEngine(QWEN, 4, 64)) {
            List<Outcome> first = new ArrayList<>();
            int tokens = 0;
            for (int i = 0; i < 8; i++) {
                Outcome outcome =
                        tiny.complete(tiny.ask(userWithImages(i + LONG, 1)).image(noise(i)));
                tokens += outcome.accepted().promptTokens();
                first.add(outcome);
            }
            assertTrue(tokens > 3 * TinyEngine.CONTEXT / 2, "too few to evict anything");
            for (int i = 0; i < 8; i++) {
                assertSameAnswer(
                        first.get(i),
                        tiny.complete(tiny.ask(userWithImages(i + LONG, 1)).image(noise(i))));
            }
        }
    }

    @Test
    void aSchemaIsFollowed() throws Exception {
        try (TinyEngine tiny = new TinyEngine(QWEN, 4, 64)) {
            String schema =
                    """
                    {"type":"object","properties":{"colour":{"enum":["red","blue"]},"round":{"type":"boolean"}},
                    "required":["colour","round"],"additionalProperties":false}""";
            Outcome outcome =
                    tiny.complete(tiny.ask(user("Hello")).schema(schema).maxTokens(200));
            JsonNode json = new ObjectMapper().readTree(outcome.text());
            assertTrue(List.of("red", "blue").contains(json.get("colour").asText()), outcome.text());
            assertTrue(json.get("round").isBoolean());
            assertEquals(FinishReason.STOP, outcome.finished().reason());
        }
    }

    private static final String TOOLS =
            """
            [{"type":"function","function":{"name":"paint","parameters":{"type":"object","properties":{}}}}]""";

    @Test
    void aModelWhoseTemplateKnowsNoToolsRefusesThem() throws Exception {
        try (TinyEngine tiny = new TinyEngine(QWEN, 4, 64)) {
            assertEquals(
                    "tools",
                    tiny.complete(tiny.ask(user("x")).tools(TOOLS, "auto"))
                            .failed()
                            .param());
            assertNotNull(
                    tiny.complete(tiny.ask(user("x")).tools(TOOLS, "none")).finished());
        }
    }

    @Test
    void whatCannotBeAnsweredFailsWithItsFieldAndTheNextIsAnswered() throws Exception {
        try (TinyEngine tiny = new TinyEngine(QWEN, 4, 64)) {
            GenerationEvent.Failed tooLong =
                    tiny.complete(tiny.ask(user("word ".repeat(600)))).failed();
            assertEquals("context_length_exceeded", tooLong.code());
            assertEquals("messages", tooLong.param());
            GenerationEvent.Failed schema = tiny.complete(tiny.ask(user("x")).schema("{\"type\":\"no such type\"}"))
                    .failed();
            assertEquals("invalid_request", schema.code());
            assertEquals("response_format", schema.param());
            assertEquals(
                    "invalid_request",
                    tiny.complete(tiny.ask("[{\"content\":\"no role\"}]"))
                            .failed()
                            .code());
            assertEquals(16, tiny.complete(tiny.ask(user("x"))).tokens().size());
        }
    }

    @Test
    void aModelWithoutVisionRefusesImages() throws Exception {
        try (TinyEngine tiny = new TinyEngine(QWEN, 4, 64, false, Vision::encode)) {
            GenerationEvent.Failed failed = tiny.complete(
                            tiny.ask(userWithImages("x", 1)).image(noise(1)))
                    .failed();
            assertEquals("unsupported_modality", failed.code());
            assertEquals(16, tiny.complete(tiny.ask(user("x"))).tokens().size());
        }
    }

    @Test
    void anImageThatCannotBeEncodedFailsItsRequestOnly() throws Exception {
        try (TinyEngine tiny = new TinyEngine(QWEN, 4, 64, true, (vision, chunk) -> {
            throw new IllegalStateException("secret detail");
        })) {
            Outcome text = tiny.submit(tiny.ask(user("x")));
            GenerationEvent.Failed failed = tiny.complete(
                            tiny.ask(userWithImages("x", 1)).image(noise(1)))
                    .failed();
            assertEquals("internal_error", failed.code());
            assertFalse(failed.message().contains("secret"));
            assertEquals(16, text.await().tokens().size());
        }
    }

    @Test
    void cancellingAGenerationStopsItWithinOneStep() throws Exception {
        try (TinyEngine tiny = new TinyEngine(QWEN, 4, 64)) {
            AtomicInteger deltas = new AtomicInteger();
            // The listener runs on the engine's thread: the cancellation is in the mailbox before the next step.
            Outcome outcome = tiny.submit(tiny.ask(user("Hello")).maxTokens(0).as("a"), event -> {
                        if (event instanceof GenerationEvent.Delta && deltas.incrementAndGet() == 3) {
                            tiny.engine.cancel("a");
                        }
                    })
                    .await();
            assertEquals("cancelled", outcome.failed().code());
            assertEquals(3, deltas.get());
            tiny.complete(tiny.ask(user("Hello")).maxTokens(1));
            assertEquals(1, tiny.engine.stats().cancelled());
            assertEquals(0, tiny.engine.stats().running());
        }
    }

    @Test
    void cancellingWhileTheImageIsEncodedAnswersAtOnce() throws Exception {
        CountDownLatch encoding = new CountDownLatch(1);
        CountDownLatch cancelled = new CountDownLatch(1);
        try (TinyEngine tiny = new TinyEngine(QWEN, 4, 64, true, (vision, chunk) -> {
            encoding.countDown();
            awaitQuietly(cancelled);
            return vision.encode(chunk);
        })) {
            Outcome running =
                    tiny.submit(tiny.ask(userWithImages("x", 1)).image(noise(1)).as("a"), event -> {});
            Outcome queued =
                    tiny.submit(tiny.ask(userWithImages("y", 1)).image(noise(2)).as("b"), event -> {});
            encoding.await();
            tiny.engine.cancel("a");
            tiny.engine.cancel("b");
            assertEquals("cancelled", running.await().failed().code());
            assertEquals("cancelled", queued.await().failed().code());
            cancelled.countDown();
            Outcome next = tiny.complete(tiny.ask(userWithImages("x", 1)).image(noise(1)));
            assertEquals(16, next.tokens().size());
            assertEquals(1, tiny.engine.stats().imagesEncoded(), "the one that had begun serves the next");
        }
    }

    @Test
    void cancellingFromTheQueueAndOfNobody() throws Exception {
        try (TinyEngine tiny = new TinyEngine(QWEN, 1, 16)) {
            Outcome first = tiny.submit(tiny.ask(user("Hello")).maxTokens(100));
            Outcome waiting = tiny.submit(tiny.ask(user("Hello")).as("waiting"), event -> {});
            tiny.engine.cancel("waiting");
            tiny.engine.cancel("nobody");
            assertEquals("cancelled", waiting.await().failed().code());
            assertEquals(100, first.await().tokens().size());
            assertEquals(List.of(waiting.failed()), waiting.events(), "nothing else happened to it");
        }
    }

    @Test
    void aListenerThatThrowsEndsItsOwnRequestOnly() throws Exception {
        try (TinyEngine tiny = new TinyEngine(QWEN, 4, 64)) {
            tiny.engine.submit(tiny.ask(user("Hello")).maxTokens(0).as("broken"), event -> {
                throw new IllegalStateException("gone");
            });
            assertEquals(16, tiny.complete(tiny.ask(user("Hello"))).tokens().size());
            tiny.complete(tiny.ask(user("Hello")).maxTokens(1));
            assertEquals(0, tiny.engine.stats().running());
        }
    }

    @Test
    void anIdInUseIsRefused() throws Exception {
        try (TinyEngine tiny = new TinyEngine(QWEN, 4, 64)) {
            Outcome first = tiny.submit(tiny.ask(user("Hello")).maxTokens(50).as("same"), event -> {});
            Outcome second = tiny.submit(tiny.ask(user("Hello")).as("same"), event -> {});
            assertEquals("internal_error", second.await().failed().code());
            assertEquals(50, first.await().tokens().size());
        }
    }

    @Test
    void theEngineMustFitItsContext() {
        Model model = TinyEngine.model(QWEN);
        try (Context context = Context.create(model, new ContextOptions(512, 64, 2, 1, KvType.F16, false));
                ChatTemplates templates = ChatTemplates.of(model)) {
            for (EngineOptions options :
                    List.of(new EngineOptions(3, 64, 0, Duration.ZERO), new EngineOptions(2, 65, 0, Duration.ZERO))) {
                assertThrows(
                        IllegalArgumentException.class,
                        () -> Engine.start(options, model, context, templates, null, WorkListener.NONE));
            }
        }
        assertThrows(IllegalArgumentException.class, () -> new EngineOptions(4, 4, 0, Duration.ZERO));
    }

    @Test
    void closingCancelsWhatRunsAndRefusesWhatComes() throws Exception {
        TinyEngine tiny = new TinyEngine(QWEN, 2, 64);
        CountDownLatch started = new CountDownLatch(1);
        List<Outcome> outcomes = Stream.of("a", "b", "c")
                .map(id -> tiny.submit(tiny.ask(user("Hello")).maxTokens(400).as(id), event -> started.countDown()))
                .toList();
        started.await();
        tiny.close();
        for (Outcome outcome : outcomes) {
            List<GenerationEvent> events = outcome.await().events();
            GenerationEvent last = events.get(events.size() - 1);
            assertEquals(
                    "cancelled",
                    assertInstanceOf(GenerationEvent.Failed.class, last).code());
        }
        assertEquals(
                "cancelled", tiny.complete(tiny.ask(user("Hello"))).failed().code());
        tiny.close();
    }
}
