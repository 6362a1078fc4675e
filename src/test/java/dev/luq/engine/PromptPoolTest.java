package dev.luq.engine;

import static dev.luq.Until.reached;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.RejectedExecutionException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class PromptPoolTest {

    private final PromptPool pool = new PromptPool("test", 1);
    private final CountDownLatch goOn = new CountDownLatch(1);
    private final List<String> done = new CopyOnWriteArrayList<>();

    @AfterEach
    void stop() {
        allDone();
    }

    @Test
    void clientsTakeTurnsAndTheWorkOfOneIsDoneInItsOrder() {
        hold();
        List.of("a1", "a2", "a3", "b1", "b2", "c1").forEach(this::submit);
        assertEquals(List.of("a1", "b1", "c1", "a2", "b2", "a3"), allDone());
    }

    @Test
    void whoComesLateWaitsForOneWorkOfEachOther() {
        hold();
        List.of("a1", "a2", "a3", "b1", "a4", "b2", "c1").forEach(this::submit);
        assertEquals("c1", allDone().get(2));
    }

    @Test
    void whatIsClearedIsNotDone() {
        hold();
        submit("a1");
        pool.clear();
        assertEquals(List.of(), allDone());
    }

    @Test
    void whatIsTakenBackIsNotDoneAndTakesNobodysTurn() {
        hold();
        submit("a1").run();
        Runnable second = submit("a2");
        submit("a3");
        submit("b1");
        second.run();
        second.run();
        assertEquals(List.of("a3", "b1"), allDone());
    }

    @Test
    void noClientIsOneToo() {
        hold();
        pool.execute(null, () -> done.add("1"));
        submit("a1");
        pool.execute(null, () -> done.add("2"));
        assertEquals(List.of("1", "a1", "2"), allDone());
    }

    @Test
    void afterItsEndNoWorkIsTaken() {
        pool.stop();
        assertThrows(RejectedExecutionException.class, () -> submit("a1"));
    }

    private void hold() {
        CountDownLatch held = new CountDownLatch(1);
        pool.execute("hold", () -> {
            held.countDown();
            reached("the rest of the test", goOn);
        });
        reached("the thread to be held up", held);
    }

    /** @param name begins with its client */
    private Runnable submit(String name) {
        return pool.execute(name.substring(0, 1), () -> done.add(name));
    }

    /** @return what was done, in order */
    private List<String> allDone() {
        goOn.countDown();
        pool.stop();
        return done;
    }
}
