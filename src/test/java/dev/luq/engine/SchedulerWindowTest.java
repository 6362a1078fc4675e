package dev.luq.engine;

import static dev.luq.engine.World.BATCH;
import static dev.luq.engine.World.image;
import static dev.luq.engine.World.join;
import static dev.luq.engine.World.range;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.luq.prompt.Prompt;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Models of which some layers look back only so far. {@link World} checks that all is there that they look at. */
class SchedulerWindowTest {

    private static final int WINDOW = 20;

    private final World world = world(4, 0);

    private static World world(int sequences, long promptCacheBytes) {
        World world = new World(sequences, 1024, BATCH, promptCacheBytes);
        world.window = WINDOW;
        return world;
    }

    @Test
    void aConversationGoesOnAtItsEnd() {
        world.complete("a", range(0, 50), 5);
        world.complete("b", join(world.conversation("a"), range(300, 5)), 5);
        assertEquals(54, world.cachedTokens.get("b"));
    }

    @Test
    void aBeginningThatTheWindowHasLeftIsEvaluatedAnew() {
        world.complete("a", range(0, 100), 5);
        world.complete("b", join(range(0, 60), range(500, 10)), 5);
        assertEquals(0, world.cachedTokens.get("b"));
    }

    @Test
    void aBeginningThatIsStillThereIsReused() {
        world.complete("a", range(0, WINDOW - 5), 4);
        world.complete("b", join(range(0, 10), range(500, 60)), 5);
        assertEquals(10, world.cachedTokens.get("b"));
    }

    @Test
    void theSequenceThatHasItStillIsTakenRatherThanTheOneThatHasMore() {
        world.complete("a", range(0, 100), 5);
        world.submit("b", range(0, 50), 1, false);
        world.run();
        world.complete("c", join(range(0, 60), range(500, 10)), 5);
        assertEquals(50, world.cachedTokens.get("c"));
    }

    @Test
    void choicesOfAnAnswerThatComeTogetherAreEvaluatedOnce() {
        List<String> choices = List.of("a", "b", "c", "d");
        choices.forEach(choice -> world.submit(choice, range(0, 100), 3));
        world.run();
        choices.subList(1, 4)
                .forEach(choice -> assertTrue(world.cachedTokens.get(choice) >= 99 - Scheduler.WORTH_WAITING));
    }

    @Test
    void nobodyWaitsForABeginningThatWillBeLost() {
        world.submit("a", range(0, 200), 1);
        world.submit("b", join(range(0, 60), range(500, 10)), 1);
        world.step();
        assertTrue(world.cachedTokens.containsKey("b"));
        world.run();
        assertEquals(2, world.finished.size());
    }

    @Test
    void whatWasLostBeforeAnImageThatIsBrokenOffIsNotContinued() {
        Prompt prompt = join(range(0, 50), image("cat", 100), range(10, 5));
        world.encoded.add("cat");
        world.submit("a", prompt, 1);
        while (world.scheduler.cellsUsed() < 70) {
            world.step();
        }
        world.scheduler.cancelled("a");
        assertEquals(0, world.scheduler.cellsUsed());
        world.complete("b", prompt, 1);
    }

    @Test
    void promptsBeyondTheSequencesAreRestoredAsAWhole() {
        World one = world(1, 200);
        one.complete("a", range(0, 100), 5);
        Prompt next = join(one.conversation("a"), range(300, 5));
        one.complete("b", range(500, 60), 5);
        one.complete("beginning", range(0, 50), 5);
        assertEquals(0, one.cachedTokens.get("beginning"));
        one.complete("c", next, 5);
        assertEquals(104, one.cachedTokens.get("c"));
    }

    @Test
    void ofPromptsBeyondTheSequencesThatAreShorterThanTheWindowABeginningIsTaken() {
        World one = world(1, 200);
        one.window = 100;
        one.complete("a", range(0, 80), 5);
        one.complete("b", range(500, 60), 5);
        one.complete("c", join(range(0, 70), range(800, 30)), 5);
        assertEquals(70, one.cachedTokens.get("c"));
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 7, 30, 90})
    void whateverComesAllIsThereThatIsLookedAt(int window) {
        Random random = new Random(window);
        Map<String, List<World.Cell>> files = new HashMap<>();
        for (int sequences = 1; sequences <= 4; sequences++) {
            World any = new World(sequences, 300, BATCH, 400, random.nextInt(4));
            any.files = files;
            any.window = window;
            for (int i = 0; i < 100; i++) {
                int topic = 1000 * random.nextInt(4);
                int length = 1 + random.nextInt(100);
                any.submit(
                        "r" + i,
                        random.nextInt(3) > 0
                                ? range(topic, length)
                                : join(range(topic, 3), image("picture " + topic, 30), range(topic + 3, length)),
                        1 + random.nextInt(8));
                any.script.addAll(List.of(topic + length, topic + length + 1, topic + length + 2));
                for (int steps = random.nextInt(6); steps > 0; steps--) {
                    any.encodeAll();
                    any.readAll();
                    any.step();
                }
                if (random.nextInt(4) == 0) {
                    any.scheduler.cancelled("r" + random.nextInt(i + 1));
                }
            }
            any.run();
            assertEquals(100, any.finished.size() + any.failed.size());
            assertTrue(any.cachedTokens.values().stream().anyMatch(cached -> cached > 0) || window == 1);
        }
    }
}
