package dev.luq.engine;

import static dev.luq.engine.World.BATCH;
import static dev.luq.engine.World.image;
import static dev.luq.engine.World.join;
import static dev.luq.engine.World.range;
import static dev.luq.engine.World.text;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.luq.prompt.Prompt;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Prompts that are kept beyond the process, by the rules of {@link Scheduler}. {@link World} checks every answer. */
class PromptFilesTest {

    private static final Prompt CAT = join(range(0, 5), image("cat", 40), range(10, 5));
    private static final int UP_TO_CAT = 45;

    private final Map<String, List<World.Cell>> files = new HashMap<>();
    private final World before = world(2);
    private final World after = world(2);

    private World world(int sequences) {
        World world = new World(sequences, 1024, BATCH);
        world.files = files;
        return world;
    }

    @Test
    void aPictureIsNeitherEncodedNorEvaluatedAgainAfterARestart() {
        before.complete("a", CAT, 5);
        after.complete("b", join(CAT, text(900, 901)), 5);
        assertEquals(UP_TO_CAT, after.cachedTokens.get("b"));
        assertTrue(after.encoded.isEmpty());
    }

    @Test
    void anotherQuestionGoesOnFromThePicture() {
        before.complete("a", CAT, 5);
        after.complete("b", join(range(0, 5), image("cat", 40), range(500, 30)), 5);
        assertEquals(UP_TO_CAT, after.cachedTokens.get("b"));
    }

    @Test
    void theLongestPrefixIsTaken() {
        Prompt two = join(CAT, image("dog", 40), text(20));
        before.complete("a", two, 5);
        before.complete("b", CAT, 5);
        after.complete("c", join(two, text(900)), 5);
        assertEquals(UP_TO_CAT + 5 + 40, after.cachedTokens.get("c"));
        World another = world(2);
        another.complete("d", join(CAT, image("bird", 40), text(20)), 5);
        assertEquals(0, another.cachedTokens.get("d"), "a file is made at the last image of a prompt");
    }

    @Test
    void aPictureThatFollowsIsEncodedAndKeptToo() {
        before.complete("a", CAT, 5);
        Prompt two = join(CAT, image("dog", 40), text(20));
        after.complete("b", two, 5);
        assertEquals(UP_TO_CAT, after.cachedTokens.get("b"));
        assertEquals(2, files.size());
        World third = world(2);
        third.complete("c", two, 5);
        assertEquals(UP_TO_CAT + 5 + 40, third.cachedTokens.get("c"));
    }

    @Test
    void aSequenceWithAsMuchIsTakenRatherThanAFile() {
        before.complete("a", CAT, 5);
        before.complete("b", CAT, 5);
        assertEquals(49, before.cachedTokens.get("b"));
        before.submit("c", join(CAT, text(900)), 5);
        before.step();
        assertTrue(before.toRead.isEmpty());
        before.run();
    }

    @Test
    void whatTheProcessHasInMemoryIsNotRead() {
        World one = new World(1, 1024, BATCH, 200);
        one.files = files;
        one.complete("a", CAT, 5);
        one.complete("b", range(500, 60), 5);
        one.complete("c", join(CAT, text(900)), 5);
        assertEquals(1, one.scheduler.restores());
        assertEquals(50, one.cachedTokens.get("c"));
    }

    @Test
    void textAloneIsNotKept() {
        before.complete("a", range(0, 100), 5);
        assertTrue(files.isEmpty());
    }

    @Test
    void anImageAtTheEndOfAPromptIsEvaluatedForItsLogits() {
        Prompt endsWithCat = join(range(0, 5), image("cat", 40));
        before.complete("a", endsWithCat, 5);
        after.complete("b", endsWithCat, 5);
        assertEquals(0, after.cachedTokens.get("b"));
        World third = world(2);
        third.complete("c", join(endsWithCat, text(7)), 5);
        assertEquals(UP_TO_CAT, third.cachedTokens.get("c"));
    }

    @Test
    void promptsOfAnotherSaltAreNotThere() {
        before.complete("a", Prompt.of(CAT.units(), "salt"), 5);
        after.complete("b", CAT, 5);
        after.complete("c", Prompt.of(CAT.units(), "pepper"), 5);
        assertEquals(0, after.cachedTokens.get("b"));
        assertEquals(0, after.cachedTokens.get("c"));
        World third = world(2);
        third.complete("d", Prompt.of(CAT.units(), "salt"), 5);
        assertEquals(UP_TO_CAT, third.cachedTokens.get("d"));
    }

    @Test
    void whoWantsNoCacheGetsNone() {
        before.complete("a", CAT, 5);
        after.submit("b", CAT, 5, false);
        after.run();
        assertEquals(0, after.cachedTokens.get("b"));
    }

    @Test
    void nothingIsKeptOfARequestThatNeverGenerated() {
        before.submit("a", join(CAT, range(700, 100)), 5);
        while (before.copies.isEmpty()) {
            before.encodeAll();
            before.step();
        }
        before.scheduler.cancelled("a");
        before.run();
        assertTrue(files.isEmpty());
    }

    @Test
    void othersAreAdmittedWhileAFileIsRead() {
        before.complete("a", CAT, 5);
        after.submit("b", CAT, 5);
        after.submit("c", range(300, 5), 3);
        while (!after.finished.containsKey("c")) {
            after.step();
        }
        assertFalse(after.cachedTokens.containsKey("b"));
        after.run();
        assertEquals(UP_TO_CAT, after.cachedTokens.get("b"));
    }

    @Test
    void oneFileIsReadAtATime() {
        Prompt dog = join(range(0, 5), image("dog", 40), range(10, 5));
        before.complete("a", CAT, 5);
        before.complete("b", dog, 5);
        after.submit("c", CAT, 5);
        after.submit("d", dog, 5);
        after.step();
        assertEquals(List.of("c"), List.copyOf(after.toRead.keySet()));
        after.run();
        assertEquals(UP_TO_CAT, after.cachedTokens.get("c"));
        assertEquals(UP_TO_CAT, after.cachedTokens.get("d"));
    }

    @Test
    void whatIsCancelledMeanwhileHoldsUpNobody() {
        Prompt dog = join(range(0, 5), image("dog", 40), range(10, 5));
        before.complete("a", CAT, 5);
        before.complete("b", dog, 5);
        after.submit("c", CAT, 5);
        after.submit("d", dog, 5);
        after.step();
        after.scheduler.cancelled("c");
        after.step();
        assertTrue(after.toRead.containsKey("d"));
        after.run();
        assertEquals(UP_TO_CAT, after.cachedTokens.get("d"));
        assertTrue(after.read.isEmpty());
    }

    @Test
    void whatCannotBeRestoredIsEvaluated() {
        before.complete("a", CAT, 5);
        after.damagedFiles = true;
        after.complete("b", CAT, 5);
        assertEquals(0, after.cachedTokens.get("b"));
        assertTrue(after.encoded.contains("cat"));
    }

    @Test
    void aModelThatForgetsNoPartsGoesOnFromAFile() {
        before.forgetsParts = false;
        before.complete("a", CAT, 5);
        after.forgetsParts = false;
        after.complete("b", join(range(0, 5), image("cat", 40), range(500, 30)), 5);
        assertEquals(UP_TO_CAT, after.cachedTokens.get("b"));
    }

    @Test
    void whateverComesTheAnswersAndTheBooksAreRight() {
        Random random = new Random(11);
        for (int process = 0; process < 5; process++) {
            World world = new World(3, 300, BATCH, 200);
            world.files = files;
            int read = 0;
            for (int i = 0; i < 100; i++) {
                int topic = 1000 * random.nextInt(6);
                Prompt prompt =
                        join(range(topic, 3), image("picture " + topic, 30), range(topic + 3, 1 + random.nextInt(60)));
                if (random.nextInt(3) == 0) {
                    prompt = join(prompt, image("more " + random.nextInt(3), 20), text(8));
                }
                world.submit("r" + i, prompt, 1 + random.nextInt(8));
                world.damagedFiles = random.nextInt(8) == 0;
                world.step();
                read += world.toRead.size();
                if (random.nextInt(4) == 0) {
                    world.scheduler.cancelled("r" + random.nextInt(i + 1));
                }
                if (random.nextBoolean()) {
                    world.run();
                }
            }
            world.run();
            assertEquals(100, world.finished.size() + world.failed.size());
            assertTrue(process == 0 || read > 0);
        }
    }
}
