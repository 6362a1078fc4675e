package dev.luq.requant.store;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.datatype.jdk8.Jdk8Module;
import com.fasterxml.jackson.datatype.jsr310.JavaTimeModule;
import dev.luq.files.AtomicFiles;
import dev.luq.files.Folders;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/** The store's JSON files. Equal values are equal bytes. */
final class StoreFiles {

    static final ObjectMapper JSON = JsonMapper.builder()
            .addModules(new Jdk8Module(), new JavaTimeModule())
            .configure(SerializationFeature.WRITE_DATES_AS_TIMESTAMPS, false)
            .configure(SerializationFeature.ORDER_MAP_ENTRIES_BY_KEYS, true)
            .configure(SerializationFeature.INDENT_OUTPUT, true)
            .configure(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES, false)
            .build();
    private static final String UNFINISHED = ".tmp";
    /** What headers and folders take beside the data. */
    private static final long SPARE_BYTES = 1 << 16;

    private StoreFiles() {}

    /** An operation on files. */
    interface Operation<T> {
        T run() throws IOException;
    }

    static void write(Path target, Object value) throws IOException {
        Path temporary = target.resolveSibling("." + target.getFileName() + "." + UUID.randomUUID() + UNFINISHED);
        AtomicFiles.write(target, temporary, JSON.writeValueAsBytes(value));
    }

    /** @return empty when there is no such file, or what lies there is not JSON of that type */
    static <T> Optional<T> read(Path file, Class<T> type) throws IOException {
        try {
            return Optional.of(JSON.readValue(Files.readAllBytes(file), type));
        } catch (NoSuchFileException | com.fasterxml.jackson.core.JacksonException e) {
            return Optional.empty();
        }
    }

    static List<Path> list(Path folder, String suffix) throws IOException {
        List<Path> files =
                Folders.list(folder, file -> file.getFileName().toString().endsWith(suffix));
        files.sort(Comparator.naturalOrder());
        return files;
    }

    static boolean isUnfinished(Path file) {
        String name = file.getFileName().toString();
        return name.startsWith(".") && name.endsWith(UNFINISHED);
    }

    /**
     * Runs an operation that writes files.
     *
     * @param folder where it writes
     * @param bytes that it writes, roughly
     * @throws StoreException.NoSpace when there is no room for it
     */
    static <T> T needingSpace(Path folder, long bytes, Operation<T> operation) throws IOException {
        try {
            return operation.run();
        } catch (IOException e) {
            // The system's words for it depend on its language; what failed to fit is gone again.
            boolean full = String.valueOf(e.getMessage()).contains("No space left")
                    || Files.getFileStore(folder).getUsableSpace() < bytes + SPARE_BYTES;
            if (full) {
                throw new StoreException.NoSpace(
                        "The disk is full. Make room on it, for instance by deleting variants, with"
                                + " which all layers go that no other has, and start again: what is complete is kept.",
                        e);
            }
            throw e;
        }
    }
}
