package dev.luq.engine;

import java.util.ArrayDeque;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;

/**
 * Threads that prepare prompts. Clients whose work waits take turns; the work of one is done in the order in which it
 * came. As much waits as there are requests in flight. Thread-safe.
 */
final class PromptPool {

    private final ThreadPoolExecutor threads;
    /** Does what is next: one waits among the threads' tasks for each work that waits here. */
    private final Runnable turn = this::takeTurn;
    /** What waits, by client, in the order of their turns. Guarded by this. */
    private final Map<String, Queue<Runnable>> waiting = new LinkedHashMap<>();

    /** @param count of the threads */
    PromptPool(String name, int count) {
        threads = NativeThreads.pool(name, count);
    }

    /**
     * @param client null is one too
     * @return takes the work back, with all that it holds, unless it has begun. Any thread
     * @throws RejectedExecutionException the threads have ended
     */
    synchronized Runnable execute(String client, Runnable work) {
        waiting.computeIfAbsent(client, its -> new ArrayDeque<>()).add(work);
        try {
            threads.execute(turn);
        } catch (RejectedExecutionException e) {
            remove(client, work);
            throw e;
        }
        return () -> drop(client, work);
    }

    private void takeTurn() {
        Runnable next = next();
        if (next != null) { // it may have been taken back
            next.run();
        }
    }

    private synchronized Runnable next() {
        if (waiting.isEmpty()) {
            return null;
        }
        String client = waiting.keySet().iterator().next();
        Queue<Runnable> its = waiting.remove(client);
        Runnable next = its.remove();
        if (!its.isEmpty()) {
            waiting.put(client, its); // behind all others
        }
        return next;
    }

    private synchronized void drop(String client, Runnable work) {
        if (remove(client, work)) {
            threads.remove(turn);
        }
    }

    private boolean remove(String client, Runnable work) {
        Queue<Runnable> its = waiting.get(client);
        boolean removed = its != null && its.remove(work);
        if (removed && its.isEmpty()) {
            waiting.remove(client);
        }
        return removed;
    }

    /** Drops what has not begun. */
    synchronized void clear() {
        waiting.clear();
        threads.getQueue().clear();
    }

    /** Waits for what has begun; there is no work for these threads any more. */
    void stop() {
        NativeThreads.stop(threads);
    }
}
