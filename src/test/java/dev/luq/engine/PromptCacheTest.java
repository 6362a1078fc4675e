package dev.luq.engine;

import static dev.luq.engine.World.BATCH;
import static dev.luq.engine.World.image;
import static dev.luq.engine.World.join;
import static dev.luq.engine.World.range;
import static dev.luq.engine.World.text;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.luq.prompt.Prompt;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Prompts beyond the sequences, by the rules of {@link Scheduler}. {@link World} checks every answer and the books. */
class PromptCacheTest {

    private final World one = new World(1, 1024, BATCH, 200);

    @Test
    void aConversationGoesOnAfterItsSequenceWasGivenToAnother() {
        one.complete("a", range(0, 100), 5);
        Prompt next = join(one.conversation("a"), range(300, 5));
        one.complete("b", range(500, 60), 5);
        one.complete("c", next, 5);
        assertEquals(104, one.cachedTokens.get("c"));
        assertEquals(1, one.scheduler.restores());
    }

    @Test
    void aCommonBeginningIsTakenOfALongerPrompt() {
        one.complete("a", range(0, 100), 5);
        one.complete("b", range(500, 60), 5);
        one.complete("c", join(range(0, 70), range(800, 30)), 5);
        assertEquals(70, one.cachedTokens.get("c"));
    }

    @Test
    void imagesAreRestoredAsAWholeAndNotEncodedAgain() {
        Prompt asked = join(range(0, 5), image("cat", 40), range(10, 5));
        one.complete("a", asked, 3);
        one.complete("b", range(500, 60), 5);
        one.encoded.clear();
        one.complete("c", join(asked, text(900, 901)), 3);
        assertEquals(50, one.cachedTokens.get("c"));
        assertTrue(one.encoded.isEmpty());
    }

    @Test
    void aSequenceWithAsMuchIsTakenRatherThanACopy() {
        World two = new World(2, 1024, BATCH, 1000);
        two.complete("a", range(0, 100), 5);
        two.complete("b", range(500, 60), 5);
        two.complete("c", range(600, 60), 5);
        two.complete("d", range(0, 100), 5);
        assertEquals(1, two.scheduler.restores());
        two.complete("e", range(0, 100), 5);
        assertEquals(99, two.cachedTokens.get("e"));
        assertEquals(1, two.scheduler.restores());
    }

    @Test
    void theLeastRecentlyUsedGoWhenThereIsNoRoom() {
        one.complete("a", range(0, 100), 5);
        one.complete("b", range(200, 90), 5);
        one.complete("c", range(400, 90), 5);
        one.complete("d", range(600, 90), 5);
        assertTrue(one.scheduler.promptCacheBytes() <= 200);
        assertEquals(1, one.scheduler.promptCacheEvictions());
        one.complete("e", range(0, 100), 5);
        assertEquals(0, one.cachedTokens.get("e"));
    }

    @Test
    void aLongerPromptTakesThePlaceOfItsBeginning() {
        World two = new World(1, 1024, BATCH, 1000);
        two.complete("a", range(0, 100), 5);
        Prompt next = join(two.conversation("a"), range(300, 5));
        two.complete("b", range(500, 60), 5);
        two.complete("c", next, 5);
        two.complete("d", range(700, 60), 5);
        assertEquals(114 + 64, two.scheduler.promptCacheBytes(), "c and b, of which c holds all of a");
        assertEquals(0, two.scheduler.promptCacheEvictions());
    }

    @Test
    void whatIsShortOrLargerThanTheBoundIsNotKept() {
        one.complete("a", range(0, 20), 5);
        one.complete("b", range(200, 300), 5);
        one.complete("c", range(600, 20), 5);
        assertEquals(0, one.scheduler.promptCacheBytes());
    }

    @Test
    void whatCannotBeCopiedIsEvaluatedAnew() {
        one.noMemory = true;
        one.complete("a", range(0, 100), 5);
        one.complete("b", range(500, 60), 5);
        one.complete("c", range(0, 100), 5);
        assertEquals(0, one.cachedTokens.get("c"));
    }

    @Test
    void nothingIsKeptUnlessAskedFor() {
        World without = new World(1, 1024, BATCH);
        without.complete("a", range(0, 100), 5);
        without.complete("b", range(500, 60), 5);
        without.complete("c", range(0, 100), 5);
        assertEquals(0, without.cachedTokens.get("c"));
    }

    @Test
    void whoWantsNoCacheGetsNone() {
        one.complete("a", range(0, 100), 5);
        one.complete("b", range(500, 60), 5);
        one.submit("c", range(0, 100), 5, false);
        one.run();
        assertEquals(0, one.cachedTokens.get("c"));
    }

    @Test
    void promptsOfAnotherSaltAreNotThere() {
        one.complete("a", range(0, 100), 5);
        one.complete("b", range(500, 60), 5);
        one.complete("c", Prompt.of(range(0, 100).units(), "other"), 5);
        assertEquals(0, one.cachedTokens.get("c"));
    }

    @Test
    void aModelThatForgetsNoPartsContinuesWholePrompts() {
        World world = new World(1, 1024, BATCH, 1000);
        world.forgetsParts = false;
        world.complete("a", range(0, 100), 5);
        Prompt next = join(world.conversation("a"), range(300, 5));
        world.complete("b", range(500, 60), 5);
        world.complete("c", range(0, 50), 5);
        assertEquals(0, world.cachedTokens.get("c"));
        world.complete("d", range(700, 60), 5);
        world.complete("e", next, 5);
        assertEquals(104, world.cachedTokens.get("e"));
    }

    @Test
    void whereNothingCanBeCutAConversationCanBeTakenUpAtEachOfItsTurns() {
        World world = new World(1, 1024, BATCH, 1000);
        world.forgetsParts = false;
        world.complete("a", range(0, 100), 5);
        Prompt first = world.conversation("a");
        world.complete("b", range(0, 50), 5); // in vain, which tells that nothing can be cut
        world.complete("c", join(first, range(300, 5)), 5);
        world.complete("d", range(700, 60), 5);
        world.complete("e", join(first, range(400, 5)), 5);
        assertEquals(104, world.cachedTokens.get("e"));
    }

    @Test
    void whateverComesTheAnswersAndTheBooksAreRight() {
        Random random = new Random(7);
        World world = new World(3, 300, BATCH, 400);
        for (int i = 0; i < 300; i++) {
            int topic = 1000 * random.nextInt(6);
            int length = 1 + random.nextInt(120);
            Prompt prompt = random.nextInt(3) > 0
                    ? range(topic, length)
                    : join(range(topic, 3), image("picture " + topic, 30), range(topic + 3, length));
            world.submit("r" + i, prompt, 1 + random.nextInt(8));
            if (random.nextBoolean()) {
                world.run();
            }
        }
        world.run();
        assertEquals(300, world.finished.size());
        assertTrue(world.scheduler.restores() > 0);
        assertTrue(world.scheduler.promptCacheEvictions() > 0);
    }
}
