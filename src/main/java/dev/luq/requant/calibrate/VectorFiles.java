package dev.luq.requant.calibrate;

import dev.luq.requant.feed.Modality;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;

/**
 * The sampled vectors while they are collected, one file for each layer, activation and modality. Written, not mapped: a
 * full disk is an exception then and not the end of the process, and the pages do not count as the process's memory. Not
 * channels either: an interrupt would close them in the middle of an example.
 */
final class VectorFiles implements AutoCloseable {

    private final Path folder;
    private final ByteBuffer row;
    private final Map<Path, RandomAccessFile> files = new HashMap<>();

    VectorFiles(Path folder, int width) {
        this.folder = folder;
        this.row = ByteBuffer.allocate(width * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    }

    static Path file(Path folder, Activation activation, Modality modality, int layer) {
        return folder.resolve(
                activation.fileName() + "-" + modality.name().toLowerCase(Locale.ROOT) + "-" + layer + ".f32");
    }

    /** @param vector {@code width} floats from its position; not consumed */
    void write(Activation activation, Modality modality, int layer, int slot, FloatBuffer vector) {
        row.asFloatBuffer().put(vector.duplicate());
        try {
            RandomAccessFile file = open(file(folder, activation, modality, layer));
            file.seek((long) slot * row.capacity());
            file.write(row.array());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private RandomAccessFile open(Path path) throws IOException {
        RandomAccessFile file = files.get(path);
        if (file == null) {
            file = new RandomAccessFile(path.toFile(), "rw");
            files.put(path, file);
        }
        return file;
    }

    /** Makes everything durable that was written. */
    void force() throws IOException {
        for (RandomAccessFile file : files.values()) {
            file.getFD().sync();
        }
    }

    @Override
    public void close() throws IOException {
        for (RandomAccessFile file : files.values()) {
            file.close();
        }
    }
}
