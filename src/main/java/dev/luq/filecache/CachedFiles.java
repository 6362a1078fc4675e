package dev.luq.filecache;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.luq.files.Sha256;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.HexFormat;
import java.util.OptionalLong;
import java.util.Set;
import java.util.zip.CRC32C;

/**
 * Files that one {@link Producer} made, in a {@link FileCache}. Numbers are little-endian:
 *
 * <pre>
 * file   := header content
 * header := "LUQC" version:u32 producer:32 name:32 length:u64 crc32c:u32
 * </pre>
 *
 * <p>A file is whole or absent, unless the power fails: it is written aside and renamed, and not forced to the disk, which
 * takes long where disks are slow and buys nothing that the checksum does not. One that is not what it should be is
 * removed. What goes wrong with files is logged: whoever asked computes what is not there. Thread-safe.
 */
public final class CachedFiles {

    private static final System.Logger LOG = System.getLogger(CachedFiles.class.getName());

    private static final int MAGIC = 'L' | 'U' << 8 | 'Q' << 16 | 'C' << 24;
    private static final int VERSION = 1;
    private static final int DIGEST_BYTES = 32;
    private static final int HEADER_BYTES = 3 * Integer.BYTES + 2 * DIGEST_BYTES + Long.BYTES;

    private final FileCache cache;
    private final Producer producer;
    private final String content;
    private final FileCache.User user;
    private volatile boolean opened;
    private volatile boolean warned;
    /** Null before it is opened, and when that failed. */
    private volatile Own own;

    /** @param digest of the producer */
    private record Own(Path folder, byte[] digest) {}

    /**
     * Looks at the producer's files as they are now. Call this before they are read by whatever computes: what was made
     * from files that changed since then is not kept.
     *
     * @param cache made with the first file
     * @param content what the files hold, for the log: "embeddings of images"
     * @throws UncheckedIOException a file of the producer is not there
     */
    public CachedFiles(FileCache cache, Producer producer, String content) {
        this.cache = cache;
        this.producer = producer;
        this.content = content;
        try {
            this.user = FileCache.User.of(producer);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Finds out which folder is the producer's: seconds where that takes {@link Producer#digest} long. Later calls do nothing. */
    public synchronized void open() {
        if (opened) {
            return;
        }
        try {
            String hex = producer.digest();
            if (user.isUnchanged()) {
                own = new Own(cache.make(hex, user), HexFormat.of().parseHex(hex));
            } else {
                LOG.log(
                        System.Logger.Level.WARNING,
                        "The model's files changed while it was served: its " + content + " are not kept");
            }
        } catch (IOException | UncheckedIOException e) {
            warn("cannot be kept", e);
        } finally {
            opened = true;
        }
    }

    /** Whether {@link #open} is done, so that other methods do not wait for it. */
    public boolean isOpen() {
        return opened;
    }

    /** Whether there is a file of this name, whole or damaged; false also before {@link #open}. */
    public boolean has(String name) {
        Own folder = own;
        return folder != null && Files.exists(file(folder, name));
    }

    /** Bytes of a file's content; empty when it is not there. */
    public OptionalLong length(String name) {
        open();
        Own folder = own;
        if (folder == null) {
            return OptionalLong.empty();
        }
        try {
            return OptionalLong.of(Math.max(0, Files.size(file(folder, name)) - HEADER_BYTES));
        } catch (NoSuchFileException e) {
            return OptionalLong.empty();
        } catch (IOException e) {
            warn("cannot be read", e);
            return OptionalLong.empty();
        }
    }

    /**
     * Reads a file.
     *
     * @param name whoever knows it gets the content
     * @param target filled from its position to its limit, of which the content has exactly as many bytes
     * @return false when the file is not there; the target's content means nothing then
     */
    public boolean read(String name, ByteBuffer target) {
        open();
        Own folder = own;
        if (folder == null) {
            return false;
        }
        Path file = file(folder, name);
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ, LinkOption.NOFOLLOW_LINKS)) {
            if (isWhole(channel, folder, name, target)) {
                Files.setLastModifiedTime(file, FileTime.from(Instant.now()));
                return true;
            }
            LOG.log(System.Logger.Level.WARNING, "One of the " + content + " was damaged on the disk and is removed");
            Files.deleteIfExists(file);
        } catch (NoSuchFileException e) {
            LOG.log(System.Logger.Level.DEBUG, "One of the " + content + " is asked for and not there");
        } catch (IOException e) {
            warn("cannot be read", e);
        }
        return false;
    }

    private static boolean isWhole(FileChannel channel, Own folder, String name, ByteBuffer target) throws IOException {
        ByteBuffer bytes = target.slice();
        if (channel.size() != HEADER_BYTES + (long) bytes.remaining()) {
            return false;
        }
        ByteBuffer header = ByteBuffer.allocate(HEADER_BYTES);
        if (!fill(channel, header) || !fill(channel, bytes)) {
            return false;
        }
        return header.flip().equals(header(folder, name, bytes.flip()));
    }

    private static boolean fill(FileChannel channel, ByteBuffer buffer) throws IOException {
        while (buffer.hasRemaining()) {
            if (channel.read(buffer) < 0) {
                return false;
            }
        }
        return true;
    }

    /** @param bytes from position to limit */
    private static ByteBuffer header(Own folder, String name, ByteBuffer bytes) {
        CRC32C checksum = new CRC32C();
        checksum.update(bytes.duplicate());
        return ByteBuffer.allocate(HEADER_BYTES)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putInt(MAGIC)
                .putInt(VERSION)
                .put(folder.digest)
                .put(digest(name))
                .putLong(bytes.remaining())
                .putInt((int) checksum.getValue())
                .flip();
    }

    /**
     * Keeps a file, unless there is one of this name.
     *
     * @param bytes from position to limit; not changed
     */
    public void write(String name, ByteBuffer bytes) {
        open();
        Own folder = own;
        if (folder == null) {
            return;
        }
        try {
            try {
                write(folder, name, bytes);
            } catch (NoSuchFileException e) {
                // Another server of the data folder knows no such model, or keeps nothing.
                if (user.isUnchanged()) {
                    cache.make(HexFormat.of().formatHex(folder.digest), user);
                    write(folder, name, bytes);
                }
            }
        } catch (IOException | UncheckedIOException e) {
            warn("cannot be kept", e);
        }
    }

    /** @throws NoSuchFileException when the folder was removed */
    private void write(Own folder, String name, ByteBuffer bytes) throws IOException {
        Path file = file(folder, name);
        long length = HEADER_BYTES + (long) bytes.remaining();
        if (Files.exists(file) || !cache.reserve(length)) {
            return;
        }
        Path aside = Files.createTempFile(folder.folder, "", FileCache.ASIDE, FileCache.OWNERS_FILE);
        try {
            write(aside, length, header(folder, name, bytes), bytes.duplicate());
            Files.move(aside, file, StandardCopyOption.ATOMIC_MOVE);
        } finally {
            Files.deleteIfExists(aside);
        }
    }

    private static void write(Path file, long length, ByteBuffer header, ByteBuffer bytes) throws IOException {
        try (FileChannel channel =
                FileChannel.open(file, Set.of(StandardOpenOption.WRITE, StandardOpenOption.TRUNCATE_EXISTING))) {
            // As long as it will be, for those who count meanwhile.
            channel.write(ByteBuffer.allocate(1), length - 1);
            while (header.hasRemaining()) {
                channel.write(header);
            }
            while (bytes.hasRemaining()) {
                channel.write(bytes);
            }
        }
    }

    /** Removes a file whose content turned out to be of no use. */
    public void remove(String name) {
        Own folder = own;
        try {
            if (folder != null) {
                Files.deleteIfExists(file(folder, name));
            }
        } catch (IOException e) {
            warn("cannot be removed", e);
        }
    }

    private static byte[] digest(String name) {
        return Sha256.bytes(name.getBytes(UTF_8));
    }

    private static Path file(Own folder, String name) {
        return folder.folder.resolve(HexFormat.of().formatHex(digest(name)));
    }

    /** Once: a full disk would fill the log as well. */
    private void warn(String what, Exception reason) {
        LOG.log(
                warned ? System.Logger.Level.DEBUG : System.Logger.Level.WARNING,
                "Files with " + content + " " + what,
                reason);
        warned = true;
    }
}
