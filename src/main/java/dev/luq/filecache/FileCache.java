package dev.luq.filecache;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.luq.files.DamagedFileException;
import dev.luq.files.Folders;
import dev.luq.files.JsonFile;
import dev.luq.files.Sha256;
import io.quarkus.runtime.annotations.RegisterForReflection;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;

/**
 * A folder in which all workers of a server keep files of one kind, for the owner's account alone:
 *
 * <pre>
 * folder   := usage PRODUCER/*          PRODUCER: {@link Producer#digest}
 * PRODUCER := users/* FILE* ASIDE*      FILE: one of {@link CachedFiles}; ASIDE: one that is being written
 * users    := which models use what is in the producer's folder, a {@link User} each
 * usage    := bytes of all files and of those being written, 8 bytes; its lock guards changes of it
 * </pre>
 *
 * <p>The files together take no more than a bound: a writer reserves room first, for which the least recently used ones
 * go. The usage may count too much after a process died, never too little; it is counted anew when room is short. Safe
 * for several processes and threads.
 *
 * @param path made when something is kept
 * @param maxBytes of all files together
 */
public record FileCache(Path path, long maxBytes) {

    static final FileAttribute<Set<PosixFilePermission>> OWNERS_FOLDER = permissions("rwx------");
    static final FileAttribute<Set<PosixFilePermission>> OWNERS_FILE = permissions("rw-------");

    /** Ends the name of a file that is being written. */
    static final String ASIDE = ".part";
    /** What has been written for this long is written no more: its writer is gone. */
    private static final Duration ABANDONED = Duration.ofHours(1);

    /** Locks of files are those of a process; this one is for its threads. */
    private static final Object LOCK = new Object();

    /**
     * A model that uses what a producer made.
     *
     * @param model its id
     * @param files the producer's, as they were
     */
    @RegisterForReflection
    record User(String model, List<FileStamp> files) {

        User {
            files = List.copyOf(files);
        }

        static User of(Producer producer) throws IOException {
            List<FileStamp> files = new ArrayList<>();
            for (Path file : producer.files()) {
                files.add(FileStamp.of(file));
            }
            return new User(producer.model(), files);
        }

        /** Two models may have the same files, and one model other files of the same content. */
        private String name() {
            List<String> parts = new ArrayList<>(List.of(model));
            files.forEach(file -> parts.add(file.path()));
            return Sha256.hex(String.join("\n", parts).getBytes(UTF_8));
        }

        boolean isUnchanged() {
            return files.stream().allMatch(FileStamp::isUnchanged);
        }
    }

    /** A file of a producer, or one that is being written. */
    private record Cached(Path path, long bytes, Instant used) {}

    private static FileAttribute<Set<PosixFilePermission>> permissions(String text) {
        return PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString(text));
    }

    /**
     * Makes the folder of a producer, with a model that uses it, and sees to it that the bound holds, which may have been
     * a larger one before.
     *
     * @param producer its digest
     *
     * @return the folder
     */
    Path make(String producer, User user) throws IOException {
        Files.createDirectories(path.toAbsolutePath().getParent());
        makeOwners(path);
        Path made = path.resolve(producer);
        locked(usage -> {
            Path users = makeOwners(users(makeOwners(made)));
            JsonFile.write(users.resolve(user.name()), user);
            write(usage, evict(maxBytes));
        });
        return made;
    }

    private static Path makeOwners(Path folder) throws IOException {
        try {
            Files.createDirectory(folder, OWNERS_FOLDER);
        } catch (FileAlreadyExistsException e) {
            if (!Files.isDirectory(folder, LinkOption.NOFOLLOW_LINKS)) {
                throw e;
            }
        }
        return folder;
    }

    /**
     * Makes room for a file that is about to be written.
     *
     * @return false when the file alone would be larger than the bound
     */
    boolean reserve(long bytes) throws IOException {
        if (bytes > maxBytes) {
            return false;
        }
        locked(usage -> {
            long used = read(usage);
            if (used < 0 || used > maxBytes - bytes) {
                used = evict(maxBytes - bytes);
            }
            write(usage, used + bytes);
        });
        return true;
    }

    private interface Locked {
        void run(FileChannel usage) throws IOException;
    }

    private void locked(Locked action) throws IOException {
        synchronized (LOCK) {
            try (FileChannel usage = FileChannel.open(
                            path.resolve("usage"),
                            Set.of(StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE),
                            OWNERS_FILE);
                    FileLock lock = usage.lock()) {
                action.run(usage);
            }
        }
    }

    /** @return -1 when it is not known */
    private static long read(FileChannel usage) throws IOException {
        ByteBuffer sum = ByteBuffer.allocate(Long.BYTES);
        return usage.read(sum, 0) == Long.BYTES ? sum.getLong(0) : -1;
    }

    private static void write(FileChannel usage, long bytes) throws IOException {
        usage.write(ByteBuffer.allocate(Long.BYTES).putLong(0, bytes), 0);
    }

    /**
     * Deletes files, the least recently used first, until so many bytes are left at most; then some more, so that the
     * next writers need not count again.
     *
     * @return bytes left
     */
    private long evict(long limit) throws IOException {
        List<Cached> cached = cached();
        long used = cached.stream().mapToLong(Cached::bytes).sum();
        if (used <= limit) {
            return used;
        }
        cached.removeIf(file -> file.path.toString().endsWith(ASIDE));
        cached.sort(Comparator.comparing(Cached::used));
        for (Cached file : cached) {
            if (used <= limit - limit / 8) {
                break;
            }
            Files.deleteIfExists(file.path);
            used -= file.bytes;
        }
        return used;
    }

    /** Also deletes what dead writers left. */
    private List<Cached> cached() throws IOException {
        Instant abandoned = Instant.now().minus(ABANDONED);
        List<Cached> cached = new ArrayList<>();
        for (Path producer : producers()) {
            try {
                for (Path file : Folders.list(producer)) {
                    Optional<Cached> entry = entry(file);
                    if (entry.isPresent()
                            && file.toString().endsWith(ASIDE)
                            && entry.get().used.isBefore(abandoned)) {
                        Files.deleteIfExists(file);
                    } else {
                        entry.ifPresent(cached::add);
                    }
                }
            } catch (NoSuchFileException e) {
                // Its last model is gone.
            }
        }
        return cached;
    }

    private static Optional<Cached> entry(Path file) throws IOException {
        try {
            BasicFileAttributes now = Files.readAttributes(file, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
            return now.isRegularFile()
                    ? Optional.of(
                            new Cached(file, now.size(), now.lastModifiedTime().toInstant()))
                    : Optional.empty();
        } catch (NoSuchFileException e) {
            return Optional.empty(); // renamed or deleted since it was listed
        }
    }

    private List<Path> producers() throws IOException {
        return Folders.list(path, entry -> Files.isDirectory(entry, LinkOption.NOFOLLOW_LINKS));
    }

    /**
     * Removes what no model uses any more: the model is gone, or one of its files is gone or another one.
     *
     * @param models says of a model's id whether there is such a model
     */
    public void retain(Predicate<String> models) throws IOException {
        if (!Files.isDirectory(path)) {
            return;
        }
        locked(usage -> {
            for (Path producer : producers()) {
                if (!isUsed(producer, models)) {
                    Folders.delete(producer);
                }
            }
        });
    }

    private static boolean isUsed(Path producer, Predicate<String> models) throws IOException {
        boolean used = false;
        try {
            for (Path file : Folders.list(users(producer))) {
                if (isUser(file, models)) {
                    used = true;
                } else {
                    Files.deleteIfExists(file);
                }
            }
        } catch (NoSuchFileException e) {
            return false;
        }
        return used;
    }

    private static boolean isUser(Path file, Predicate<String> models) {
        try {
            return JsonFile.read(file, User.class)
                    .filter(user -> models.test(user.model) && user.isUnchanged())
                    .isPresent();
        } catch (DamagedFileException | UncheckedIOException e) {
            return false;
        }
    }

    private static Path users(Path producer) {
        return producer.resolve("users");
    }

    /** Removes everything. */
    public void delete() throws IOException {
        Folders.delete(path);
    }
}
