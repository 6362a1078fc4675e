package dev.luq.engine;

import java.util.List;

/**
 * The threads that prepare prompts: short texts, long texts and those with images apart, so that no request waits for one
 * that takes longer than its own. Queries have threads of their own: no generation waits for one. In each {@link
 * PromptPool} clients take turns. Thread-safe.
 */
final class PromptThreads {

    /** Characters up to which a prompt without images takes some milliseconds. */
    private static final int SHORT_TEXT = 8 * 1024;

    private final PromptPool shortTexts = new PromptPool("luq-short-prompt", 1);
    private final PromptPool longTexts = new PromptPool("luq-long-prompt", 2);
    private final PromptPool withImages = new PromptPool("luq-image-prompt", 1);
    private final PromptPool shortQueries = new PromptPool("luq-short-query", 1);
    private final PromptPool longQueries = new PromptPool("luq-long-query", 1);

    /**
     * For a generation.
     *
     * @param client whose turn it is; null is one too
     * @param length of the texts, in characters and tokens
     * @param images whether there are some
     * @return takes the work back, with all that it holds, unless it has begun. Any thread
     */
    Runnable execute(String client, long length, boolean images, Runnable work) {
        return pool(length, images).execute(client, work);
    }

    /** For a query; see {@link #execute}. */
    Runnable executeQuery(String client, long length, boolean images, Runnable work) {
        return (images || length > SHORT_TEXT ? longQueries : shortQueries).execute(client, work);
    }

    private PromptPool pool(long length, boolean images) {
        if (images) {
            return withImages;
        }
        return length <= SHORT_TEXT ? shortTexts : longTexts;
    }

    /** Waits for what has begun; the rest is dropped. */
    void stop() {
        List<PromptPool> pools = List.of(shortTexts, longTexts, withImages, shortQueries, longQueries);
        pools.forEach(PromptPool::clear);
        pools.forEach(PromptPool::stop);
    }
}
