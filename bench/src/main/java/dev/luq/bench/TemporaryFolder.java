package dev.luq.bench;

import dev.luq.cli.Waiting;
import dev.luq.files.Folders;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;

/**
 * A folder of a measurement, which may hold gigabytes. Closing deletes it with all that is in it; so does the end of this
 * process by a signal, as by Ctrl-C.
 */
final class TemporaryFolder implements AutoCloseable {

    /** Longer than a server may take to end, which writes here until then. */
    private static final Duration LONGEST_DELETE = Duration.ofSeconds(40);

    private static final Duration PAUSE = Duration.ofMillis(200);

    private final Path path;
    private final Thread deleteWithUs = new Thread(this::deleteAtExit);

    private TemporaryFolder(Path path) {
        this.path = path;
        Runtime.getRuntime().addShutdownHook(deleteWithUs);
    }

    /** In the system's folder for temporary files. */
    static TemporaryFolder create() throws IOException {
        return new TemporaryFolder(Files.createTempDirectory("luq-bench-"));
    }

    /** @param parent folder that is there */
    static TemporaryFolder in(Path parent) throws IOException {
        return new TemporaryFolder(Files.createTempDirectory(parent, "luq-bench-"));
    }

    Path path() {
        return path;
    }

    /** A file or folder in it. */
    Path resolve(String name) {
        return path.resolve(name);
    }

    /** Whoever still writes here ends at the same time: until then the folder may fill again while it is emptied. */
    private void deleteAtExit() {
        long deadline = System.nanoTime() + LONGEST_DELETE.toNanos();
        while (true) {
            try {
                Folders.delete(path);
                return;
            } catch (IOException e) {
                if (System.nanoTime() > deadline) {
                    throw new UncheckedIOException(e);
                }
                Waiting.sleep(PAUSE);
            }
        }
    }

    @Override
    public void close() throws IOException {
        try {
            Runtime.getRuntime().removeShutdownHook(deleteWithUs);
        } catch (IllegalStateException e) {
            return; // it is at work
        }
        Folders.delete(path);
    }
}
