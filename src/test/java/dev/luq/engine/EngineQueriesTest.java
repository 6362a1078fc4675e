package dev.luq.engine;

import static dev.luq.Until.completed;
import static dev.luq.Until.until;
import static dev.luq.engine.TinyEngine.QWEN;
import static dev.luq.engine.TinyEngine.noise;
import static dev.luq.engine.TinyEngine.user;
import static dev.luq.engine.TinyEngine.userWithImages;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.luq.Integration;
import dev.luq.engine.TinyEngine.Ask;
import dev.luq.engine.TinyEngine.Outcome;
import dev.luq.prompt.PromptBuilder.TokenCount;
import dev.luq.prompt.PromptContent;
import dev.luq.prompt.PromptContent.Piece;
import dev.luq.prompt.PromptException;
import dev.luq.prompt.PromptRequest;
import dev.luq.prompt.Tokenizer;
import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What the engine is asked beside its generations. */
@Integration
@Timeout(120)
class EngineQueriesTest {

    @Test
    void aPromptHasAsManyTokensAsItsGenerationSays() throws Exception {
        try (TinyEngine tiny = new TinyEngine(QWEN, 2, 64)) {
            for (Ask ask : List.of(
                    tiny.ask(user("What colour is the square?")),
                    tiny.ask(userWithImages("What do you see?", 2))
                            .image(noise(1))
                            .image(noise(2)))) {
                PromptRequest prompt = ask.as("prompt").prompt();
                TokenCount count =
                        answer(tiny, "count", () -> tiny.engine.prompts().count(prompt));
                GenerationEvent.Accepted accepted =
                        tiny.complete(ask.maxTokens(1)).accepted();
                assertEquals(accepted.promptTokens(), count.tokens());
                assertEquals(accepted.imageTokens(), count.imageTokens());
            }
        }
    }

    @Test
    void aPromptThatTheContextDoesNotHoldIsCountedAllTheSame() throws Exception {
        try (TinyEngine tiny = new TinyEngine(QWEN, 2, 64)) {
            PromptRequest prompt =
                    tiny.ask(user(" word".repeat(30_000))).as("prompt").prompt();
            TokenCount count = answer(tiny, "count", () -> tiny.engine.prompts().count(prompt));
            assertTrue(count.tokens() > 30_000, count::toString);
        }
    }

    /** Every sequence is taken, and the only one that encodes is held up: if a query waited, this would never end. */
    @Test
    void aQueryDoesNotWaitForGenerations() throws Exception {
        CountDownLatch answered = new CountDownLatch(1);
        try (TinyEngine tiny = new TinyEngine(QWEN, 1, 64, (vision, chunk, listener) -> {
            awaitQuietly(answered);
            return vision.encode(chunk);
        })) {
            Outcome holding =
                    tiny.submit(tiny.ask(userWithImages("Describe.", 1)).image(noise(1)));
            Outcome waiting = tiny.submit(tiny.ask(user("Hi")));
            PromptRequest prompt = tiny.ask(user("Hi")).as("prompt").prompt();
            assertTrue(answer(tiny, "count", () -> tiny.engine.prompts().count(prompt))
                            .tokens()
                    > 0);
            answered.countDown();
            holding.await().finished();
            waiting.await().finished();
        }
    }

    /** Queries of all kinds that are answered after the generations: if one of these waited, this would never end. */
    @Test
    void noGenerationWaitsForQueries() throws Exception {
        CountDownLatch generated = new CountDownLatch(1);
        try (TinyEngine tiny = new TinyEngine(QWEN, 1, 64)) {
            List<CompletableFuture<String>> answers = new ArrayList<>();
            for (int i = 0; i < 6; i++) {
                CompletableFuture<String> answer = new CompletableFuture<>();
                tiny.engine.submit(
                        new Query<>("query " + i, null, i % 2 == 0 ? 10 : 1 << 20, i < 2, () -> {
                            awaitQuietly(generated);
                            return "answer";
                        }),
                        answer::complete,
                        answer::completeExceptionally);
                answers.add(answer);
            }
            tiny.complete(tiny.ask(user("Hi")).maxTokens(1));
            tiny.complete(tiny.ask(userWithImages("Hi", 1)).image(noise(1)).maxTokens(1));
            tiny.submit(tiny.ask(user(" word".repeat(30_000)))).await();
            generated.countDown();
            for (CompletableFuture<String> answer : answers) {
                assertEquals("answer", completed("the answer to a query", answer));
            }
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
    void piecesOfTokensAreBoundedTogether() {
        try (TinyEngine tiny = new TinyEngine(QWEN, 2, 64)) {
            Tokenizer tokenizer = tiny.engine.prompts().tokenizer();
            int[] tokens = tokens(tiny, "Hello, world", false);
            assertEquals(tokens.length, tokenizer.pieces(tokens, 12).lengths().length);
            PromptException.InvalidRequest refused =
                    assertThrows(PromptException.InvalidRequest.class, () -> tokenizer.pieces(tokens, 11));
            assertEquals("content", refused.param());
        }
    }

    @Test
    void textsBecomeTokensAndTextsAgain() throws Exception {
        try (TinyEngine tiny = new TinyEngine(QWEN, 2, 64)) {
            String text = "Grüße, 語 and 🦊 <|im_end|>";
            int[] asText = tokens(tiny, text, false);
            int[] asControl = tokens(tiny, text, true);
            assertTrue(asControl.length < asText.length, "a control token is one token");
            for (int[] tokens : List.of(asText, asControl)) {
                assertEquals(text, tiny.engine.prompts().tokenizer().text(tokens, 100));
            }
            int[] mixed = tiny.engine
                    .prompts()
                    .tokenizer()
                    .tokenize(
                            new PromptContent.Raw(
                                    List.of(new Piece.Tokens(new int[] {1, 2}), new Piece.Text("a")), null),
                            true,
                            true);
            assertArrayEquals(new int[] {1, 2, tokens(tiny, "a", false)[0]}, mixed);
        }
    }

    private static int[] tokens(TinyEngine tiny, String text, boolean parseSpecial) {
        return tiny.engine
                .prompts()
                .tokenizer()
                .tokenize(new PromptContent.Raw(List.of(new Piece.Text(text)), null), false, parseSpecial);
    }

    @Test
    void tokensThatTheModelDoesNotHaveAreRefused() {
        try (TinyEngine tiny = new TinyEngine(QWEN, 2, 64)) {
            for (int token : new int[] {-1, tiny.model.vocabulary().size(), Integer.MAX_VALUE}) {
                PromptException refused = assertThrows(
                        PromptException.class,
                        () -> tiny.engine.prompts().tokenizer().text(new int[] {0, token}, 100));
                assertEquals("tokens", refused.param());
            }
        }
    }

    @Test
    void theTemplateIsAppliedAndControlTokensOfUsersStayTheirText() {
        try (TinyEngine tiny = new TinyEngine(QWEN, 2, 64)) {
            String messages = userWithImages("Hi <|im_end|>", 1);
            String prompt = tiny.engine
                    .prompts()
                    .render(new PromptContent.Chat("{\"messages\":" + messages + "}"), "<__media__>", 10_000);
            assertTrue(prompt.contains("<|im_start|>user\n<__media__>Hi <|im_end|><|im_end|>"), prompt);
        }
    }

    @Test
    void aQueryIsAnsweredOnceHoweverItEnds() throws Exception {
        try (TinyEngine tiny = new TinyEngine(QWEN, 2, 64)) {
            CountDownLatch cancelled = new CountDownLatch(1);
            CompletableFuture<String> answer = submit(tiny, "q", () -> {
                awaitQuietly(cancelled);
                return "too late";
            });
            CompletableFuture<String> queued = submit(tiny, "queued", () -> "never begun");
            assertEquals(
                    "internal_error",
                    failure(submit(tiny, "q", () -> "the same id")).code());
            tiny.engine.cancel("queued");
            tiny.engine.cancel("q");
            cancelled.countDown();
            assertEquals("cancelled", failure(answer).code());
            assertEquals("cancelled", failure(queued).code());
            assertEquals("next", answer(tiny, "q2", () -> "next"));
        }
    }

    /** All the while the thread that answers queries is held up. */
    @Test
    void nothingIsHeldOfQueriesThatAreCancelledBeforeTheyBegin() throws Exception {
        try (TinyEngine tiny = new TinyEngine(QWEN, 2, 64)) {
            CountDownLatch gone = new CountDownLatch(1);
            CompletableFuture<String> holding = submit(tiny, "holding", () -> {
                awaitQuietly(gone);
                return "answer";
            });
            List<WeakReference<byte[]>> pixels = new ArrayList<>();
            for (int i = 0; i < 20; i++) {
                pixels.add(submitAndCancel(tiny, "cancelled " + i));
            }
            try {
                until("the pixels to be gone", () -> {
                    System.gc();
                    return pixels.stream().allMatch(each -> each.refersTo(null));
                });
            } finally {
                gone.countDown();
            }
            assertEquals("answer", completed("the answer", holding));
        }
    }

    private static WeakReference<byte[]> submitAndCancel(TinyEngine tiny, String id) {
        byte[] pixels = new byte[100];
        CompletableFuture<Integer> answer = submit(tiny, id, () -> pixels.length);
        tiny.engine.cancel(id);
        assertEquals("cancelled", failure(answer).code());
        return new WeakReference<>(pixels);
    }

    @Test
    void afterItsEndTheEngineAnswersNothing() throws Exception {
        TinyEngine tiny = new TinyEngine(QWEN, 2, 64);
        tiny.close();
        assertEquals("cancelled", failure(submit(tiny, "q", () -> "late")).code());
        CompletableFuture<List<SlotState>> slots = new CompletableFuture<>();
        tiny.engine.readSlots("s", slots::complete, slots::completeExceptionally);
        assertEquals("cancelled", failure(slots).code());
    }

    @Test
    void theSlotsSayWhatRunsInThem() throws Exception {
        try (TinyEngine tiny = new TinyEngine(QWEN, 2, 64)) {
            CompletableFuture<List<SlotState>> slots = new CompletableFuture<>();
            // on the engine's thread, so that it is read before the next step
            tiny.submit(tiny.ask(user("Hello")).maxTokens(3).as("a"), event -> {
                        if (event instanceof GenerationEvent.Delta) {
                            tiny.engine.readSlots(
                                    "s" + slots.hashCode(), slots::complete, slots::completeExceptionally);
                        }
                    })
                    .await()
                    .finished();
            List<SlotState> seen = completed("the slots", slots);
            assertEquals(2, seen.size());
            SlotState running = seen.stream()
                    .filter(slot -> "a".equals(slot.request()))
                    .findFirst()
                    .orElseThrow();
            assertEquals(running.promptTokens(), running.evaluatedTokens());
            assertEquals(1, running.generatedTokens());
            assertEquals(3, running.maxTokens());
            assertEquals(1, seen.stream().filter(slot -> slot.request() == null).count());
        }
    }

    /** While the thread that answers queries is held up. */
    @Test
    void clientsTakeTurns() throws Exception {
        try (TinyEngine tiny = new TinyEngine(QWEN, 2, 64)) {
            CountDownLatch all = new CountDownLatch(1);
            List<String> answered = new CopyOnWriteArrayList<>();
            submit(tiny, "holding", () -> {
                awaitQuietly(all);
                return "";
            });
            submit(tiny, "hog", "hog 1", () -> answered.add("hog 1"));
            CompletableFuture<Boolean> last = submit(tiny, "hog", "hog 2", () -> answered.add("hog 2"));
            submit(tiny, "other", "other", () -> answered.add("other"));
            all.countDown();
            completed("the answer", last);
            assertEquals(List.of("hog 1", "other", "hog 2"), answered);
        }
    }

    private static <T> CompletableFuture<T> submit(TinyEngine tiny, String id, Supplier<T> work) {
        return submit(tiny, null, id, work);
    }

    private static <T> CompletableFuture<T> submit(TinyEngine tiny, String client, String id, Supplier<T> work) {
        CompletableFuture<T> answer = new CompletableFuture<>();
        tiny.engine.submit(
                new Query<>(id, client, 1, false, work),
                value -> assertTrue(answer.complete(value)),
                failure -> assertTrue(answer.completeExceptionally(failure)));
        return answer;
    }

    private static <T> T answer(TinyEngine tiny, String id, Supplier<T> work) throws Exception {
        return completed("the answer", submit(tiny, id, work));
    }

    private static EngineException failure(CompletableFuture<?> answer) {
        ExecutionException failed = assertThrows(ExecutionException.class, () -> completed("the end", answer));
        return assertInstanceOf(EngineException.class, failed.getCause());
    }
}
