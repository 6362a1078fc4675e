package dev.luq.engine;

import static dev.luq.engine.World.cells;
import static dev.luq.engine.World.join;
import static dev.luq.engine.World.range;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/**
 * Tokens that are decoded before they are sampled. {@link World} compares the sequence with the answer at each token.
 */
class SchedulerDraftsTest {

    private static final int DRAFT = 4;

    private final World world = new World(4, 256, 16, 0, DRAFT);

    private void script(int first, int count) {
        IntStream.range(first, first + count).forEach(world.script::add);
    }

    private int steps(String id) {
        int steps = 0;
        while (!world.finished.containsKey(id)) {
            world.step();
            steps++;
        }
        return steps;
    }

    @Test
    void aCopyTakesFewSteps() {
        world.submit("a", range(0, 10), 9);
        script(0, 9);
        assertTrue(steps("a") <= 6);
        assertEquals(List.of(0, 1, 2, 3, 4, 5, 6, 7, 8), world.answers.get("a"));
        assertEquals(world.drafted.get("a"), world.accepted.get("a"));
    }

    @Test
    void newTextTakesAStepForEachToken() {
        world.submit("a", range(0, 10), 9);
        assertEquals(9, steps("a"));
        assertTrue(world.drafted.isEmpty());
    }

    @Test
    void aRefusedDraftIsCutOff() {
        world.submit("a", range(0, 12), 20);
        script(0, 5);
        world.script.add(77);
        while (world.drafted.getOrDefault("a", 0).equals(world.accepted.getOrDefault("a", 0))) {
            world.step();
        }
        assertEquals(12 + world.answers.get("a").size() - 1, world.used(), "all but the latest token is in the cache");
        steps("a");
        assertEquals(20, world.answers.get("a").size());
    }

    @Test
    void nothingIsDraftedBeyondTheLastToken() {
        world.submit("a", range(0, 20), 6);
        script(0, 30);
        steps("a");
        assertEquals(6, world.answers.get("a").size());
        assertEquals(20 + 5, world.used());
    }

    @Test
    void anEndAmongTheDraftedTokensCutsTheRestOff() {
        world.submit("a", range(0, 20), 0);
        script(0, 30);
        while (world.accepted.getOrDefault("a", 0) == 0) {
            world.step();
        }
        world.ending.add("a");
        world.step();
        assertEquals(FinishReason.STOP, world.finished.get("a"));
        assertEquals(20 + world.answers.get("a").size() - 1, world.used());
    }

    @Test
    void whatAnsweredWithDraftsIsReusedAsWithout() {
        world.submit("a", range(0, 12), 8);
        script(0, 8);
        steps("a");
        world.complete("b", join(world.conversation("a"), range(500, 3)), 2);
        assertEquals(12 + 8 - 1, world.cachedTokens.get("b"));
    }

    @Test
    void requestsShareTheDraftsOfAStep() {
        for (String id : List.of("a", "b")) {
            world.submit(id, range(0, 20), 12, false);
        }
        for (int i = 0; i < 20; i++) {
            world.script.addAll(List.of(i, i));
        }
        while (world.answers.get("b").isEmpty()) {
            world.step();
        }
        int most = 0;
        while (world.finished.isEmpty()) {
            for (int cells : cells(world.step()).values()) {
                assertTrue(cells <= 1 + DRAFT / 2);
                most = Math.max(most, cells);
            }
        }
        assertTrue(most > 1);
    }

    @Test
    void moreRequestsThanDraftsDraftNothing() {
        World busy = new World(4, 256, 16, 0, 3);
        for (String id : List.of("a", "b", "c", "d")) {
            busy.submit(id, range(0, 3), 12);
        }
        for (int i = 0; i < 12; i++) {
            busy.script.addAll(List.of(i, i, i, i));
        }
        busy.run();
        assertTrue(busy.drafted.isEmpty());
    }

    @Test
    void promptsComeBeforeDrafts() {
        world.submit("a", range(0, 12), 0);
        script(0, 30);
        while (world.drafted.isEmpty()) {
            world.step();
        }
        world.submit("long", range(500, 60), 1);
        for (int i = 0; i < 3; i++) {
            Step step = world.step();
            assertEquals(1, cells(step).get("a"), "the prompt takes the rest of the batch");
        }
    }

    @Test
    void draftsDoNotEvictWhatIsCached() {
        World tight = new World(2, 40, 16, 0, DRAFT);
        tight.complete("old", range(900, 19), 1);
        tight.submit("a", range(0, 12), 8);
        IntStream.range(0, 8).forEach(tight.script::add);
        tight.run();
        assertEquals(8, tight.answers.get("a").size());
        tight.complete("again", range(900, 19), 1);
        assertEquals(18, tight.cachedTokens.get("again"));
    }

    @Test
    void theContextIsUsedToItsLastCell() {
        World small = new World(1, 32, 16, 0, DRAFT);
        small.submit("a", range(0, 10), 0);
        for (int i = 0; i < 5; i++) {
            IntStream.range(0, 10).forEach(small.script::add);
        }
        small.run();
        assertEquals(FinishReason.LENGTH, small.finished.get("a"));
        assertEquals(32 - 10 + 1, small.answers.get("a").size());
        assertFalse(small.drafted.isEmpty());
    }

    @Test
    void aCancelledRequestLeavesNoDraft() {
        world.submit("a", range(0, 12), 0);
        script(0, 30);
        while (world.drafted.isEmpty()) {
            world.step();
        }
        int answered = world.answers.get("a").size();
        world.scheduler.cancelled("a");
        assertEquals(12 + answered - 1, world.used());
        assertTrue(world.step().isEmpty());
    }

    @Test
    void aStepThatFailedLeavesNothing() {
        world.submit("a", range(0, 12), 0);
        script(0, 30);
        while (world.drafted.isEmpty()) {
            world.step();
        }
        Step step = world.scheduler.schedule();
        world.decode(step.tokens());
        world.scheduler.decodeFailed(List.of("a"), new EngineException.Internal("as if", null));
        assertEquals(0, world.used());
        assertEquals(0, world.scheduler.cellsUsed());
    }
}
