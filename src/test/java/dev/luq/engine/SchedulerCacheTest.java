package dev.luq.engine;

import static dev.luq.engine.World.BATCH;
import static dev.luq.engine.World.image;
import static dev.luq.engine.World.join;
import static dev.luq.engine.World.range;
import static dev.luq.engine.World.text;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.luq.prompt.Prompt;
import dev.luq.prompt.PromptException;
import java.util.List;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

class SchedulerCacheTest {

    private final World world = new World();

    @Nested
    class PrefixReuse {

        @Test
        void theNextTurnOfAConversationContinuesInPlace() {
            world.complete("a", range(0, 50), 5);
            Prompt next = join(world.conversation("a"), range(300, 5));
            world.complete("b", next, 5);
            assertEquals(54, world.cachedTokens.get("b"), "all but the last token, which was never decoded");
            assertTrue(world.copied.isEmpty());
            assertEquals(world.sequenceOf.get("a"), world.sequenceOf.get("b"));
        }

        @Test
        void theLastTokenIsAlwaysEvaluatedAnew() {
            world.complete("a", range(0, 50), 5);
            world.complete("b", range(0, 50), 5);
            assertEquals(49, world.cachedTokens.get("b"));
        }

        @Test
        void aPrefixIsSharedWithARunningSequence() {
            world.generate("a", range(0, 50));
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
            world.complete("a", range(0, 100), 2);
            world.complete("b", join(range(0, 20), range(500, 10)), 2);
            assertEquals(20, world.cachedTokens.get("b"));
            assertEquals(1, world.copied.size());
            world.complete("c", join(range(0, 100), text(7)), 2);
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
            world.complete("a", join(range(0, 5), image("cat", 40), range(10, 5)), 3);
            world.encoded.clear();
            world.complete("b", join(range(0, 5), image("cat", 40), range(10, 3), range(500, 5)), 3);
            assertEquals(48, world.cachedTokens.get("b"));
            assertFalse(world.encoded.contains("cat"), "a cached image needs no encoding");
        }

        @Test
        void anotherImageEndsTheCommonPrefix() {
            world.complete("a", join(range(0, 5), image("cat", 40), range(10, 5)), 3);
            world.complete("b", join(range(0, 5), image("dog", 40), range(10, 5)), 3);
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
            world.complete("b", prompt, 3);
            assertEquals(5, world.cachedTokens.get("b"));
        }

        @Test
        void requestsMayRefuseReuse() {
            world.complete("a", range(0, 50), 2);
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
        void nobodyWaitsForThePromptOfAnEmbeddingSinceItLeavesNothing() {
            world.embed("e", range(0, 200));
            world.submit("same", range(0, 200), 1);
            world.step();
            assertTrue(world.cachedTokens.containsKey("same"));
            world.run();
            assertEquals(2, world.finished.size());
        }

        @Test
        void aModelThatCannotForgetAPartStartsAnew() {
            world.forgetsParts = false;
            world.complete("a", range(0, 50), 5);
            world.complete("b", join(range(0, 40), range(300, 5)), 5);
            assertEquals(0, world.cachedTokens.get("b"));
            world.complete("c", join(world.conversation("b"), text(9)), 5);
            assertEquals(49, world.cachedTokens.get("c"), "going on needs no forgetting");
        }
    }

    @Nested
    class Cells {

        @Test
        void aPromptThatFillsTheContextIsRefused() {
            world.submit("a", range(0, 1024), 1);
            assertInstanceOf(
                    PromptException.ContextLengthExceeded.class,
                    world.failed.get("a").getCause());
            assertEquals("messages", world.failed.get("a").param());
            world.submit("b", range(0, 1023), 1);
            world.run();
            assertEquals(FinishReason.LENGTH, world.finished.get("b"));
        }

        @Test
        void oneRequestMayFillTheWholeContext() {
            world.complete("a", range(0, 10), 0);
            assertEquals(FinishReason.LENGTH, world.finished.get("a"));
            assertEquals(1024 - 10 + 1, world.answers.get("a").size(), "the last token needs no cell");
        }

        @Test
        void aRequestMayBeBoundedToAPartOfTheContext() {
            World bounded = World.ofBoundedSequences(4, 1024, 256);
            bounded.submit("long", range(0, 256), 1);
            PromptException.ContextLengthExceeded tooLong = assertInstanceOf(
                    PromptException.ContextLengthExceeded.class,
                    bounded.failed.get("long").getCause());
            assertEquals(256, tooLong.contextSize());
            bounded.complete("endless", range(0, 10), 0);
            assertEquals(FinishReason.LENGTH, bounded.finished.get("endless"));
            assertEquals(256 - 10, bounded.answers.get("endless").size());
            bounded.complete("asked", range(0, 255), 9);
            assertEquals(1, bounded.answers.get("asked").size());
            bounded.complete("short", range(0, 10), 9);
            assertEquals(9, bounded.answers.get("short").size());
        }

        @Test
        void boundedToTheirSharesRequestsNeitherWaitNorEndForOthers() {
            World bounded = World.ofBoundedSequences(4, 1024, 256);
            for (String id : List.of("a", "b", "c", "d")) {
                bounded.submit(id, range(id.charAt(0) * 1000, 56), 0);
            }
            bounded.step();
            assertEquals(4, bounded.scheduler.running());
            bounded.run();
            for (String id : List.of("a", "b", "c", "d")) {
                assertEquals(200, bounded.answers.get(id).size());
            }
        }

        @Test
        void idleSequencesAreEvictedLeastRecentlyUsedFirst() {
            world.complete("a", range(0, 300), 1);
            world.complete("b", range(1000, 300), 1);
            world.complete("c", range(2000, 300), 1);
            world.complete("d", range(3000, 300), 1);
            world.complete("b2", join(range(1000, 300), text(1)), 1);
            assertEquals(300, world.cachedTokens.get("b2"));
            world.complete("c2", join(range(2000, 300), text(1)), 1);
            assertEquals(300, world.cachedTokens.get("c2"));
            world.complete("a2", join(range(0, 300), text(1)), 1);
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
            world.complete("idle", range(0, 50), 1);
            world.generate("a", range(100, 3));
            world.generate("b", range(200, 3));
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
            world.generate("a", range(0, 30));
            world.generate("b", range(100, 30));
            world.scheduler.decodeFailed(List.of("a"), EngineException.of(new RuntimeException("x")));
            assertEquals("internal_error", world.failed.get("a").code());
            world.complete("a2", range(0, 31), 1);
            assertEquals(0, world.cachedTokens.get("a2"));
            assertTrue(world.answers.get("b").size() > 1);
        }
    }
}
