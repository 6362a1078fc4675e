package dev.luq.requant.store;

import dev.luq.files.Sha256;
import dev.luq.gguf.Gguf;
import dev.luq.gguf.GgufException;
import dev.luq.gguf.GgufTensor;
import dev.luq.gguf.GgufValue;
import dev.luq.gguf.ModelFiles;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.LongConsumer;

/**
 * What a base model's files contain, by content. Reading all of a file once takes time; the digests are kept in the
 * store for as long as path, size, time of change and inode of the file are the same.
 *
 * @param id SHA-256 over metadata and all tensors, hexadecimal: equal for equal models however they are split
 * @param metadata SHA-256 over the keys and values of the first part, without those of the split
 * @param tensors SHA-256 of each tensor's data, by name
 */
public record Fingerprint(String id, String metadata, SortedMap<String, String> tensors) {

    private static final int BUFFER_BYTES = 1 << 20;

    /** What is kept of one file. */
    private record Digests(Map<String, String> tensors) {}

    /**
     * @param progress gets the number of bytes read, now and then; what it throws ends the reading
     * @throws GgufException.Truncated when a file becomes shorter meanwhile
     * @throws IOException when a file cannot be read or changes meanwhile
     */
    public static Fingerprint of(ModelFiles model, LayerStore store, LongConsumer progress) throws IOException {
        SortedMap<String, String> tensors = new TreeMap<>();
        for (int i = 0; i < model.paths().size(); i++) {
            tensors.putAll(digests(model.paths().get(i), model.parts().get(i), store, progress));
        }
        String metadata = metadata(model.first());
        List<String> facts = new ArrayList<>(List.of(metadata));
        model.parts().stream()
                .flatMap(part -> part.tensors().stream())
                .sorted((a, b) -> a.name().compareTo(b.name()))
                .forEach(tensor -> facts.addAll(List.of(tensor.toString(), tensors.get(tensor.name()))));
        return new Fingerprint(EntryKey.of(facts).hex(), metadata, tensors);
    }

    /**
     * What tells that a file was replaced or written to, without reading it: path, size, time of change and inode of each
     * file.
     */
    public static String stamp(ModelFiles model) throws IOException {
        StringBuilder stamp = new StringBuilder();
        for (Path file : model.paths()) {
            stamp.append(identity(file)).append('\n');
        }
        return stamp.toString();
    }

    private static Map<String, String> digests(Path file, Gguf gguf, LayerStore store, LongConsumer progress)
            throws IOException {
        String identity = identity(file);
        Path cached = store.sources().resolve(EntryKey.of(List.of(identity)).hex() + ".json");
        Optional<Map<String, String>> known = StoreFiles.read(cached, Digests.class)
                .map(Digests::tensors)
                .filter(tensors ->
                        tensors != null && gguf.tensors().stream().allMatch(t -> tensors.containsKey(t.name())));
        if (known.isPresent()) {
            return known.get();
        }
        SortedMap<String, String> tensors = new TreeMap<>();
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            for (GgufTensor tensor : gguf.tensors()) {
                tensors.put(tensor.name(), digest(channel, gguf.offset(tensor.name()), tensor.bytes()));
                progress.accept(tensor.bytes());
            }
        }
        if (!identity(file).equals(identity)) {
            throw new IOException("the file changed while it was read");
        }
        StoreFiles.needingSpace(store.sources(), 0, () -> {
            StoreFiles.write(cached, new Digests(tensors));
            return null;
        });
        return tensors;
    }

    private static String digest(FileChannel channel, long offset, long bytes) throws IOException {
        MessageDigest digest = Sha256.create();
        ByteBuffer buffer = ByteBuffer.allocateDirect((int) Math.min(BUFFER_BYTES, Math.max(1, bytes)));
        long done = 0;
        while (done < bytes) {
            buffer.clear().limit((int) Math.min(buffer.capacity(), bytes - done));
            int read = channel.read(buffer, offset + done);
            if (read < 0) {
                throw new GgufException.Truncated("The file became shorter while it was read.");
            }
            digest.update(buffer.flip());
            done += read;
        }
        return Sha256.hex(digest);
    }

    private static String identity(Path file) throws IOException {
        BasicFileAttributes attributes = Files.readAttributes(file, BasicFileAttributes.class);
        return file.toRealPath() + " " + attributes.size() + " "
                + attributes.lastModifiedTime().toInstant() + " " + attributes.fileKey();
    }

    private static String metadata(Gguf gguf) {
        List<String> facts = new ArrayList<>();
        gguf.metadata().forEach((key, value) -> {
            if (!key.startsWith("split.")) {
                facts.add(key);
                facts.add(
                        value instanceof GgufValue.Array array ? array + Sha256.hex(array.bytes()) : value.toString());
            }
        });
        return EntryKey.of(facts).hex();
    }
}
