package dev.luq.bench;

import dev.luq.files.Folders;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * A folder of a measurement, which may hold gigabytes. Closing deletes it with all that is in it; so does the end of this
 * process by a signal, as by Ctrl-C.
 */
final class TemporaryFolder implements AutoCloseable {

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

    private void deleteAtExit() {
        try {
            Folders.delete(path);
        } catch (IOException e) {
            throw new UncheckedIOException(e); // whoever is still writing here ends too
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
