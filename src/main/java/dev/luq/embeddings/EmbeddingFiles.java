package dev.luq.embeddings;

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
import java.util.Set;
import java.util.zip.CRC32C;

/**
 * Embeddings of images by one encoder, a file for each, in an {@link EmbeddingFolder}. Numbers are little-endian:
 *
 * <pre>
 * file   := header floats
 * header := "LUQE" version:u32 encoder:32 image:32 length:u64 crc32c:u32
 * </pre>
 *
 * <p>A file is whole or absent, unless the power fails: it is written aside and renamed, and not forced to the disk, which
 * takes long where disks are slow and buys nothing that the checksum does not. One that is not what it should be is
 * removed. What goes wrong with files is logged, and the image is encoded. For one thread.
 */
public final class EmbeddingFiles {

    private static final System.Logger LOG = System.getLogger(EmbeddingFiles.class.getName());

    private static final int MAGIC = 'L' | 'U' << 8 | 'Q' << 16 | 'E' << 24;
    private static final int VERSION = 1;
    private static final int DIGEST_BYTES = 32;
    private static final int HEADER_BYTES = 3 * Integer.BYTES + 2 * DIGEST_BYTES + Long.BYTES;

    private final EmbeddingFolder folder;
    private final EncoderIdentity encoder;
    private final EmbeddingFolder.User user;
    private boolean opened;
    private boolean warned;
    /** Null before it is opened, and when that failed. */
    private Path own;

    private byte[] digest;

    /**
     * Looks at the projector's file as it is now: the encoder must have been opened from it before.
     *
     * @param folder made with the first image
     * @throws UncheckedIOException the projector's file cannot be read
     */
    public EmbeddingFiles(EmbeddingFolder folder, EncoderIdentity encoder) {
        this.folder = folder;
        this.encoder = encoder;
        try {
            this.user = EmbeddingFolder.User.of(encoder.model(), encoder.mmproj());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Reads the projector, whose content is a part of the images' keys: seconds for a large one. Later calls do nothing. */
    public void open() {
        if (opened) {
            return;
        }
        opened = true;
        try {
            String hex = encoder.digest();
            if (!user.isUnchanged()) {
                LOG.log(
                        System.Logger.Level.WARNING,
                        "The mmproj changed while it was served: embeddings of its images are not kept");
                return;
            }
            own = folder.make(hex, user);
            digest = HexFormat.of().parseHex(hex);
        } catch (IOException | UncheckedIOException e) {
            warn("Embeddings of images are not kept", e);
        }
    }

    /**
     * Reads an image's embeddings.
     *
     * @param image its name: whoever knows it gets the embeddings
     * @param target filled from its position to its limit, of which the embeddings have exactly as many bytes
     * @return false when they are not there; the target's content means nothing then
     */
    public boolean read(String image, ByteBuffer target) {
        open();
        if (own == null) {
            return false;
        }
        byte[] name = name(image);
        Path file = file(name);
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ, LinkOption.NOFOLLOW_LINKS)) {
            if (isWhole(channel, name, target)) {
                Files.setLastModifiedTime(file, FileTime.from(Instant.now()));
                return true;
            }
            LOG.log(System.Logger.Level.WARNING, "Embeddings of an image were damaged on the disk and are removed");
            Files.deleteIfExists(file);
        } catch (NoSuchFileException e) {
            LOG.log(System.Logger.Level.DEBUG, "An image was not seen before");
        } catch (IOException e) {
            warn("Embeddings of an image cannot be read", e);
        }
        return false;
    }

    private boolean isWhole(FileChannel channel, byte[] name, ByteBuffer target) throws IOException {
        ByteBuffer floats = target.slice();
        if (channel.size() != HEADER_BYTES + (long) floats.remaining()) {
            return false;
        }
        ByteBuffer header = ByteBuffer.allocate(HEADER_BYTES);
        if (!fill(channel, header) || !fill(channel, floats)) {
            return false;
        }
        return header.flip().equals(header(name, floats.flip()));
    }

    private static boolean fill(FileChannel channel, ByteBuffer buffer) throws IOException {
        while (buffer.hasRemaining()) {
            if (channel.read(buffer) < 0) {
                return false;
            }
        }
        return true;
    }

    /** Of these floats, from position to limit. */
    private ByteBuffer header(byte[] name, ByteBuffer floats) {
        CRC32C checksum = new CRC32C();
        checksum.update(floats.duplicate());
        return ByteBuffer.allocate(HEADER_BYTES)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putInt(MAGIC)
                .putInt(VERSION)
                .put(digest)
                .put(name)
                .putLong(floats.remaining())
                .putInt((int) checksum.getValue())
                .flip();
    }

    /**
     * Keeps an image's embeddings.
     *
     * @param floats from position to limit; not changed
     */
    public void write(String image, ByteBuffer floats) {
        open();
        if (own == null) {
            return;
        }
        byte[] name = name(image);
        Path file = file(name);
        long bytes = HEADER_BYTES + (long) floats.remaining();
        try {
            if (Files.exists(file) || !folder.reserve(bytes)) {
                return;
            }
            Path aside = Files.createTempFile(own, "", EmbeddingFolder.ASIDE, EmbeddingFolder.OWNERS_FILE);
            try {
                write(aside, bytes, header(name, floats), floats.duplicate());
                Files.move(aside, file, StandardCopyOption.ATOMIC_MOVE);
            } finally {
                Files.deleteIfExists(aside);
            }
        } catch (IOException e) {
            warn("Embeddings of an image cannot be kept", e);
        }
    }

    private static void write(Path file, long bytes, ByteBuffer header, ByteBuffer floats) throws IOException {
        try (FileChannel channel =
                FileChannel.open(file, Set.of(StandardOpenOption.WRITE, StandardOpenOption.TRUNCATE_EXISTING))) {
            // As long as it will be, for those who count meanwhile.
            channel.write(ByteBuffer.allocate(1), bytes - 1);
            while (header.hasRemaining()) {
                channel.write(header);
            }
            while (floats.hasRemaining()) {
                channel.write(floats);
            }
        }
    }

    private static byte[] name(String image) {
        return Sha256.bytes(image.getBytes(UTF_8));
    }

    private Path file(byte[] name) {
        return own.resolve(HexFormat.of().formatHex(name));
    }

    /** Once: a full disk would fill the log as well. */
    private void warn(String what, Exception reason) {
        LOG.log(warned ? System.Logger.Level.DEBUG : System.Logger.Level.WARNING, what, reason);
        warned = true;
    }
}
