package dev.luq.decoder;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.luq.Until;
import dev.luq.decoder.DecoderException.Reason;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import org.junit.jupiter.api.Test;

class DecoderPermitsTest {

    private static final int QUEUE = 4;

    private final DecoderPermits permits = new DecoderPermits(2, QUEUE);

    @Test
    void aClientAloneMayHaveAll() throws Exception {
        DecoderPermits.Permit first = take("a");
        take("a");
        List<CompletableFuture<DecoderPermits.Permit>> waiting = waiting("a", QUEUE);
        assertRefused(waiting("a"));
        assertTrue(permits.takeFree("b").isEmpty());
        first.close();
        Until.completed("the one that waited longest", waiting.get(0));
        assertFalse(waiting.get(1).isDone());
    }

    @Test
    void whoDecodesLeastGoesFirst() throws Exception {
        DecoderPermits.Permit first = take("a");
        DecoderPermits.Permit second = take("a");
        CompletableFuture<DecoderPermits.Permit> before = waiting("a");
        CompletableFuture<DecoderPermits.Permit> other = waiting("b");
        first.close();
        Until.completed("another client's permit", other).close();
        DecoderPermits.Permit third = Until.completed("nobody else waits", before);
        CompletableFuture<DecoderPermits.Permit> again = waiting("b");
        waiting("a");
        second.close();
        Until.completed("another client's permit", again).close();
        third.close();
    }

    @Test
    void clientsTakeTurnsHoweverOftenOneComes() throws Exception {
        DecoderPermits single = new DecoderPermits(1, QUEUE);
        DecoderPermits.Permit held = single.take("a", false, Duration.ZERO, () -> false);
        List<CompletableFuture<DecoderPermits.Permit>> patient = waiting(single, "a", 2);
        CompletableFuture<DecoderPermits.Permit> eager = waiting(single, "b", false);
        held.close();
        held = Until.completed("the turn of who has had none", eager);
        eager = waiting(single, "b", false);
        held.close();
        held = Until.completed("the turn of who has waited", patient.get(0));
        CompletableFuture<DecoderPermits.Permit> third = waiting(single, "c", false);
        held.close();
        held = Until.completed("the eager one's turn", eager);
        held.close();
        held = Until.completed("the turn of who came last", third);
        CompletableFuture<DecoderPermits.Permit> again = waiting(single, "c", false);
        held.close();
        Until.completed("the turn of who has waited", patient.get(1)).close();
        Until.completed("the last turn", again);
    }

    @Test
    void aFullQueueHasRoomForOtherClients() throws Exception {
        DecoderPermits.Permit first = take("a");
        take("a");
        List<CompletableFuture<DecoderPermits.Permit>> waiting = waiting("a", QUEUE);
        List<CompletableFuture<DecoderPermits.Permit>> others = waiting("b", QUEUE / 2);
        assertRefused(waiting.get(3));
        assertRefused(waiting.get(2));
        assertRefused(waiting("b"));
        assertRefused(waiting("a"));
        first.close();
        Until.completed("the other client's first", others.get(0)).close();
        Until.completed("the other client's second", others.get(1)).close();
        Until.completed("what is left of the first client's", waiting.get(0));
    }

    @Test
    void ofThoseThatTakeMuchMemoryOneIsDecoded() throws Exception {
        DecoderPermits.Permit large = permits.take("a", true, Duration.ZERO, () -> false);
        CompletableFuture<DecoderPermits.Permit> own = waiting(permits, "a", true);
        CompletableFuture<DecoderPermits.Permit> other = waiting(permits, "b", true);
        take("a").close();
        assertFalse(own.isDone() || other.isDone());
        large.close();
        Until.completed("the other client's", other);
        assertFalse(own.isDone());
        other.join().close();
        Until.completed("its own", own);
    }

    @Test
    void whoWaitsTooLongIsRefused() {
        take("a").close();
        take("a");
        take("b");
        assertEquals(
                Reason.BUSY,
                assertThrows(DecoderException.class, () -> take("c")).reason());
        assertEquals(
                Reason.BUSY,
                assertThrows(DecoderException.class, () -> permits.take("c", false, Duration.ofMillis(20), () -> false))
                        .reason());
    }

    @Test
    void whoLeftDoesNotWait() throws Exception {
        DecoderPermits.Permit held = take("a");
        take("a");
        DecoderException left =
                assertThrows(DecoderException.class, () -> permits.take("b", false, Until.LIMIT, () -> true));
        assertEquals(Reason.GONE, left.reason());
        CompletableFuture<DecoderPermits.Permit> other = waiting("c");
        held.close();
        Until.completed("the permit that it would have had", other);
    }

    private DecoderPermits.Permit take(String client) {
        return permits.take(client, false, Duration.ZERO, () -> false);
    }

    private static void assertRefused(CompletableFuture<?> waiting) {
        ExecutionException refused =
                assertThrows(ExecutionException.class, () -> Until.completed("a refusal", waiting));
        assertEquals(Reason.BUSY, ((DecoderException) refused.getCause()).reason());
    }

    private CompletableFuture<DecoderPermits.Permit> waiting(String client) {
        return waiting(permits, client, false);
    }

    private List<CompletableFuture<DecoderPermits.Permit>> waiting(String client, int count) {
        return waiting(permits, client, count);
    }

    private static List<CompletableFuture<DecoderPermits.Permit>> waiting(
            DecoderPermits permits, String client, int count) {
        List<CompletableFuture<DecoderPermits.Permit>> all = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            all.add(waiting(permits, client, false));
        }
        return all;
    }

    private static CompletableFuture<DecoderPermits.Permit> waiting(
            DecoderPermits permits, String client, boolean large) {
        CompletableFuture<DecoderPermits.Permit> taken = new CompletableFuture<>();
        Thread thread = new Thread(
                () -> {
                    try {
                        taken.complete(permits.take(client, large, Until.LIMIT, () -> false));
                    } catch (DecoderException refused) {
                        taken.completeExceptionally(refused);
                    }
                },
                "waits");
        thread.setDaemon(true);
        thread.start();
        Until.until("the thread to wait", () -> thread.getState() == Thread.State.TIMED_WAITING || taken.isDone());
        return taken;
    }
}
