package dev.luq.requant.lanes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class LanesTest {

    @Test
    void oneLaneIsTheCallersThread() throws Exception {
        Set<Thread> threads = new HashSet<>();
        Lanes.run(List.of("a"), IntStream.range(0, 3).iterator(), (lane, item) -> threads.add(Thread.currentThread()));
        assertEquals(Set.of(Thread.currentThread()), threads);
    }

    @Test
    void everyItemIsWorkedOnOnceAndLanesWorkSideBySide() throws Exception {
        Set<Integer> done = new ConcurrentSkipListSet<>();
        Set<String> lanes = new ConcurrentSkipListSet<>();
        CyclicBarrier both = new CyclicBarrier(2);
        Lanes.run(List.of("a", "b"), IntStream.range(0, 10).iterator(), (lane, item) -> {
            await(both);
            lanes.add(lane);
            assertTrue(done.add(item));
        });
        assertEquals(new TreeSet<>(IntStream.range(0, 10).boxed().toList()), done);
        assertEquals(Set.of("a", "b"), lanes);
    }

    private static void await(CyclicBarrier barrier) throws InterruptedException {
        try {
            barrier.await();
        } catch (java.util.concurrent.BrokenBarrierException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void theFirstFailureEndsAllLanes() {
        IOException failure = new IOException("broken");
        CountDownLatch never = new CountDownLatch(1);
        Set<Integer> begun = new ConcurrentSkipListSet<>();
        CyclicBarrier both = new CyclicBarrier(2);
        Thread caller = Thread.currentThread();
        assertSame(
                failure,
                assertThrows(
                        IOException.class,
                        () -> Lanes.run(
                                List.of("a", "b"), IntStream.range(0, 10).iterator(), (lane, item) -> {
                                    begun.add(item);
                                    await(both);
                                    if (Thread.currentThread() == caller) {
                                        throw failure;
                                    }
                                    never.await();
                                })));
        assertEquals(Set.of(0, 1), begun);
    }

    @Test
    void whoIsInterruptedWhileItWaitsEndsTheOthers() {
        CountDownLatch never = new CountDownLatch(1);
        Thread caller = Thread.currentThread();
        assertThrows(
                InterruptedException.class,
                () -> Lanes.run(List.of("a", "b"), IntStream.range(0, 2).iterator(), (lane, item) -> {
                    if (Thread.currentThread() != caller) {
                        caller.interrupt();
                    }
                    never.await();
                }));
        assertFalse(Thread.currentThread().isInterrupted());
    }

    @Test
    void whoIsInterruptedAndHearsOfAnotherFailureStaysInterrupted() {
        Thread caller = Thread.currentThread();
        CountDownLatch never = new CountDownLatch(1);
        CyclicBarrier both = new CyclicBarrier(2);
        assertThrows(
                IllegalStateException.class,
                () -> Lanes.run(List.of("a", "b"), IntStream.range(0, 2).iterator(), (lane, item) -> {
                    await(both);
                    if (Thread.currentThread() == caller) {
                        caller.interrupt();
                        throw new IllegalStateException("broken");
                    }
                    never.await();
                }));
        assertTrue(Thread.interrupted());
    }
}
