package dev.luq.engine;

import static dev.luq.engine.TinyEngine.LLAVA;
import static dev.luq.engine.TinyEngine.QWEN;
import static dev.luq.engine.TinyEngine.noise;
import static dev.luq.engine.TinyEngine.user;
import static dev.luq.engine.TinyEngine.userWithImages;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.luq.Integration;
import dev.luq.engine.TinyEngine.Ask;
import dev.luq.engine.TinyEngine.Outcome;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Answers of random-weight models mean nothing, but must not depend on how they came about. */
@Integration
@Timeout(120)
class EngineAnswersTest {

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

    @ParameterizedTest
    @ValueSource(strings = {LLAVA, QWEN})
    void aConversationRestoredFromBeyondTheSequencesGoesOnAsBefore(String name) throws Exception {
        try (TinyEngine tiny = new TinyEngine(name, 1, 64, 1L << 24)) {
            TinyEngine.Ask cat = tiny.ask(userWithImages("Describe.", 1)).image(noise(1));
            Outcome first = tiny.complete(cat);
            tiny.complete(tiny.ask(userWithImages("Something else entirely, which is long enough.", 1))
                    .image(noise(2)));
            assertTrue(tiny.engine.stats().promptCacheBytes() > 0);
            Outcome again = tiny.complete(cat);
            assertSameAnswer(first, again);
            assertEquals(first.accepted().promptTokens() - 1, again.accepted().cachedTokens());
            assertEquals(1, tiny.engine.stats().promptCacheHits());
            assertEquals(2, tiny.engine.stats().imagesEncoded());
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
}
