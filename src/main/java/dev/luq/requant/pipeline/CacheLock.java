package dev.luq.requant.pipeline;

import dev.luq.files.DataFolder;
import dev.luq.files.ProcessLock;
import java.io.IOException;
import java.io.UncheckedIOException;

/**
 * The right to work in a data folder's cache, which one job has at a time: two would compute the same things and write
 * the same files.
 */
final class CacheLock {

    private CacheLock() {}

    /**
     * Waits until no other job has it.
     *
     * @param waits called once when there is another
     * @throws RequantizationException.Cancelled while it waited
     */
    static ProcessLock take(DataFolder data, JobProgress progress, Runnable waits) {
        try {
            return ProcessLock.take(Cache.folder(data.cache()).resolve("lock"), progress::cancelled, waits)
                    .orElseThrow(RequantizationException.Cancelled::new);
        } catch (InterruptedException e) {
            throw new RequantizationException.Cancelled();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
