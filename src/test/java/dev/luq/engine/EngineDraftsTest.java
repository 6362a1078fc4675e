package dev.luq.engine;

import static dev.luq.engine.TinyEngine.LLAVA;
import static dev.luq.engine.TinyEngine.QWEN;
import static dev.luq.engine.TinyEngine.noise;
import static dev.luq.engine.TinyEngine.user;
import static dev.luq.engine.TinyEngine.userWithImages;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.luq.Integration;
import dev.luq.engine.TinyEngine.Ask;
import dev.luq.engine.TinyEngine.Outcome;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Answers do not depend on drafts. */
@Integration
@Timeout(240)
class EngineDraftsTest {

    /** As in {@link EngineAnswersTest}. */
    private static final double ROUNDING = 0.01;

    private int compared;
    private int different;

    /** The same, until two tokens are so close that rounding decides. */
    private void assertSame(Outcome expected, Outcome actual) {
        compared++;
        List<GenerationEvent.TokenLogprob> a = expected.logprobs();
        List<GenerationEvent.TokenLogprob> b = actual.logprobs();
        for (int i = 0; i < Math.min(a.size(), b.size()); i++) {
            if (a.get(i).id() != b.get(i).id()) {
                different++;
                return;
            }
            assertEquals(a.get(i).logprob(), b.get(i).logprob(), ROUNDING, "token " + i);
        }
        assertEquals(expected.tokens(), actual.tokens());
        assertEquals(expected.text(), actual.text());
        assertEquals(expected.finished().reason(), actual.finished().reason());
        assertEquals(expected.finished().stop(), actual.finished().stop());
        assertEquals(expected.finished().completionTokens(), actual.finished().completionTokens());
    }

    private static String words(Random random) {
        StringBuilder text = new StringBuilder();
        for (int i = 3 + random.nextInt(20); i > 0; i--) {
            text.append((char) ('a' + random.nextInt(4))).append(random.nextInt(3) == 0 ? " red" : " ");
        }
        return text.toString();
    }

    private static Ask ask(TinyEngine tiny, int seed) {
        Random random = new Random(seed);
        Ask ask = seed % 10 == 0
                ? tiny.ask(userWithImages(words(random), 1)).image(noise(seed))
                : tiny.ask(user(words(random)));
        ask.maxTokens(1 + random.nextInt(48)).logprobs(random.nextInt(3));
        return switch (seed % 5) {
            case 1 -> ask.random(seed);
            case 2 -> ask.stop("e", "red ");
            case 3 -> ask.grammar("root ::= \"[\" (\"ab, \" | \"cd, \" | \"ef\\n\"){4,20} \"]\"");
            default -> ask;
        };
    }

    @ParameterizedTest
    @ValueSource(strings = {LLAVA, QWEN})
    void answersAreTheSameWithAndWithoutDrafts(String name) throws Exception {
        List<Outcome> without = new ArrayList<>();
        try (TinyEngine tiny = new TinyEngine(name, 1, 64)) {
            for (int seed = 0; seed < 100; seed++) {
                without.add(tiny.complete(ask(tiny, seed)));
            }
            assertEquals(0, tiny.engine.stats().draftedTokens());
        }
        try (TinyEngine tiny = TinyEngine.drafting(name, 1, 8)) {
            for (int seed = 0; seed < without.size(); seed++) {
                assertSame(without.get(seed), tiny.complete(ask(tiny, seed)));
            }
            EngineStats stats = tiny.engine.stats();
            assertTrue(stats.acceptedTokens() > 40, stats.toString());
            assertTrue(stats.acceptedTokens() < stats.draftedTokens(), stats.toString());
        }
        assertTrue(different <= compared / 20, different + " of " + compared + " go on differently");
    }

    @Test
    void manyAtOnceAnswerAsAlone() throws Exception {
        List<Outcome> alone = new ArrayList<>();
        try (TinyEngine tiny = new TinyEngine(QWEN, 1, 64)) {
            for (int seed = 0; seed < 60; seed++) {
                alone.add(tiny.complete(ask(tiny, seed)));
            }
        }
        try (TinyEngine tiny = TinyEngine.drafting(QWEN, 3, 8)) {
            List<Outcome> together = new ArrayList<>();
            for (int seed = 0; seed < alone.size(); seed++) {
                together.add(tiny.submit(ask(tiny, seed)));
            }
            for (int seed = 0; seed < alone.size(); seed++) {
                assertSame(alone.get(seed), together.get(seed).await());
            }
            assertTrue(tiny.engine.stats().acceptedTokens() > 0);
        }
        assertTrue(different <= compared / 10, different + " of " + compared + " go on differently");
    }

    @Test
    void choicesOfOnePromptDifferByTheirSeedsAlone() throws Exception {
        String prompt = user("a b a b a b");
        List<Outcome> without = new ArrayList<>();
        try (TinyEngine tiny = new TinyEngine(QWEN, 4, 64)) {
            for (int seed = 0; seed < 4; seed++) {
                without.add(tiny.complete(tiny.ask(prompt).random(seed).maxTokens(40)));
            }
        }
        try (TinyEngine tiny = TinyEngine.drafting(QWEN, 4, 8)) {
            List<Outcome> with = new ArrayList<>();
            for (int seed = 0; seed < 4; seed++) {
                with.add(tiny.submit(tiny.ask(prompt).random(seed).maxTokens(40)));
            }
            for (int seed = 0; seed < 4; seed++) {
                assertSame(without.get(seed), with.get(seed).await());
            }
        }
    }

    @Test
    void theContextIsUsedToItsEnd() throws Exception {
        Outcome without;
        try (TinyEngine tiny = new TinyEngine(QWEN, 1, 64)) {
            without = tiny.complete(tiny.ask(user("On and on")).maxTokens(0));
        }
        try (TinyEngine tiny = TinyEngine.drafting(QWEN, 1, 16)) {
            Outcome with = tiny.complete(tiny.ask(user("On and on")).maxTokens(0));
            assertEquals(FinishReason.LENGTH, with.finished().reason());
            assertEquals(without.finished().completionTokens(), with.finished().completionTokens());
            GenerationEvent.Timings timings = with.finished().timings();
            assertTrue(timings.acceptedTokens() > 0 && timings.acceptedTokens() <= timings.draftedTokens());
            assertEquals(timings.draftedTokens(), tiny.engine.stats().draftedTokens());
            long drafts = tiny.engine.stats().drafts();
            assertTrue(drafts > 0 && drafts <= timings.draftedTokens(), drafts + " drafts");
            assertEquals(timings.acceptedTokens(), tiny.engine.stats().acceptedTokens());
        }
    }

    /** What a cancelled answer leaves in its sequence is reused by the next request. */
    @Test
    void aCancelledAnswerSpoilsNoLaterOne() throws Exception {
        try (TinyEngine tiny = TinyEngine.drafting(QWEN, 1, 8)) {
            for (int tokens = 1; tokens < 60; tokens += 7) {
                int enough = tokens;
                AtomicInteger deltas = new AtomicInteger();
                tiny.submit(tiny.ask(user("Again and again")).maxTokens(0).as("a" + enough), event -> {
                            if (event instanceof GenerationEvent.Delta && deltas.incrementAndGet() == enough) {
                                tiny.engine.cancel("a" + enough);
                            }
                        })
                        .await()
                        .failed();
                Outcome cached = tiny.complete(tiny.ask(user("Again and again")).maxTokens(30));
                assertTrue(cached.accepted().cachedTokens() > 0);
                assertSame(
                        tiny.complete(
                                tiny.ask(user("Again and again")).maxTokens(30).withoutCache()),
                        cached);
            }
        }
    }
}
