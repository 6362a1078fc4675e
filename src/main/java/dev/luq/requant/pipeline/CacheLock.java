package dev.luq.requant.pipeline;

import dev.luq.files.DataFolder;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.StandardOpenOption;

/**
 * The right to work in a data folder's cache, which one job has at a time: two would compute the same things and write
 * the same files. The kernel takes it from a process that dies.
 */
final class CacheLock implements AutoCloseable {

    private static final long POLL_MILLIS = 200;

    private final FileChannel channel;

    private CacheLock(FileChannel channel) {
        this.channel = channel;
    }

    /**
     * Waits until no other job has it.
     *
     * @param waits called once when there is another
     * @throws RequantizationException.Cancelled while it waited
     */
    static CacheLock take(DataFolder data, JobProgress progress, Runnable waits) {
        try {
            FileChannel channel = FileChannel.open(
                    Cache.folder(data.cache()).resolve("lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
            try {
                boolean told = false;
                while (!isLocked(channel)) {
                    if (!told) {
                        waits.run();
                        told = true;
                    }
                    progress.check();
                    Thread.sleep(POLL_MILLIS);
                }
                return new CacheLock(channel);
            } catch (RuntimeException | InterruptedException e) {
                channel.close();
                throw e instanceof RuntimeException failure ? failure : new RequantizationException.Cancelled();
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static boolean isLocked(FileChannel channel) throws IOException {
        try {
            FileLock lock = channel.tryLock();
            return lock != null;
        } catch (OverlappingFileLockException e) {
            return false; // another job of this process
        }
    }

    @Override
    public void close() {
        try {
            channel.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
