package dev.luq.datasets;

import dev.luq.files.Folders;
import dev.luq.files.ProcessLock;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.UUID;
import org.jboss.logging.Logger;

/**
 * A folder beside the sets in which one is made. A lock on it, which ends with its server, tells other servers of the
 * data folder that it is in use.
 */
final class Incoming implements AutoCloseable {

    private static final Logger LOG = Logger.getLogger(Incoming.class);
    private static final String PREFIX = ".incoming-";
    private static final String LOCK = "lock";

    private final Path path;
    private final ProcessLock lock;

    private Incoming(Path path, ProcessLock lock) {
        this.path = path;
        this.lock = lock;
    }

    /** @param home made if it is not there */
    static Incoming create(Path home) throws IOException {
        Folders.create(home);
        while (true) {
            Path path = Files.createDirectory(unused(home));
            Optional<ProcessLock> lock = lock(path);
            if (lock.isPresent()) {
                return new Incoming(path, lock.get());
            }
        }
    }

    /** A path that {@link #deleteAbandoned} deletes if a folder is there. */
    static Path unused(Path home) {
        return home.resolve(PREFIX + UUID.randomUUID());
    }

    /** Deletes what servers left that have ended. What cannot be deleted is logged. */
    static void deleteAbandoned(Path home) throws IOException {
        for (Path path : Folders.list(
                home,
                entry -> entry.getFileName().toString().startsWith(PREFIX)
                        && Files.isDirectory(entry, LinkOption.NOFOLLOW_LINKS))) {
            try {
                lock(path).ifPresent(lock -> new Incoming(path, lock).close());
            } catch (IOException e) {
                LOG.warnf("What is left in %s cannot be deleted: %s", path, e.getMessage());
            }
        }
    }

    /** @return to be closed; empty when another server has it, perhaps to delete it, or has deleted it */
    private static Optional<ProcessLock> lock(Path path) throws IOException {
        Path file = path.resolve(LOCK);
        try {
            Optional<ProcessLock> lock = ProcessLock.tryTake(file);
            if (lock.isPresent() && !Files.exists(file)) {
                lock.get().close();
                return Optional.empty();
            }
            return lock;
        } catch (NoSuchFileException e) {
            return Optional.empty();
        }
    }

    Path path() {
        return path;
    }

    /** Deletes what is left in it. */
    @Override
    public void close() {
        try (lock) {
            Folders.delete(path);
        } catch (IOException | UncheckedIOException e) {
            LOG.warnf("What is left in %s cannot be deleted: %s", path, e.getMessage());
        }
    }
}
