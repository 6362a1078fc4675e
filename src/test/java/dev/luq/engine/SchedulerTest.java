package dev.luq.engine;

import static dev.luq.engine.World.BATCH;
import static dev.luq.engine.World.cells;
import static dev.luq.engine.World.image;
import static dev.luq.engine.World.join;
import static dev.luq.engine.World.range;
import static dev.luq.engine.World.text;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.luq.prompt.Prompt;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SchedulerTest {

    private final World world = new World();

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
            world.generate("a", range(0, 5));
            world.generate("b", range(100, 5));
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
            world.generate("g", range(900, 3));
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
            assertEquals(
                    List.of("a", "b", "c", "d"), List.copyOf(cells(world.step()).keySet()));
            assertEquals(2, world.scheduler.waiting());
            assertEquals(4, world.scheduler.running());
            world.step();
            assertEquals(List.of("e", "f"), List.copyOf(cells(world.step()).keySet()));
        }

        @Test
        void endOfGenerationFreesTheSequence() {
            world.generate("a", range(0, 3));
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
    class Cancellation {

        private void assertCancelled(String id) {
            assertEquals("cancelled", world.failed.get(id).code());
            assertTrue(world.step().isEmpty());
            assertEquals(0, world.scheduler.waiting() + world.scheduler.running());
        }

        @Test
        void whilePreparing() {
            world.scheduler.submitted("a", 0, true, true, "");
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
            world.complete("b", range(0, 100), 1);
            assertEquals(16, world.cachedTokens.get("b"), "what was evaluated serves others");
        }

        @Test
        void whileGenerating() {
            world.generate("a", range(0, 3));
            int generated = world.answers.get("a").size();
            world.scheduler.cancelled("a");
            assertCancelled("a");
            assertEquals(generated, world.answers.get("a").size(), "not one token more");
        }

        @Test
        void ofAnUnknownRequestIsIgnored() {
            world.generate("a", range(0, 3));
            world.scheduler.cancelled("nobody");
            world.step();
            assertEquals(1, world.scheduler.running());
            assertTrue(world.failed.isEmpty());
        }

        @Test
        void anIdInUseIsRefused() {
            world.submit("a", range(0, 3), 0);
            assertThrows(IllegalArgumentException.class, () -> world.scheduler.submitted("a", 0, true, true, ""));
        }
    }

    /** Whatever happens, every answer follows from exactly its prompt (World checks that) and every request ends. */
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 4})
    void anyMixOfRequestsEndsWell(int sequences) {
        for (int seed = 0; seed < 60; seed++) {
            Random random = new Random(seed);
            boolean forgetsParts = seed % 5 != 0;
            World any = new World(sequences, 200, 8, 0, forgetsParts ? seed % 4 : 0);
            any.forgetsParts = forgetsParts;
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
                if (any.script.isEmpty()) {
                    int copied = random.nextInt(50);
                    IntStream.range(copied, copied + 10).forEach(any.script::add);
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
