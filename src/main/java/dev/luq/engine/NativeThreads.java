package dev.luq.engine;

import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/** Pools of threads that run native code. */
final class NativeThreads {

    /**
     * Bytes of a thread's stack. llama.cpp's parsers recurse with what clients write; this is enough for the most that is
     * accepted. It is address space: memory is taken only as it is used.
     */
    static final long STACK_BYTES = 512L << 20;

    private NativeThreads() {}

    /** Daemon threads with an unbounded queue. Each has its own name, which tells after a crash whose work it did. */
    static ThreadPoolExecutor pool(String name, int count) {
        AtomicInteger started = new AtomicInteger();
        return new ThreadPoolExecutor(count, count, 0, TimeUnit.SECONDS, new LinkedBlockingQueue<>(), task -> {
            String suffix = count == 1 ? "" : "-" + started.incrementAndGet();
            Thread thread = new Thread(null, task, name + suffix, STACK_BYTES);
            thread.setDaemon(true);
            return thread;
        });
    }

    /** Waits until a pool has done what is in its queue. An interrupt is kept for later. */
    static void stop(ThreadPoolExecutor pool) {
        pool.shutdown();
        boolean interrupted = false;
        while (true) {
            try {
                if (pool.awaitTermination(1, TimeUnit.MINUTES)) {
                    break;
                }
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
