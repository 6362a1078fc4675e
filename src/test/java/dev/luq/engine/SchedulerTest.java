package dev.luq.engine;

import static dev.luq.engine.World.image;
import static dev.luq.engine.World.join;
import static dev.luq.engine.World.range;
import static dev.luq.engine.World.text;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SchedulerTest {

    private static final int BATCH = 16;

    private final World world = new World(4, 1024, BATCH);

    private static Map<String, Integer> cells(Step step) {
        Map<String, Integer> cells = new java.util.TreeMap<>();
        step.tokens().forEach(run -> cells.put(run.request(), run.tokens().length));
        if (step.image() != null) {
            cells.put(step.image().request(), step.image().count());
        }
        return cells;
    }

    private void generate(String id, Prompt prompt) {
        world.submit(id, prompt, 0);
        while (world.answers.get(id).isEmpty()) {
            world.encodeAll();
            world.step();
        }
    }

    private void complete(String id, Prompt prompt, int maxTokens) {
        world.submit(id, prompt, maxTokens);
        world.run();
        assertTrue(world.finished.containsKey(id));
    }

    @Nested
    class Batching {

        @Test
        void nothingToDoIsAnEmptyStep() {
            assertTrue(world.step().isEmpty());
        }

        @Test
        void aShortPromptIsOneStepAndEachTokenOneMore() {
            world.submit("a", range(0, 10), 3);
            assertEquals(Map.of("a", 10), cells(world.step()));
            assertEquals(Map.of("a", 1), cells(world.step()));
            assertEquals(Map.of("a", 1), cells(world.step()));
            assertEquals(FinishReason.LENGTH, world.finished.get("a"));
            assertEquals(3, world.answers.get("a").size());
            assertTrue(world.step().isEmpty());
        }

        @Test
        void generationsGoOnWhileAPromptTenBatchesLongIsEvaluated() {
            generate("a", range(0, 5));
            generate("b", range(100, 5));
            world.submit("long", range(200, 10 * BATCH), 0);
            for (int chunk = 0; world.answers.get("long").isEmpty(); chunk++) {
                int a = world.answers.get("a").size();
                int b = world.answers.get("b").size();
                world.step();
                assertEquals(a + 1, world.answers.get("a").size(), "one token for each chunk");
                assertEquals(b + 1, world.answers.get("b").size());
                assertTrue(chunk <= 10 * BATCH / (BATCH - 2) + 1, "the prompt uses the rest of each batch");
            }
        }

        @Test
        void promptsShareTheBatchEvenly() {
            world.submit("a", range(0, 100), 0);
            world.submit("b", range(200, 100), 0);
            assertEquals(Map.of("a", 8, "b", 8), cells(world.step()));
        }

        @Test
        void whatAShortPromptLeavesGoesToTheOthers() {
            generate("g", range(900, 3));
            world.submit("long", range(0, 100), 0);
            world.submit("short", range(200, 3), 0);
            world.submit("longer", range(300, 200), 0);
            assertEquals(Map.of("g", 1, "short", 3, "long", 6, "longer", 6), cells(world.step()));
        }

        @Test
        void aShortPromptIsAnsweredWhileALongOneIsEvaluated() {
            world.submit("long", range(0, 10 * BATCH), 0);
            world.step();
            world.submit("short", range(500, 8), 1);
            world.step();
            assertEquals(FinishReason.LENGTH, world.finished.get("short"));
        }

        @Test
        void requestsBeyondTheSequencesWaitInOrder() {
            for (String id : List.of("a", "b", "c", "d", "e", "f")) {
                world.submit(id, text(id.charAt(0), 1, 2), 2);
            }
            assertEquals(List.of("a", "b", "c", "d"), List.copyOf(cells(world.step()).keySet()));
            assertEquals(2, world.scheduler.waiting());
            assertEquals(4, world.scheduler.running());
            world.step();
            assertEquals(List.of("e", "f"), List.copyOf(cells(world.step()).keySet()));
        }

        @Test
        void endOfGenerationFreesTheSequence() {
            generate("a", range(0, 3));
            world.ending.add("a");
            world.step();
            assertEquals(FinishReason.STOP, world.finished.get("a"));
            assertEquals(0, world.scheduler.running());
        }

        @Test
        void theBatchMustHaveRoomForPromptsBesideAllGenerations() {
            assertThrows(IllegalArgumentException.class, () -> new World(4, 1024, 4));
            assertThrows(IllegalArgumentException.class, () -> new World(0, 1024, 16));
        }
    }

    @Nested
    class Images {

        @Test
        void anImageIsDecodedInSlicesOfABatch() {
            world.submit("a", join(range(0, 3), image("cat", 40), range(10, 4)), 1);
            assertEquals(Map.of("a", 3), cells(world.step()), "text before an image does not wait for it");
            assertTrue(world.step().isEmpty());
            world.finishEncoding("cat");
            List<Integer> slices = new ArrayList<>();
            for (Step step = world.step(); step.image() != null; step = world.step()) {
                slices.add(step.image().count());
            }
            assertEquals(List.of(16, 16, 8), slices);
            assertEquals(FinishReason.LENGTH, world.finished.get("a"));
        }

        @Test
        void otherStreamsGoOnWhileAnImageIsEncodedAndDecoded() {
            for (String id : List.of("a", "b", "c")) {
                generate(id, range(id.charAt(0) * 10, 4));
            }
            world.submit("image", join(range(0, 3), image("cat", 100), range(10, 4)), 2);
            for (int i = 0; i < 20; i++) {
                world.step();
            }
            assertTrue(world.answers.get("image").isEmpty());
            int before = world.answers.get("a").size();
            assertTrue(before > 20);
            world.finishEncoding("cat");
            int steps = 0;
            while (!world.finished.containsKey("image")) {
                world.step();
                steps++;
            }
            assertEquals(before + steps, world.answers.get("a").size());
        }

        @Test
        void aPromptMayEndWithAnImage() {
            complete("a", join(range(0, 3), image("cat", 20)), 2);
            assertEquals(2, world.answers.get("a").size());
        }

        @Test
        void onlyTwoImagesAreEncodedAhead() {
            world.submit("a", join(image("1", 4), image("2", 4), image("3", 4), image("4", 4), text(7)), 1);
            world.step();
            assertEquals(List.of("1", "2"), List.copyOf(world.toEncode.keySet()));
            world.finishEncoding("1");
            world.step();
            world.step();
            assertEquals(List.of("2", "3"), List.copyOf(world.toEncode.keySet()));
        }

        @Test
        void theSameImageTwiceInAPromptIsDecodedTwice() {
            complete("a", join(text(1), image("cat", 20), text(2), image("cat", 20), text(3)), 1);
        }

        @Test
        void requestsWithTheSameImageWaitForOneEncoding() {
            world.submit("a", join(text(1), image("cat", 20), text(2)), 1);
            world.submit("b", join(text(9), image("cat", 20), text(2)), 1);
            world.step();
            assertEquals(1, world.toEncode.size());
            world.run();
            assertEquals(2, world.finished.size());
        }

        @Test
        void imagesOfDifferentRequestsTakeTurns() {
            world.encoded.addAll(List.of("cat", "dog"));
            world.submit("a", join(image("cat", 100), text(1)), 1);
            world.submit("b", join(image("dog", 100), text(1)), 1);
            List<String> order = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                order.add(world.step().image().request());
            }
            assertEquals(List.of("a", "b", "a", "b"), order);
        }

        @Test
        void anIndivisibleImageIsDecodedAtOnceAndTextSharesTheRest() {
            world.indivisible.add("cat");
            world.encoded.add("cat");
            generate("g", range(900, 3));
            world.submit("a", join(image("cat", 12), text(1)), 1);
            world.submit("b", range(0, 50), 0);
            assertEquals(Map.of("g", 1, "a", 12, "b", 3), cells(world.step()));
        }

        @Test
        void anIndivisibleImageLargerThanAStepIsRefused() {
            world.indivisible.add("cat");
            world.encoded.add("cat");
            generate("g", range(900, 3));
            world.submit("a", join(image("cat", 13), text(1)), 1);
            world.step();
            assertEquals("image_too_large", world.failed.get("a").code());
        }

        @Test
        void anImageThatCannotBeEncodedFailsThoseWhoWaitForIt() {
            generate("other", range(0, 3));
            world.submit("a", join(text(1), image("bad", 20), text(2)), 1);
            world.step();
            world.scheduler.encodingFailed("bad", new EngineException.InvalidImage("unreadable", null));
            assertEquals("invalid_image", world.failed.get("a").code());
            world.step();
            assertEquals(1, world.scheduler.running());
        }
    }

    @Nested
    class PrefixReuse {

        @Test
        void theNextTurnOfAConversationContinuesInPlace() {
            complete("a", range(0, 50), 5);
            Prompt next = join(world.conversation("a"), range(300, 5));
            complete("b", next, 5);
            assertEquals(54, world.cachedTokens.get("b"), "all but the last token, which was never decoded");
            assertTrue(world.copied.isEmpty());
            assertEquals(world.sequenceOf.get("a"), world.sequenceOf.get("b"));
        }

        @Test
        void theLastTokenIsAlwaysEvaluatedAnew() {
            complete("a", range(0, 50), 5);
            complete("b", range(0, 50), 5);
            assertEquals(49, world.cachedTokens.get("b"));
        }

        @Test
        void aPrefixIsSharedWithARunningSequence() {
            generate("a", range(0, 50));
            int used = world.used();
            world.submit("b", join(range(0, 40), range(500, 10)), 5);
            world.step();
            assertEquals(40, world.cachedTokens.get("b"));
            assertEquals(used + 1 + 10, world.used(), "shared cells are there once");
            world.ending.add("a");
            world.run();
            assertEquals(FinishReason.LENGTH, world.finished.get("b"));
        }

        @Test
        void aShortCommonPrefixLeavesTheOtherConversationAlone() {
            complete("a", range(0, 100), 2);
            complete("b", join(range(0, 20), range(500, 10)), 2);
            assertEquals(20, world.cachedTokens.get("b"));
            assertEquals(1, world.copied.size());
            complete("c", join(range(0, 100), text(7)), 2);
            assertEquals(100, world.cachedTokens.get("c"));
        }

        @Test
        void withoutAnotherIdleSequenceThePrefixIsReusedInPlace() {
            World one = new World(1, 1024, BATCH);
            one.submit("a", range(0, 100), 2);
            one.run();
            one.submit("b", join(range(0, 20), range(500, 10)), 2);
            one.run();
            assertEquals(20, one.cachedTokens.get("b"));
        }

        @Test
        void anImageIsReusedAsAWhole() {
            complete("a", join(range(0, 5), image("cat", 40), range(10, 5)), 3);
            world.encoded.clear();
            complete("b", join(range(0, 5), image("cat", 40), range(10, 3), range(500, 5)), 3);
            assertEquals(48, world.cachedTokens.get("b"));
            assertFalse(world.encoded.contains("cat"), "a cached image needs no encoding");
        }

        @Test
        void anotherImageEndsTheCommonPrefix() {
            complete("a", join(range(0, 5), image("cat", 40), range(10, 5)), 3);
            complete("b", join(range(0, 5), image("dog", 40), range(10, 5)), 3);
            assertEquals(5, world.cachedTokens.get("b"));
        }

        @Test
        void aPartlyDecodedImageIsNeverReused() {
            world.encoded.add("cat");
            Prompt prompt = join(range(0, 5), image("cat", 100), range(10, 5));
            world.submit("a", prompt, 3);
            world.step();
            world.step();
            world.step();
            world.scheduler.cancelled("a");
            assertEquals(5, world.scheduler.cellsUsed());
            complete("b", prompt, 3);
            assertEquals(5, world.cachedTokens.get("b"));
        }

        @Test
        void requestsMayRefuseReuse() {
            complete("a", range(0, 50), 2);
            world.submit("b", range(0, 50), 2, false);
            world.run();
            assertEquals(0, world.cachedTokens.get("b"));
        }

        @Test
        void equalPromptsThatComeTogetherAreEvaluatedOnce() {
            Prompt prompt = join(range(0, 100), image("cat", 50), range(200, 5));
            for (String id : List.of("a", "b", "c", "d")) {
                world.submit(id, prompt, 3);
            }
            world.run();
            assertEquals(4, world.finished.size());
            assertEquals(0, world.cachedTokens.get("a"));
            for (String id : List.of("b", "c", "d")) {
                assertTrue(world.cachedTokens.get(id) >= 154 - Scheduler.WORTH_WAITING);
            }
        }

        @Test
        void whoeverWaitsForAPrefixUnderWayLetsOthersPass() {
            world.submit("a", range(0, 200), 0);
            world.submit("same", range(0, 200), 0);
            world.submit("other", range(500, 4), 1);
            world.step();
            assertTrue(world.finished.containsKey("other"));
            assertFalse(world.cachedTokens.containsKey("same"));
            world.scheduler.cancelled("a");
            world.step();
            assertTrue(world.cachedTokens.containsKey("same"), "no longer worth waiting for");
        }

        @Test
        void aModelThatCannotForgetAPartStartsAnew() {
            world.forgetsParts = false;
            complete("a", range(0, 50), 5);
            complete("b", join(range(0, 40), range(300, 5)), 5);
            assertEquals(0, world.cachedTokens.get("b"));
            complete("c", join(world.conversation("b"), text(9)), 5);
            assertEquals(49, world.cachedTokens.get("c"), "going on needs no forgetting");
        }
    }

    @Nested
    class Cells {

        @Test
        void aPromptThatFillsTheContextIsRefused() {
            world.submit("a", range(0, 1024), 1);
            assertInstanceOf(EngineException.ContextLengthExceeded.class, world.failed.get("a"));
            assertEquals("messages", world.failed.get("a").param());
            world.submit("b", range(0, 1023), 1);
            world.run();
            assertEquals(FinishReason.LENGTH, world.finished.get("b"));
        }

        @Test
        void oneRequestMayFillTheWholeContext() {
            complete("a", range(0, 10), 0);
            assertEquals(FinishReason.LENGTH, world.finished.get("a"));
            assertEquals(1024 - 10 + 1, world.answers.get("a").size(), "the last token needs no cell");
        }

        @Test
        void idleSequencesAreEvictedLeastRecentlyUsedFirst() {
            complete("a", range(0, 300), 1);
            complete("b", range(1000, 300), 1);
            complete("c", range(2000, 300), 1);
            complete("d", range(3000, 300), 1);
            complete("b2", join(range(1000, 300), text(1)), 1);
            assertEquals(300, world.cachedTokens.get("b2"));
            complete("c2", join(range(2000, 300), text(1)), 1);
            assertEquals(300, world.cachedTokens.get("c2"));
            complete("a2", join(range(0, 300), text(1)), 1);
            assertEquals(0, world.cachedTokens.get("a2"), "a was evicted for d");
        }

        @Test
        void everyRunningRequestMayUseItsShareOfTheContext() {
            for (String id : List.of("a", "b", "c", "d")) {
                world.submit(id, range(id.charAt(0) * 1000, 56), 200);
            }
            world.run();
            for (String id : List.of("a", "b", "c", "d")) {
                assertEquals(200, world.answers.get(id).size());
            }
        }

        @Test
        void aRequestThatDoesNotFitBesideTheRunningOnesWaitsAndNobodyPasses() {
            world.submit("a", range(0, 600), 300);
            world.submit("big", range(1000, 500), 1);
            world.submit("small", range(2000, 3), 1);
            world.step();
            assertEquals(1, world.scheduler.running());
            world.run();
            assertEquals(300, world.answers.get("a").size());
            assertEquals(3, world.finished.size());
        }

        @Test
        void whoeverGrowsBeyondItsShareEndsWhenNothingIsLeftAndTheOldestGrowsLongest() {
            for (String id : List.of("a", "b", "c", "d")) {
                world.submit(id, range(id.charAt(0) * 1000, 10), 0);
            }
            world.run();
            int total = 0;
            for (String id : List.of("a", "b", "c", "d")) {
                assertEquals(FinishReason.LENGTH, world.finished.get(id));
                assertTrue(world.answers.get(id).size() >= 256 - 10, "its share is certain");
                total += world.answers.get(id).size();
            }
            assertTrue(world.answers.get("a").size() >= world.answers.get("d").size());
            assertTrue(total > 1024 - 4 * 10);
        }

        @Test
        void anUnexpectedlyFullCacheGivesUpIdleSequencesFirstAndThenTheNewestRequest() {
            complete("idle", range(0, 50), 1);
            generate("a", range(100, 3));
            generate("b", range(200, 3));
            world.scheduler.outOfCells(List.of("a", "b"));
            assertTrue(world.failed.isEmpty());
            assertEquals(world.used(), world.scheduler.cellsUsed());
            world.step();
            world.scheduler.outOfCells(List.of("a", "b"));
            assertEquals("internal_error", world.failed.get("b").code());
            world.step();
            assertEquals(1, world.scheduler.running());
        }

        @Test
        void aFailedDecodeEndsItsRequestsAndForgetsTheirSequences() {
            generate("a", range(0, 30));
            generate("b", range(100, 30));
            world.scheduler.decodeFailed(List.of("a"), EngineException.of(new RuntimeException("x")));
            assertEquals("internal_error", world.failed.get("a").code());
            complete("a2", range(0, 31), 1);
            assertEquals(0, world.cachedTokens.get("a2"));
            assertTrue(world.answers.get("b").size() > 1);
        }
    }

    @Nested
    class Cancellation {

        private void assertCancelled(String id) {
            assertEquals("cancelled", world.failed.get(id).code());
            assertTrue(world.step().isEmpty());
            assertEquals(0, world.scheduler.waiting() + world.scheduler.running());
        }

        @Test
        void whilePreparing() {
            world.scheduler.submitted("a", 0, true);
            world.scheduler.cancelled("a");
            world.scheduler.prepared("a", range(0, 3));
            assertCancelled("a");
        }

        @Test
        void whileWaiting() {
            world.submit("a", range(0, 3), 0);
            world.scheduler.cancelled("a");
            assertCancelled("a");
        }

        @Test
        void whileItsImageIsEncoded() {
            world.submit("a", join(text(1), image("cat", 20), text(2)), 0);
            world.step();
            world.scheduler.cancelled("a");
            world.finishEncoding("cat");
            assertCancelled("a");
        }

        @Test
        void whileItsImageIsDecoded() {
            world.encoded.add("cat");
            world.submit("a", join(text(1), image("cat", 200), text(2)), 0);
            world.step();
            world.step();
            world.scheduler.cancelled("a");
            assertCancelled("a");
        }

        @Test
        void whileItsPromptIsEvaluated() {
            world.submit("a", range(0, 100), 0);
            world.step();
            world.scheduler.cancelled("a");
            assertCancelled("a");
            complete("b", range(0, 100), 1);
            assertEquals(16, world.cachedTokens.get("b"), "what was evaluated serves others");
        }

        @Test
        void whileGenerating() {
            generate("a", range(0, 3));
            int generated = world.answers.get("a").size();
            world.scheduler.cancelled("a");
            assertCancelled("a");
            assertEquals(generated, world.answers.get("a").size(), "not one token more");
        }

        @Test
        void ofAnUnknownRequestIsIgnored() {
            generate("a", range(0, 3));
            world.scheduler.cancelled("nobody");
            world.step();
            assertEquals(1, world.scheduler.running());
            assertTrue(world.failed.isEmpty());
        }

        @Test
        void anIdInUseIsRefused() {
            world.submit("a", range(0, 3), 0);
            assertThrows(IllegalArgumentException.class, () -> world.scheduler.submitted("a", 0, true));
        }
    }

    /** Whatever happens, every answer follows from exactly its prompt (World checks that) and every request ends. */
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 4})
    void anyMixOfRequestsEndsWell(int sequences) {
        for (int seed = 0; seed < 60; seed++) {
            Random random = new Random(seed);
            World any = new World(sequences, 200, 8);
            any.forgetsParts = seed % 5 != 0;
            int submitted = 0;
            while (submitted < 25 || any.finished.size() + any.failed.size() < submitted) {
                if (submitted < 25 && random.nextInt(3) == 0) {
                    String id = "r" + submitted++;
                    any.submit(id, randomPrompt(random), random.nextInt(12), random.nextInt(8) > 0);
                }
                if (random.nextInt(20) == 0 && submitted > 0) {
                    any.scheduler.cancelled("r" + random.nextInt(submitted));
                }
                if (random.nextInt(4) == 0 && !any.toEncode.isEmpty()) {
                    any.finishEncoding(any.toEncode.keySet().iterator().next());
                }
                if (random.nextInt(10) == 0) {
                    any.encoded.removeIf(image -> any.scheduler.running() == 0);
                }
                if (submitted > 0) {
                    String id = "r" + random.nextInt(submitted);
                    if (random.nextInt(6) == 0) {
                        any.ending.add(id);
                    }
                }
                any.step();
            }
            assertTrue(any.step().isEmpty());
            assertEquals(0, any.scheduler.waiting() + any.scheduler.running());
        }
    }

    private static Prompt randomPrompt(Random random) {
        List<Object> parts = new ArrayList<>();
        parts.add(range(0, 1 + random.nextInt(60)));
        for (int i = random.nextInt(3); i > 0; i--) {
            parts.add(image("image" + random.nextInt(3), 20));
            parts.add(range(random.nextInt(3) * 100, 1 + random.nextInt(10)));
        }
        return join(parts.toArray());
    }
}
