package dev.luq.files;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.core.util.DefaultIndenter;
import com.fasterxml.jackson.core.util.DefaultPrettyPrinter;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JavaType;
import com.fasterxml.jackson.databind.MapperFeature;
import com.fasterxml.jackson.databind.ObjectWriter;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.datatype.jdk8.Jdk8Module;
import com.fasterxml.jackson.datatype.jsr310.JavaTimeModule;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;

/** JSON files that are whole or absent at every moment, also after a power cut. Equal values are equal bytes. */
public final class JsonFile {

    /** Records, optionals, times as ISO 8601 text. */
    public static final JsonMapper JSON = JsonMapper.builder()
            .addModule(new Jdk8Module())
            .addModule(new JavaTimeModule())
            .disable(SerializationFeature.WRITE_DATES_AS_TIMESTAMPS)
            .enable(SerializationFeature.ORDER_MAP_ENTRIES_BY_KEYS)
            .disable(MapperFeature.AUTO_DETECT_IS_GETTERS)
            .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
            .build();

    private static final ObjectWriter PRETTY =
            JSON.writer(new DefaultPrettyPrinter().withObjectIndenter(new DefaultIndenter("  ", "\n")));

    private static final TypeReference<Map<String, Object>> JSON_OBJECT = new TypeReference<>() {};

    private JsonFile() {}

    /** The text that {@link #write} writes. */
    public static byte[] bytes(Object value) {
        try {
            return (PRETTY.writeValueAsString(value) + "\n").getBytes(StandardCharsets.UTF_8);
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException("no JSON: " + value.getClass(), e);
        }
    }

    /** A value as maps, lists, texts and numbers: what comes back when its JSON is read. */
    public static Map<String, Object> plain(Object value) {
        try {
            // Through text: a value converted in memory would keep longs where reading gives integers.
            return JSON.readValue(JSON.writeValueAsString(value), JSON_OBJECT);
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException("no JSON object: " + value.getClass(), e);
        }
    }

    /**
     * Replaces a file.
     *
     * @throws UncheckedIOException when the folder cannot be written
     */
    public static void write(Path file, Object value) {
        write(file, bytes(value));
    }

    /** Replaces a file by these bytes: written aside, forced to the disk, renamed. */
    public static void write(Path file, byte[] bytes) {
        Path partial = file.resolveSibling(file.getFileName() + ".part");
        try {
            AtomicFiles.write(file, partial, bytes);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * @return empty when there is no such file.
     * @throws DamagedFileException when its content is not of this type
     */
    public static <T> Optional<T> read(Path file, Class<T> type) {
        return read(file, JSON.constructType(type));
    }

    /** The same for a generic type. */
    public static <T> Optional<T> read(Path file, JavaType type) {
        try {
            return Optional.of(JSON.readValue(Files.readAllBytes(file), type));
        } catch (NoSuchFileException e) {
            return Optional.empty();
        } catch (JsonProcessingException e) {
            throw new DamagedFileException("The file " + file.getFileName() + " is damaged.", e);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
