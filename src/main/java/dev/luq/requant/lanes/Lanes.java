package dev.luq.requant.lanes;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;

/**
 * Items that are worked on side by side. Each lane is a thread and what it alone uses; whichever is free takes the next
 * item. The first lane is the caller's thread: with one lane nothing happens elsewhere.
 *
 * @param <L> what a lane has for itself
 * @param <T> an item
 */
public final class Lanes<L, T> {

    private final Iterator<T> items;
    private final Work<L, T> work;
    private final AtomicReference<Throwable> failure = new AtomicReference<>();

    /**
     * What is done with an item.
     *
     * @param <L> what a lane has for itself
     * @param <T> an item
     */
    @FunctionalInterface
    public interface Work<L, T> {
        /** Ends soon when its thread is interrupted. */
        void accept(L lane, T item) throws IOException, InterruptedException;
    }

    private Lanes(Iterator<T> items, Work<L, T> work) {
        this.items = items;
        this.work = work;
    }

    /**
     * Works on all items and waits for the last one. The first failure, or an interrupt of the caller, ends all lanes.
     *
     * @param lanes at least one
     * @param items asked for one at a time, in order, by any thread
     * @throws IOException by the work, as anything unchecked; a caller that was interrupted meanwhile stays so
     * @throws InterruptedException by the work, or the caller was interrupted
     */
    public static <L, T> void run(List<? extends L> lanes, Iterator<T> items, Work<L, T> work)
            throws IOException, InterruptedException {
        new Lanes<L, T>(items, work).run(lanes);
    }

    private void run(List<? extends L> lanes) throws IOException, InterruptedException {
        List<Thread> others = new ArrayList<>();
        for (L lane : lanes.subList(1, lanes.size())) {
            Thread thread = new Thread(() -> drain(lane), "lane-" + (others.size() + 2));
            thread.setDaemon(true);
            thread.start();
            others.add(thread);
        }
        drain(lanes.get(0));
        boolean interrupted = join(others);
        Throwable thrown = failure.get();
        if (thrown instanceof InterruptedException e) {
            throw e;
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        if (thrown instanceof IOException e) {
            throw e;
        } else if (thrown instanceof RuntimeException e) {
            throw e;
        } else if (thrown instanceof Error e) {
            throw e;
        }
    }

    private void drain(L lane) {
        try {
            for (Optional<T> item = next(); item.isPresent(); item = next()) {
                work.accept(lane, item.get());
            }
        } catch (Throwable e) {
            failure.compareAndSet(null, e);
        }
    }

    private synchronized Optional<T> next() {
        return failure.get() == null && items.hasNext() ? Optional.of(items.next()) : Optional.empty();
    }

    /**
     * None outlives the call: lanes use what the caller closes.
     *
     * @return whether the caller was interrupted meanwhile
     */
    private boolean join(List<Thread> others) {
        boolean interrupted = false;
        for (Thread thread : others) {
            while (thread.isAlive()) {
                if (failure.get() != null) {
                    thread.interrupt();
                }
                try {
                    thread.join(100);
                } catch (InterruptedException e) {
                    interrupted = true;
                    failure.compareAndSet(null, e);
                }
            }
        }
        return interrupted;
    }
}
