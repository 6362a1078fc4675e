package dev.luq.datasets;

import dev.luq.files.Folders;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
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
    private final FileChannel lock;

    private Incoming(Path path, FileChannel lock) {
        this.path = path;
        this.lock = lock;
    }

    /** @param home made if it is not there */
    static Incoming create(Path home) throws IOException {
        Folders.create(home);
        while (true) {
            Path path = Files.createDirectory(unused(home));
            Optional<FileChannel> lock = lock(path);
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
    private static Optional<FileChannel> lock(Path path) throws IOException {
        Path file = path.resolve(LOCK);
        boolean locked = false;
        FileChannel channel;
        try {
            channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        } catch (NoSuchFileException e) {
            return Optional.empty();
        }
        try {
            locked = channel.tryLock() != null && Files.exists(file);
        } catch (OverlappingFileLockException e) {
            LOG.debugf("%s is in use", path);
        } finally {
            if (!locked) {
                channel.close();
            }
        }
        return locked ? Optional.of(channel) : Optional.empty();
    }

    Path path() {
        return path;
    }

    /** Deletes what is left in it. */
    @Override
    public void close() {
        try (lock) {
            Folders.delete(path);
        } catch (IOException e) {
            LOG.warnf("What is left in %s cannot be deleted: %s", path, e.getMessage());
        }
    }
}
