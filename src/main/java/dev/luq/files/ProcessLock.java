package dev.luq.files;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Optional;
import java.util.function.BooleanSupplier;

/** A file that one has at a time, among all processes. The kernel takes it from a process that dies. */
public final class ProcessLock implements AutoCloseable {

    private static final long POLL_MILLIS = 100;

    private final FileChannel channel;

    private ProcessLock(FileChannel channel) {
        this.channel = channel;
    }

    /**
     * Waits until nobody else has it.
     *
     * @param file made if missing; its folder exists
     * @param stopped whether to wait no longer
     * @param waits called once when somebody else has it
     * @return empty when it was to wait no longer
     * @throws IOException when the file cannot be opened or locked
     * @throws InterruptedException the thread was interrupted while it waited
     */
    public static Optional<ProcessLock> take(Path file, BooleanSupplier stopped, Runnable waits)
            throws IOException, InterruptedException {
        FileChannel channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        boolean taken = false;
        try {
            taken = isLocked(channel);
            if (!taken) {
                waits.run();
            }
            while (!taken && !stopped.getAsBoolean()) {
                Thread.sleep(POLL_MILLIS);
                taken = isLocked(channel);
            }
            return taken ? Optional.of(new ProcessLock(channel)) : Optional.empty();
        } finally {
            if (!taken) {
                channel.close();
            }
        }
    }

    /**
     * Takes it unless somebody else has it.
     *
     * @param file made if missing
     * @return empty when somebody else has it, in this process or another one
     * @throws IOException when the file cannot be opened or locked
     */
    public static Optional<ProcessLock> tryTake(Path file) throws IOException {
        FileChannel channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        boolean taken = false;
        try {
            taken = isLocked(channel);
            return taken ? Optional.of(new ProcessLock(channel)) : Optional.empty();
        } finally {
            if (!taken) {
                channel.close();
            }
        }
    }

    /** Until it is closed. */
    public boolean isHeld() {
        return channel.isOpen();
    }

    private static boolean isLocked(FileChannel channel) throws IOException {
        try {
            FileLock lock = channel.tryLock();
            return lock != null;
        } catch (OverlappingFileLockException e) {
            return false; // somebody in this process
        }
    }

    /** @throws UncheckedIOException when the file cannot be closed */
    @Override
    public void close() {
        try {
            channel.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
