package dev.luq.gguf;

import dev.luq.files.AtomicFiles;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;

/**
 * Writes one GGUF version 3 file, tensor data streamed in the table's order. The data goes to a temporary file beside
 * the target; {@link #commit()} makes it durable and renames it, so that a reader sees the old file or the whole new
 * one, also after a power cut. Closing without a commit removes the temporary file. Not thread-safe.
 */
public final class GgufWriter implements AutoCloseable {

    private static final int VERSION = 3;

    private final Path target;
    private final Path temporary;
    private final FileChannel channel;
    private final List<GgufTensor> tensors;
    private final int alignment;
    private final Optional<MessageDigest> digest;
    private int next;
    private long missing;

    /**
     * Writes header, metadata and tensor table.
     *
     * @param target replaced if it exists; its directory must exist
     * @param metadata {@code general.alignment} is honoured
     * @param tensors the table, names distinct
     * @throws GgufException.Malformed when a reader would refuse the result
     */
    public static GgufWriter create(Path target, Map<String, GgufValue> metadata, List<GgufTensor> tensors)
            throws IOException {
        return create(target, metadata, tensors, Optional.empty());
    }

    /**
     * Writes header, metadata and tensor table.
     *
     * @param digest is given every byte of the file in order; complete after {@link #commit}
     * @see #create(Path, Map, List)
     */
    public static GgufWriter create(
            Path target, Map<String, GgufValue> metadata, List<GgufTensor> tensors, Optional<MessageDigest> digest)
            throws IOException {
        int alignment = GgufReader.alignment(metadata);
        byte[] head = head(metadata, tensors, alignment);
        Path absolute = target.toAbsolutePath();
        Path temporary = absolute.resolveSibling("." + absolute.getFileName() + "." + UUID.randomUUID() + ".tmp");
        FileChannel channel = FileChannel.open(temporary, StandardOpenOption.WRITE, StandardOpenOption.CREATE_NEW);
        GgufWriter writer = new GgufWriter(absolute, temporary, channel, tensors, alignment, digest);
        try {
            writer.writeFully(ByteBuffer.wrap(head));
            return writer;
        } catch (IOException | RuntimeException e) {
            writer.close();
            throw e;
        }
    }

    private GgufWriter(
            Path target,
            Path temporary,
            FileChannel channel,
            List<GgufTensor> tensors,
            int alignment,
            Optional<MessageDigest> digest) {
        this.target = target;
        this.temporary = temporary;
        this.channel = channel;
        this.tensors = List.copyOf(tensors);
        this.alignment = alignment;
        this.digest = digest;
    }

    private static byte[] head(Map<String, GgufValue> metadata, List<GgufTensor> tensors, int alignment) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        GgufEncoder.u32(out, GgufReader.MAGIC);
        GgufEncoder.u32(out, VERSION);
        GgufEncoder.u64(out, tensors.size());
        GgufEncoder.u64(out, metadata.size());
        metadata.forEach((key, value) -> {
            GgufReader.checkKey(key);
            GgufEncoder.string(out, key);
            GgufEncoder.value(out, value);
        });
        Set<String> names = new HashSet<>();
        long offset = 0;
        for (GgufTensor tensor : tensors) {
            if (!names.add(tensor.name())) {
                throw new GgufException.Malformed("Tensor " + tensor.name() + " appears twice.");
            }
            GgufEncoder.string(out, tensor.name());
            GgufEncoder.u32(out, tensor.shape().size());
            tensor.shape().forEach(extent -> GgufEncoder.u64(out, extent));
            GgufEncoder.u32(out, tensor.type().id());
            GgufEncoder.u64(out, offset);
            offset = GgufReader.pad(offset + tensor.bytes(), alignment);
        }
        return out.toByteArray();
    }

    /**
     * Starts the data of the next tensor of the table.
     *
     * @param name of that tensor
     * @throws IllegalStateException when it is another one's turn, or the tensor before is not complete
     */
    public void begin(String name) throws IOException {
        requireComplete();
        if (next == tensors.size() || !tensors.get(next).name().equals(name)) {
            throw new IllegalStateException("not the turn of tensor " + name);
        }
        padFile();
        missing = tensors.get(next).bytes();
        next++;
    }

    /**
     * Appends data to the tensor begun last.
     *
     * @param data consumed up to its limit
     * @throws IllegalStateException when the tensor takes fewer bytes
     */
    public void write(ByteBuffer data) throws IOException {
        if (data.remaining() > missing) {
            throw new IllegalStateException("more data than the tensor takes");
        }
        missing -= data.remaining();
        writeFully(data);
    }

    /**
     * Makes the file durable and visible under its name.
     *
     * @throws IllegalStateException when data is missing
     */
    public void commit() throws IOException {
        requireComplete();
        if (next != tensors.size()) {
            throw new IllegalStateException(
                    "no data for tensor " + tensors.get(next).name());
        }
        padFile();
        channel.close();
        AtomicFiles.commit(target, temporary);
    }

    /** Removes the temporary file unless it was committed. Idempotent. */
    @Override
    public void close() throws IOException {
        channel.close();
        Files.deleteIfExists(temporary);
    }

    private void requireComplete() {
        if (missing != 0) {
            throw new IllegalStateException(missing + " bytes missing of tensor "
                    + tensors.get(next - 1).name());
        }
    }

    private void padFile() throws IOException {
        long position = channel.position();
        writeFully(ByteBuffer.allocate((int) (GgufReader.pad(position, alignment) - position)));
    }

    private void writeFully(ByteBuffer data) throws IOException {
        digest.ifPresent(d -> d.update(data.duplicate()));
        while (data.hasRemaining()) {
            channel.write(data);
        }
    }
}
