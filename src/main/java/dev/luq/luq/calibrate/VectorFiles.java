package dev.luq.luq.calibrate;

import dev.luq.luq.feed.Modality;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;

/**
 * The sampled vectors while they are collected, one file for each layer, activation and modality. Written, not mapped: a
 * full disk is an exception then and not the end of the process, and the pages do not count as the process's memory.
 */
final class VectorFiles implements AutoCloseable {

    private final Path folder;
    private final int width;
    private final ByteBuffer row;
    private final Map<Path, FileChannel> channels = new HashMap<>();

    VectorFiles(Path folder, int width) {
        this.folder = folder;
        this.width = width;
        this.row = ByteBuffer.allocateDirect(width * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    }

    static Path file(Path folder, Activation activation, Modality modality, int layer) {
        return folder.resolve(activation.fileName() + "-" + modality.name().toLowerCase(Locale.ROOT) + "-" + layer + ".f32");
    }

    /** @param vector {@code width} floats from its position; not consumed */
    void write(Activation activation, Modality modality, int layer, int slot, FloatBuffer vector) {
        row.clear();
        row.asFloatBuffer().put(vector.duplicate());
        try {
            FileChannel channel = channel(file(folder, activation, modality, layer));
            long position = (long) slot * width * Float.BYTES;
            while (row.hasRemaining()) {
                position += channel.write(row, position);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private FileChannel channel(Path file) throws IOException {
        FileChannel channel = channels.get(file);
        if (channel == null) {
            channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
            channels.put(file, channel);
        }
        return channel;
    }

    /** Makes everything durable that was written. */
    void force() throws IOException {
        for (FileChannel channel : channels.values()) {
            channel.force(false);
        }
    }

    @Override
    public void close() throws IOException {
        for (FileChannel channel : channels.values()) {
            channel.close();
        }
    }
}
