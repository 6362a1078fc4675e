package dev.luq;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.luq.admin.AdminConfig;
import dev.luq.catalog.CatalogConfig;
import dev.luq.datasets.SetsConfig;
import dev.luq.decoder.DecoderConfig;
import dev.luq.files.DataConfig;
import dev.luq.http.ApiConfig;
import dev.luq.jobs.JobsConfig;
import dev.luq.openai.images.ImagesConfig;
import dev.luq.serving.WorkerConfig;
import io.smallrye.config.ConfigMapping;
import io.smallrye.config.ConfigMappings.ConfigClass;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What the README says of the code is so, and what it and the pages beside it name is there. */
class ReadmeTest {

    private static final Pattern SETTING = Pattern.compile("\\| `(luq\\.[^`]+)` \\| (?:`([^`]*)`)? ?\\| [^|]+ \\|");
    private static final Pattern LINK = Pattern.compile("\\]\\(([^)#]+)(?:#[^)]*)?\\)");

    @Test
    void theConfigurationTableIsTheConfiguration() throws IOException {
        Map<String, String> settings = new TreeMap<>();
        for (Class<?> type : List.of(CatalogConfig.class, DataConfig.class, WorkerConfig.class, ApiConfig.class, ImagesConfig.class,
                DecoderConfig.class, AdminConfig.class, JobsConfig.class, SetsConfig.class)) {
            ConfigClass.configClass(type, type.getAnnotation(ConfigMapping.class).prefix()).getProperties()
                    .forEach((key, value) -> settings.put(key.replace("*", "\"id\""), Objects.requireNonNullElse(value, "")));
        }
        // A list is named twice, as a whole and by its elements.
        settings.keySet().removeIf(key -> key.endsWith("[\"id\"]"));
        Map<String, String> table = new TreeMap<>();
        try (Stream<String> lines = Files.lines(Path.of("README.md"))) {
            lines.map(SETTING::matcher).filter(Matcher::matches)
                    .forEach(row -> table.put(row.group(1), Objects.requireNonNullElse(row.group(2), "")));
        }
        assertEquals(lines(settings), lines(table));
    }

    @ParameterizedTest
    @ValueSource(strings = {"README.md", "SECURITY.md", "docs/fuzzing.md", "helm/luq-server/README.md", "models/README.md",
            "native/KERNELS.md"})
    void everyFileThatItNamesIsThere(String page) throws IOException {
        Matcher link = LINK.matcher(Files.readString(Path.of(page)));
        while (link.find()) {
            String target = link.group(1);
            assertTrue(target.startsWith("https://") || Files.exists(Path.of(page).resolveSibling(target)), target);
        }
    }

    private static String lines(Map<String, String> settings) {
        return String.join("\n", settings.entrySet().stream().map(Object::toString).toList());
    }
}
