package dev.luq.protocol;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.lang.reflect.WildcardType;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/**
 * A native executable knows by reflection only the classes that it was told of when it was made. Frames are read and written
 * by reflection, so all of them and what they hold are in a file; {@code -Dpages=write} writes it anew.
 */
class FrameReflectionTest {

    private static final Path FILE =
            Path.of("src/main/resources/META-INF/native-image/dev.luq/luq-server/reflect-config.json");

    private final Map<String, Class<?>> found = new TreeMap<>();

    @Test
    void everyFrameAndWhatItHoldsIsRegistered() throws IOException {
        List.of(ServerFrame.class, WorkerFrame.class, JobFrame.class).forEach(this::add);
        String wanted = found.keySet().stream()
                .map(("{\"name\": \"%s\", \"allDeclaredConstructors\": true, \"allDeclaredFields\": true,"
                        + " \"allDeclaredMethods\": true}")::formatted)
                .collect(Collectors.joining(",\n  ", "[\n  ", "\n]\n"));
        if ("write".equals(System.getProperty("pages"))) {
            Files.createDirectories(FILE.getParent());
            Files.writeString(FILE, wanted, UTF_8);
        }
        assertEquals(wanted, Files.readString(FILE, UTF_8));
    }

    private void add(Class<?> type) {
        if (type.isArray()) {
            add(type.getComponentType());
            return;
        }
        if (!type.getName().startsWith("dev.luq.") || found.put(type.getName(), type) != null) {
            return;
        }
        if (type.isSealed()) {
            List.of(type.getPermittedSubclasses()).forEach(this::add);
        }
        if (type.isRecord()) {
            for (RecordComponent component : type.getRecordComponents()) {
                add(component.getGenericType());
            }
        }
    }

    private void add(Type type) {
        if (type instanceof Class<?> one) {
            add(one);
        } else if (type instanceof ParameterizedType generic) {
            add(generic.getRawType());
            List.of(generic.getActualTypeArguments()).forEach(this::add);
        } else if (type instanceof WildcardType wildcard) {
            List.of(wildcard.getUpperBounds()).forEach(this::add);
        }
    }
}
