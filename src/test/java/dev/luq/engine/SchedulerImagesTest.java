package dev.luq.engine;

import static dev.luq.engine.World.cells;
import static dev.luq.engine.World.image;
import static dev.luq.engine.World.indivisible;
import static dev.luq.engine.World.join;
import static dev.luq.engine.World.range;
import static dev.luq.engine.World.text;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.luq.prompt.PromptException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

class SchedulerImagesTest {

    private final World world = new World();

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
            world.generate(id, range(id.charAt(0) * 10, 4));
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
        world.complete("a", join(range(0, 3), image("cat", 20)), 2);
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
        world.complete("a", join(text(1), image("cat", 20), text(2), image("cat", 20), text(3)), 1);
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
        world.encoded.add("cat");
        world.generate("g", range(900, 3));
        world.submit("a", join(indivisible("cat", 12), text(1)), 1);
        world.submit("b", range(0, 50), 0);
        assertEquals(Map.of("g", 1, "a", 12, "b", 3), cells(world.step()));
    }

    @Test
    void anIndivisibleImageLargerThanAStepIsRefusedBeforeItIsEncoded() {
        world.submit("a", join(indivisible("cat", 13), text(1)), 1);
        assertEquals("image_too_large", world.failed.get("a").code());
        world.step();
        assertEquals(Set.of(), world.toEncode.keySet());
    }

    @Test
    void itIsKnownHowFarAPromptIs() {
        world.submit("a", join(range(0, 20), image("cat", 20), text(2)), 1);
        world.submit("b", range(100, 10), 1);
        assertEquals(List.of("QUEUED null 0/41", "QUEUED null 0/10"), progress());
        world.step();
        assertEquals(List.of("PROMPT null 8/41", "PROMPT null 8/10"), progress());
        world.step();
        assertEquals(List.of("ENCODING cat 20/41"), progress(), "the other one's first token is there");
        world.finishEncoding("cat");
        world.step();
        assertEquals(List.of("PROMPT null 36/41"), progress());
        world.run();
        assertEquals(List.of(), progress());
        assertTrue(world.scheduler.isEmpty());
    }

    private List<String> progress() {
        return world.scheduler.progress().stream()
                .map(p -> p.phase() + " "
                        + (p.image() == null ? null : p.image().id()) + " " + p.evaluated() + "/" + p.tokens())
                .toList();
    }

    @Test
    void whatAnEmbeddingOfAnImageHeldIsNotKeptForLaterRequests() {
        world.files = new HashMap<>();
        world.embed("e", join(text(1), image("cat", 40), text(2)));
        world.run();
        assertTrue(world.finished.containsKey("e"));
        assertEquals(Map.of(), world.files);
    }

    @Test
    void anImageThatCannotBeEncodedFailsThoseWhoWaitForIt() {
        world.generate("other", range(0, 3));
        world.submit("a", join(text(1), image("bad", 20), text(2)), 1);
        world.step();
        world.scheduler.encodingFailed("bad", EngineException.of(new PromptException.InvalidImage("unreadable", null)));
        assertEquals("invalid_image", world.failed.get("a").code());
        world.step();
        assertEquals(1, world.scheduler.running());
    }
}
