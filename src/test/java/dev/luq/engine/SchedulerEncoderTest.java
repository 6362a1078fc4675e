package dev.luq.engine;

import static dev.luq.engine.World.cells;
import static dev.luq.engine.World.range;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.luq.prompt.PromptException;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Texts for a model whose tokens attend to later ones too. */
class SchedulerEncoderTest {

    private static final int CONTEXT = 32;
    private static final int BATCH = 16;

    private final World world = World.ofEncoder(4, CONTEXT, BATCH);

    @Test
    void aTextIsReadInOneStepWithAsManyOthersAsFit() {
        world.embed("a", range(0, 6));
        world.embed("b", range(0, 10));
        world.embed("c", range(0, 1));
        assertEquals(Map.of("a", 6, "b", 10), cells(world.step()));
        assertEquals(Map.of("c", 1), cells(world.step()));
        assertTrue(world.step().isEmpty());
        assertEquals(3, world.finished.size());
    }

    @Test
    void noneOvertakesAnOlderOne() {
        world.embed("a", range(0, 9));
        world.embed("b", range(100, 9));
        world.embed("c", range(200, 3));
        assertEquals(Map.of("a", 9), cells(world.step()));
        assertEquals(Map.of("b", 9, "c", 3), cells(world.step()));
    }

    @Test
    void aTextAsLongAsTheBatchIsReadAndALongerOneRefused() {
        world.embed("fits", range(0, BATCH));
        world.embed("long", range(0, BATCH + 1));
        assertEquals(Map.of("fits", BATCH), cells(world.step()));
        assertEquals("context_length_exceeded", world.failed.get("long").code());
        PromptException.ContextLengthExceeded cause = assertInstanceOf(
                PromptException.ContextLengthExceeded.class,
                world.failed.get("long").getCause());
        assertEquals(BATCH, cause.contextSize());
    }

    @Test
    void aTextAsLongAsTheContextIsRead() {
        World small = World.ofEncoder(2, BATCH, BATCH);
        for (String id : List.of("a", "b", "c")) {
            small.embed(id, range(0, BATCH));
        }
        for (String id : List.of("a", "b", "c")) {
            assertEquals(Map.of(id, BATCH), cells(small.step()));
        }
        assertEquals(0, small.used());
    }

    @Test
    void nothingStaysBehind() {
        world.embed("a", range(0, 6));
        world.run();
        assertEquals(0, world.used());
        assertEquals(0, world.scheduler.running());
    }
}
