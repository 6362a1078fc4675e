package dev.luq.openai.images;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.luq.Until;
import dev.luq.http.errors.ApiException.Busy;
import dev.luq.http.errors.ApiException.ClientGone;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

class FetchPermitsTest {

    private static final Duration NO_TIME = Duration.ZERO;

    private final FetchPermits permits = new FetchPermits(4);

    @Test
    void oneClientGetsHalf() {
        permits.take(asker("a"), NO_TIME);
        FetchPermits.Permit second = permits.take(asker("a"), NO_TIME);
        assertThrows(Busy.class, () -> permits.take(asker("a"), NO_TIME));
        permits.take(asker("b"), NO_TIME);
        FetchPermits.Permit last = permits.take(asker("c"), NO_TIME);
        assertThrows(Busy.class, () -> permits.take(asker("d"), NO_TIME), "all are taken");
        last.close();
        assertThrows(Busy.class, () -> permits.take(asker("a"), NO_TIME), "it has its half still");
        permits.take(asker("d"), NO_TIME).close();
        second.close();
        permits.take(asker("a"), NO_TIME);
    }

    @Test
    void whoWaitsGetsWhatBecomesFree() throws Exception {
        FetchPermits.Permit first = permits.take(asker("a"), NO_TIME);
        permits.take(asker("a"), NO_TIME);
        CompletableFuture<FetchPermits.Permit> waiting = waiting("a");
        permits.take(asker("b"), NO_TIME).close();
        assertFalse(waiting.isDone());
        first.close();
        Until.completed("the permit", waiting);
    }

    @Test
    void oneClientsWaitersLeaveRoomForThoseOfOthers() throws Exception {
        FetchPermits.Permit first = permits.take(asker("a"), NO_TIME);
        permits.take(asker("a"), NO_TIME);
        FetchPermits.Permit third = permits.take(asker("b"), NO_TIME);
        permits.take(asker("b"), NO_TIME);
        CompletableFuture<?> one = waiting("a");
        CompletableFuture<?> two = waiting("a");
        assertThrows(Busy.class, () -> permits.take(asker("a"), Until.LIMIT), "a third is refused at once");
        CompletableFuture<?> other = waiting("c");
        third.close();
        Until.completed("another client's permit", other);
        assertFalse(one.isDone() || two.isDone());
        first.close();
        Until.completed("one of its own", CompletableFuture.anyOf(one, two));
    }

    @Test
    void oneAloneIsForEverybody() {
        FetchPermits single = new FetchPermits(1);
        single.take(asker("a"), NO_TIME).close();
        single.take(asker("b"), NO_TIME);
        assertThrows(Busy.class, () -> single.take(asker("a"), NO_TIME));
    }

    @Test
    void whoLeftDoesNotWait() {
        FetchPermits single = new FetchPermits(1);
        FetchPermits.Permit held = single.take(asker("a"), NO_TIME);
        assertThrows(ClientGone.class, () -> single.take(new Asker("b", () -> true), Until.LIMIT));
        held.close();
        single.take(asker("c"), NO_TIME);
    }

    private static Asker asker(String client) {
        return new Asker(client, () -> false);
    }

    private CompletableFuture<FetchPermits.Permit> waiting(String client) {
        CompletableFuture<FetchPermits.Permit> taken = new CompletableFuture<>();
        Thread thread = new Thread(() -> taken.complete(permits.take(asker(client), Until.LIMIT)), "waits");
        thread.setDaemon(true);
        thread.start();
        Until.until("the thread to wait", () -> thread.getState() == Thread.State.TIMED_WAITING || taken.isDone());
        return taken;
    }
}
