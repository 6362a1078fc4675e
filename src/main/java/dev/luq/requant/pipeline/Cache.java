package dev.luq.requant.pipeline;

import dev.luq.files.DamagedFileException;
import dev.luq.files.JsonFile;
import dev.luq.requant.store.EntryKey;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;

/** Results by the content they were made from. Entries are whole or absent; a damaged one counts as absent. */
final class Cache {

    private final Path root;
    private final String arithmetic;

    /** @param arithmetic of what computes the results; those of another one do not count */
    Cache(Path root, String arithmetic) {
        this.root = root;
        this.arithmetic = arithmetic;
    }

    /**
     * A value, computed unless it is there.
     *
     * @param kind a folder of the cache
     * @param facts everything else that the value depends on, the version of the code's method included
     */
    <T> T value(String kind, List<String> facts, Class<T> type, Supplier<T> compute) {
        Optional<T> known = known(kind, facts, type);
        if (known.isPresent()) {
            return known.get();
        }
        T value = compute.get();
        JsonFile.write(path(kind, facts, ".json"), value);
        return value;
    }

    /** A value if it is there. */
    <T> Optional<T> known(String kind, List<String> facts, Class<T> type) {
        try {
            return JsonFile.read(path(kind, facts, ".json"), type);
        } catch (DamagedFileException e) {
            return Optional.empty();
        }
    }

    /** The file of an entry, which may not exist; its folder does. A writer must make the entry appear whole. */
    Path path(String kind, List<String> facts, String suffix) {
        return folder(root.resolve(kind)).resolve(key(List.of(arithmetic, key(facts))) + suffix);
    }

    static String key(List<String> facts) {
        return EntryKey.of(facts).hex();
    }

    static Path folder(Path folder) {
        try {
            return Files.createDirectories(folder);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
