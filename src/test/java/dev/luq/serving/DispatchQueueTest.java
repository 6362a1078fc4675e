package dev.luq.serving;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class DispatchQueueTest {

    private static final long SECOND = 1_000_000_000L;
    private static final long LIMIT = 30 * SECOND;

    private long now = Long.MAX_VALUE - 5 * SECOND; // nanoTime may run over
    private final DispatchQueue queue = new DispatchQueue(LIMIT, now);

    @Test
    void ordinaryRequestsGoAtOnce() {
        InFlightRequest first = ordinary();
        InFlightRequest second = ordinary();
        assertEquals(List.of(first, second), next());
        assertFalse(queue.isWaiting());
    }

    @Test
    void anIsolatedRequestRunsAloneAndTheOthersAfterIt() {
        InFlightRequest isolated = isolated();
        assertEquals(List.of(isolated), next());
        assertTrue(queue.isAlone(isolated));
        InFlightRequest other = ordinary();
        assertEquals(List.of(), next());
        assertTrue(queue.remove(isolated, now));
        assertEquals(List.of(other), next());
    }

    @Test
    void anIsolatedRequestWaitsForWhatTheWorkerHasAndWasToldToStop() {
        InFlightRequest running = ordinary();
        assertEquals(List.of(running), next());
        InFlightRequest isolated = isolated();
        InFlightRequest passing = ordinary();
        assertEquals(List.of(passing), next());
        queue.remove(running, now);
        queue.remove(passing, now);
        assertEquals(List.of(), queue.next(now, false));
        assertEquals(List.of(isolated), next());
    }

    @Test
    void newRequestsWaitForAnIsolatedOneAfterAMoment() {
        InFlightRequest running = ordinary();
        next();
        InFlightRequest isolated = isolated();
        next();
        now += DispatchQueue.PATIENCE;
        next();
        InFlightRequest late = ordinary();
        assertEquals(List.of(), next());
        queue.remove(running, now);
        assertEquals(List.of(isolated), next());
        queue.remove(isolated, now);
        assertEquals(List.of(late), next());
    }

    @Test
    void noRequestWaitsForAnIsolatedOneForEver() {
        InFlightRequest isolated = isolated();
        next();
        InFlightRequest other = ordinary();
        now += LIMIT - 1;
        assertEquals(List.of(), next());
        now++;
        assertEquals(List.of(other), next());
        assertFalse(queue.isAlone(isolated));
    }

    @Test
    void anIsolatedRequestDoesNotWaitForEverForOthersThatRun() {
        InFlightRequest running = ordinary();
        next();
        InFlightRequest isolated = isolated();
        now += DispatchQueue.PATIENCE;
        next();
        InFlightRequest late = ordinary();
        now += LIMIT;
        assertEquals(List.of(isolated, late), next());
        assertFalse(queue.isAlone(isolated));
        assertTrue(queue.remove(running, now));
    }

    @Test
    void isolatedRequestsInARowLeaveTheOthersHalfOfTheTime() {
        InFlightRequest first = isolated();
        next();
        isolated();
        InFlightRequest other = ordinary();
        now += LIMIT;
        queue.remove(first, now);
        assertEquals(List.of(other), next());
        now += LIMIT - 1;
        InFlightRequest soon = ordinary();
        assertEquals(List.of(soon), next());
        now += 1;
        next();
        ordinary();
        assertEquals(List.of(), next());
    }

    @Test
    void aRequestCancelledWhileItWaitsIsForgotten() {
        InFlightRequest running = ordinary();
        next();
        InFlightRequest isolated = isolated();
        now += DispatchQueue.PATIENCE;
        next();
        assertFalse(queue.remove(isolated, now));
        InFlightRequest other = ordinary();
        assertEquals(List.of(other), next());
        assertTrue(queue.remove(running, now));
    }

    /** Whatever happens in whatever order: every request runs, within a bounded time. */
    @Test
    void noRequestIsStuck() {
        Random random = new Random(1);
        for (int run = 0; run < 50; run++) {
            List<InFlightRequest> working = new ArrayList<>();
            int waiting = 0;
            for (int step = 0; step < 200; step++) {
                if (random.nextInt(3) == 0) {
                    if (random.nextInt(4) == 0) {
                        isolated();
                    } else {
                        ordinary();
                    }
                    waiting++;
                }
                if (!working.isEmpty() && random.nextInt(8) == 0) {
                    queue.remove(working.remove(random.nextInt(working.size())), now);
                }
                List<InFlightRequest> gone = next();
                waiting -= gone.size();
                working.addAll(gone);
                now += random.nextInt(1_000_000_000);
            }
            for (int i = 0; waiting > 0; i++) {
                assertTrue(i < 400, "a request is stuck");
                List<InFlightRequest> gone = next();
                waiting -= gone.size();
                working.addAll(gone);
                now += 10 * SECOND;
            }
            working.forEach(request -> queue.remove(request, now));
        }
    }

    private List<InFlightRequest> next() {
        return queue.next(now, true);
    }

    private InFlightRequest ordinary() {
        return add(false);
    }

    private InFlightRequest isolated() {
        return add(true);
    }

    private InFlightRequest add(boolean isolated) {
        List<InFlightRequest> made = new ArrayList<>();
        InFlightRequest.stream(
                        "m", WorkerClient.request("x", 1), new InFlightAnswer(), new GenerationListener() {}, made::add)
                .subscribe()
                .with(item -> {});
        queue.add(made.get(0), isolated, now);
        return made.get(0);
    }
}
