package dev.luq.gguf;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * What one GGUF file says: everything but the tensor data. Immutable, and consistent with the file it was read from:
 * each tensor's data lies inside the file and no two overlap.
 */
public final class Gguf {

    static final String ALIGNMENT_KEY = "general.alignment";
    static final int DEFAULT_ALIGNMENT = 32;

    private final int version;
    private final Map<String, GgufValue> metadata;
    private final Map<String, Placed> tensors;
    private final long dataOffset;

    private record Placed(GgufTensor tensor, long offset) {}

    /** @param offsets of the tensors' data, from the start of the file, in the tensors' order */
    Gguf(int version, Map<String, GgufValue> metadata, List<GgufTensor> tensors, List<Long> offsets, long dataOffset) {
        this.version = version;
        this.metadata = metadata;
        this.tensors = new LinkedHashMap<>();
        for (int i = 0; i < tensors.size(); i++) {
            this.tensors.put(tensors.get(i).name(), new Placed(tensors.get(i), offsets.get(i)));
        }
        this.dataOffset = dataOffset;
    }

    /**
     * Reads and checks a file's header, metadata and tensor table against the file's size. Tensor data is not read.
     *
     * @throws GgufException when the file is not a well-formed GGUF of a known version
     * @throws IOException when the file cannot be read; its message may name the path
     */
    public static Gguf read(Path file) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            return new GgufReader(channel, channel.size()).read();
        }
    }

    /** 2 or 3. */
    public int version() {
        return version;
    }

    /** In the file's order, unmodifiable. */
    public Map<String, GgufValue> metadata() {
        return Collections.unmodifiableMap(metadata);
    }

    /** In the file's order. */
    public List<GgufTensor> tensors() {
        return tensors.values().stream().map(Placed::tensor).toList();
    }

    public Optional<GgufTensor> tensor(String name) {
        return Optional.ofNullable(tensors.get(name)).map(Placed::tensor);
    }

    /**
     * Where a tensor's {@link GgufTensor#bytes()} start, in bytes from the start of the file.
     *
     * @throws IllegalArgumentException when there is no such tensor
     */
    public long offset(String name) {
        Placed placed = tensors.get(name);
        if (placed == null) {
            throw new IllegalArgumentException("no tensor " + name);
        }
        return placed.offset();
    }

    /** Where the first tensor's data starts, in bytes from the start of the file. */
    public long dataOffset() {
        return dataOffset;
    }

    /** The text of a key; empty when it is absent or of another type. */
    public Optional<String> text(String key) {
        return metadata.get(key) instanceof GgufValue.Text text ? Optional.of(text.value()) : Optional.empty();
    }

    /** The value of an integer key of any width; empty when it is absent or of another type. */
    public OptionalLong integer(String key) {
        return metadata.get(key) instanceof GgufValue.Int value ? OptionalLong.of(value.value()) : OptionalLong.empty();
    }

    /** Whether a boolean key is there and true. */
    public boolean flag(String key) {
        return metadata.get(key) instanceof GgufValue.Bool value && value.value();
    }

    /** Number of weights in this file. */
    public long parameters() {
        return tensors.values().stream().mapToLong(p -> p.tensor().elements()).sum();
    }

    /** Bytes of the tensor data in this file, without padding. */
    public long tensorBytes() {
        return tensors.values().stream().mapToLong(p -> p.tensor().bytes()).sum();
    }
}
