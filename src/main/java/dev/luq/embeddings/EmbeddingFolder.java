package dev.luq.embeddings;

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
import java.nio.file.DirectoryStream;
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
 * The folder in which all workers of a server keep embeddings, for the owner's account alone:
 *
 * <pre>
 * folder  := usage ENCODER/*            ENCODER: EncoderIdentity.digest
 * ENCODER := users/* IMAGE* ASIDE*      IMAGE: one of {@link EmbeddingFiles}; ASIDE: one that is being written
 * users   := which models use the encoder, a {@link User} each
 * usage   := bytes of all images and of those being written, 8 bytes; its lock guards changes of it
 * </pre>
 *
 * <p>The images together take no more than a bound: a writer reserves room first, for which the least recently used ones
 * go. The usage may count too much after a process died, never too little; it is counted anew when room is short. Safe
 * for several processes and threads.
 *
 * @param path made when something is kept
 * @param maxBytes of all images together
 */
public record EmbeddingFolder(Path path, long maxBytes) {

    static final FileAttribute<Set<PosixFilePermission>> OWNERS_FOLDER = permissions("rwx------");
    static final FileAttribute<Set<PosixFilePermission>> OWNERS_FILE = permissions("rw-------");

    /** Ends the name of a file that is being written. */
    static final String ASIDE = ".part";
    /** What has been written for this long is written no more: its writer is gone. */
    private static final Duration ABANDONED = Duration.ofHours(1);

    /** Locks of files are those of a process; this one is for its threads. */
    private static final Object LOCK = new Object();

    /**
     * A model that uses an encoder.
     *
     * @param model its id
     * @param mmproj the projector's file, with size in bytes and time of change in milliseconds as they were
     */
    @RegisterForReflection
    record User(String model, String mmproj, long size, long modified) {

        static User of(String model, Path mmproj) throws IOException {
            BasicFileAttributes now = Files.readAttributes(mmproj, BasicFileAttributes.class);
            return new User(
                    model, mmproj.toString(), now.size(), now.lastModifiedTime().toMillis());
        }

        boolean isUnchanged() {
            try {
                return equals(of(model, Path.of(mmproj)));
            } catch (IOException e) {
                return false;
            }
        }
    }

    /** A file of an image, or one that is being written. */
    private record Image(Path path, long bytes, Instant used) {}

    private static FileAttribute<Set<PosixFilePermission>> permissions(String text) {
        return PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString(text));
    }

    /**
     * Makes the folder of an encoder, with a model that uses it, and sees to it that the bound holds, which may have been
     * a larger one before.
     *
     * @return the folder
     */
    Path make(String encoder, User user) throws IOException {
        Files.createDirectories(path.toAbsolutePath().getParent());
        makeOwners(path);
        Path made = path.resolve(encoder);
        locked(usage -> {
            Path users = makeOwners(users(makeOwners(made)));
            JsonFile.write(users.resolve(Sha256.hex((user.model + "\n" + user.mmproj).getBytes(UTF_8))), user);
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
     * Deletes images, the least recently used first, until so many bytes are left at most; then some more, so that the
     * next writers need not count again.
     *
     * @return bytes left
     */
    private long evict(long limit) throws IOException {
        List<Image> images = images();
        long used = images.stream().mapToLong(Image::bytes).sum();
        if (used <= limit) {
            return used;
        }
        images.removeIf(image -> image.path.toString().endsWith(ASIDE));
        images.sort(Comparator.comparing(Image::used));
        for (Image image : images) {
            if (used <= limit - limit / 8) {
                break;
            }
            Files.deleteIfExists(image.path);
            used -= image.bytes;
        }
        return used;
    }

    /** Also deletes what dead writers left. */
    private List<Image> images() throws IOException {
        Instant abandoned = Instant.now().minus(ABANDONED);
        List<Image> images = new ArrayList<>();
        for (Path encoder : encoders()) {
            try (DirectoryStream<Path> files = Files.newDirectoryStream(encoder)) {
                for (Path file : files) {
                    Optional<Image> image = image(file);
                    if (image.isPresent()
                            && file.toString().endsWith(ASIDE)
                            && image.get().used.isBefore(abandoned)) {
                        Files.deleteIfExists(file);
                    } else {
                        image.ifPresent(images::add);
                    }
                }
            } catch (NoSuchFileException e) {
                // The encoder's model is gone.
            }
        }
        return images;
    }

    private static Optional<Image> image(Path file) throws IOException {
        try {
            BasicFileAttributes now = Files.readAttributes(file, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
            return now.isRegularFile()
                    ? Optional.of(
                            new Image(file, now.size(), now.lastModifiedTime().toInstant()))
                    : Optional.empty();
        } catch (NoSuchFileException e) {
            return Optional.empty(); // renamed or deleted since it was listed
        }
    }

    private List<Path> encoders() throws IOException {
        List<Path> encoders = new ArrayList<>();
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(path)) {
            for (Path entry : entries) {
                if (Files.isDirectory(entry, LinkOption.NOFOLLOW_LINKS)) {
                    encoders.add(entry);
                }
            }
        }
        return encoders;
    }

    /**
     * Removes the images of encoders that no model uses any more: the model is gone, or its projector's file is gone or
     * another one.
     *
     * @param models says of a model's id whether there is such a model
     */
    public void retain(Predicate<String> models) throws IOException {
        if (!Files.isDirectory(path)) {
            return;
        }
        locked(usage -> {
            for (Path encoder : encoders()) {
                if (!isUsed(encoder, models)) {
                    Folders.delete(encoder);
                }
            }
        });
    }

    private static boolean isUsed(Path encoder, Predicate<String> models) throws IOException {
        boolean used = false;
        try (DirectoryStream<Path> users = Files.newDirectoryStream(users(encoder))) {
            for (Path file : users) {
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

    private static Path users(Path encoder) {
        return encoder.resolve("users");
    }

    /** Removes everything. */
    public void delete() throws IOException {
        Folders.delete(path);
    }
}
