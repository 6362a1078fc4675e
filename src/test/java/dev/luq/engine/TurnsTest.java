package dev.luq.engine;

import static dev.luq.Until.completed;
import static dev.luq.Until.until;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class TurnsTest {

    private final Turns turns = new Turns(true);
    private final ExecutorService engine = Executors.newSingleThreadExecutor();
    private final ExecutorService encoder = Executors.newSingleThreadExecutor();

    @AfterEach
    void stop() {
        engine.shutdownNow();
        encoder.shutdownNow();
    }

    private CompletableFuture<Void> step(Runnable compute) {
        return CompletableFuture.runAsync(() -> turns.step(compute), engine);
    }

    private static void sleep(long millis) {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void aStepWaitsForTheEndOfThePiece() throws Exception {
        turns.beginEncoding(() -> true);
        AtomicBoolean stepped = new AtomicBoolean();
        CompletableFuture<Void> step = step(() -> stepped.set(true));
        sleep(50);
        assertFalse(stepped.get());
        until("the step", () -> {
            turns.piece(() -> true);
            return step.isDone();
        });
        turns.endEncoding();
    }

    @Test
    void theEncoderGetsItsTurnHoweverSoonTheNextStepComes() throws Exception {
        CompletableFuture<Integer> pieces = new CompletableFuture<>();
        encoder.execute(() -> {
            turns.beginEncoding(() -> true);
            for (int i = 1; i <= 50; i++) {
                turns.piece(() -> true);
            }
            turns.endEncoding();
            pieces.complete(50);
        });
        engine.execute(() -> {
            while (!pieces.isDone()) {
                turns.step(() -> {});
            }
        });
        assertEquals(50, completed("the pieces", pieces));
    }

    @Test
    void theEncodersTurnIsAsLongAsTheStepBefore() throws Exception {
        long stepMillis = 200;
        step(() -> sleep(stepMillis)).get();
        turns.beginEncoding(() -> true);
        long began = System.nanoTime();
        CompletableFuture<Void> next = step(() -> {});
        until("the step to get its turn", () -> {
            turns.piece(() -> true);
            return next.isDone();
        });
        assertTrue(System.nanoTime() - began >= stepMillis * 1_000_000);
        turns.endEncoding();
    }

    @Test
    void anEncodingThatIsNotWantedAnyMoreDoesNotWaitForItsTurn() throws Exception {
        AtomicBoolean goesOn = new AtomicBoolean(true);
        CompletableFuture<Void> end = new CompletableFuture<>();
        CompletableFuture<Void> stepping = new CompletableFuture<>();
        CompletableFuture<Void> step = step(() -> {
            stepping.complete(null);
            end.join();
        });
        stepping.get();
        CompletableFuture<Void> encoding = CompletableFuture.runAsync(() -> turns.beginEncoding(goesOn::get), encoder);
        sleep(50);
        assertFalse(encoding.isDone());
        goesOn.set(false);
        turns.wake();
        completed("the encoder to give up", encoding);
        turns.endEncoding();
        end.complete(null);
        completed("the step", step);
        completed("the next step", step(() -> {}));
    }

    @Test
    void withProcessorsForBothNobodyWaits() throws Exception {
        Turns beside = new Turns(false);
        beside.beginEncoding(() -> true);
        beside.step(() -> beside.piece(() -> true));
        beside.endEncoding();
    }
}
