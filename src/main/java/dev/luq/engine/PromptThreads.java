package dev.luq.engine;

import java.util.List;
import java.util.concurrent.ThreadPoolExecutor;

/**
 * The threads that prepare prompts: short texts, long texts and those with images apart, so that no request waits for one
 * that takes longer than its own. Queries have threads of their own: no generation waits for one. Thread-safe.
 */
final class PromptThreads {

    /** Characters up to which a prompt without images takes some milliseconds. */
    private static final int SHORT_TEXT = 8 * 1024;

    private final ThreadPoolExecutor shortTexts = NativeThreads.pool("luq-short-prompt", 1);
    private final ThreadPoolExecutor longTexts = NativeThreads.pool("luq-long-prompt", 2);
    private final ThreadPoolExecutor withImages = NativeThreads.pool("luq-image-prompt", 1);
    private final ThreadPoolExecutor shortQueries = NativeThreads.pool("luq-short-query", 1);
    private final ThreadPoolExecutor longQueries = NativeThreads.pool("luq-long-query", 1);

    /**
     * For a generation.
     *
     * @param length of the texts, in characters and tokens
     * @param images whether there are some
     * @return takes the work back, with all that it holds, unless it has begun. Any thread
     */
    Runnable execute(long length, boolean images, Runnable work) {
        return execute(pool(length, images), work);
    }

    /** For a query; see {@link #execute}. */
    Runnable executeQuery(long length, boolean images, Runnable work) {
        return execute(images || length > SHORT_TEXT ? longQueries : shortQueries, work);
    }

    private static Runnable execute(ThreadPoolExecutor pool, Runnable work) {
        pool.execute(work);
        return () -> pool.remove(work);
    }

    private ThreadPoolExecutor pool(long length, boolean images) {
        if (images) {
            return withImages;
        }
        return length <= SHORT_TEXT ? shortTexts : longTexts;
    }

    /** Waits for what has begun; the rest is dropped. */
    void stop() {
        List<ThreadPoolExecutor> pools = List.of(shortTexts, longTexts, withImages, shortQueries, longQueries);
        pools.forEach(pool -> pool.getQueue().clear());
        pools.forEach(NativeThreads::stop);
    }
}
