package dev.luq.engine;

import static dev.luq.engine.World.image;
import static dev.luq.engine.World.join;
import static dev.luq.engine.World.range;
import static dev.luq.engine.World.text;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.luq.prompt.Prompt;
import java.util.List;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** What requests of different clients take from each other, and know of each other. */
class SchedulerClientsTest {

    private final World world = new World();

    @Nested
    class FairShare {

        @Test
        void whoComesLaterWithLessIsNotBehindWhoCameWithMany() {
            for (int i = 0; i < 12; i++) {
                submit("hog" + i, "hog", 2);
            }
            world.step();
            submit("other", "other", 2);
            while (!world.finished.containsKey("other")) {
                world.step();
            }
            assertTrue(world.finished.size() <= 8, () -> "the others wait: " + world.finished.keySet());
        }

        @Test
        void clientsShareTheSequences() {
            for (String client : List.of("a", "b")) {
                for (int i = 0; i < 6; i++) {
                    submit(client + i, client, 0);
                }
            }
            world.step();
            assertEquals(List.of("a0", "a1", "b0", "b1"), running());
        }

        @Test
        void requestsOfOneClientKeepTheirOrder() {
            for (int i = 0; i < 6; i++) {
                submit("a" + i, "a", 0);
            }
            world.step();
            assertEquals(List.of("a0", "a1", "a2", "a3"), running());
        }

        /** One sequence: turns go round, however many wait behind whom. */
        @Test
        void everyClientHasItsTurn() {
            World one = new World(1, 1024, World.BATCH);
            for (int i = 0; i < 3; i++) {
                for (String client : List.of("a", "b")) {
                    one.submit(client + i, range(client.charAt(0) * 1000 + i * 100, 3), 1, true, client);
                }
            }
            one.submit("c0", range(5000, 3), 1, true, "c");
            one.run();
            assertEquals(
                    List.of("a0", "b0", "c0", "a1", "b1", "a2", "b2"),
                    List.copyOf(one.finished.keySet()).stream()
                            .sorted((x, y) -> Integer.compare(
                                    one.answers.get(x).get(0),
                                    one.answers.get(y).get(0)))
                            .toList());
        }

        private List<String> running() {
            return world.cachedTokens.keySet().stream().sorted().toList();
        }

        private void submit(String id, String client, int maxTokens) {
            world.submit(id, range(1000 * (world.prompts.size() + 1), 3), maxTokens, true, client);
        }
    }

    @Nested
    class Salts {

        @Test
        void aPrefixOfAnotherSaltIsNotThere() {
            world.complete("a", salted("one", range(0, 50)), 1);
            world.complete("b", salted("two", range(0, 50)), 1);
            world.complete("c", range(0, 50), 1);
            assertEquals(0, world.cachedTokens.get("b"));
            assertEquals(0, world.cachedTokens.get("c"));
            world.complete("a2", salted("one", join(range(0, 50), text(1))), 1);
            world.complete("b2", salted("two", join(range(0, 50), text(2))), 1);
            world.complete("c2", join(range(0, 50), text(3)), 1);
            for (String again : List.of("a2", "b2", "c2")) {
                assertEquals(50, world.cachedTokens.get(again), again);
            }
        }

        @Test
        void aPrefixUnderWayOfAnotherSaltIsNotWaitedFor() {
            world.submit("a", salted("one", range(0, 200)), 1);
            world.step();
            world.submit("b", salted("two", range(0, 200)), 1);
            world.submit("c", salted("one", range(0, 200)), 1);
            world.step();
            assertEquals(2, world.scheduler.running());
            assertTrue(world.cachedTokens.containsKey("b"));
            world.run();
            assertEquals(0, world.cachedTokens.get("b"));
            assertTrue(world.cachedTokens.get("c") > 0);
        }

        @Test
        void anEvictedSequenceTakesANewSalt() {
            for (int i = 0; i < 9; i++) {
                world.complete("r" + i, salted("salt" + i, join(range(0, 100), image("i" + i, 10))), 1);
                assertEquals(0, world.cachedTokens.get("r" + i));
            }
            world.complete("again", salted("salt8", join(range(0, 100), text(1))), 1);
            assertEquals(100, world.cachedTokens.get("again"));
        }

        private Prompt salted(String salt, Prompt prompt) {
            return Prompt.of(prompt.units(), salt);
        }
    }
}
