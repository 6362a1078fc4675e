package dev.luq;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.luq.catalog.CatalogConfig;
import io.smallrye.config.ConfigMapping;
import io.smallrye.config.ConfigMappings.ConfigClass;
import io.smallrye.config.EnvConfigSource;
import io.smallrye.config.SmallRyeConfig;
import io.smallrye.config.SmallRyeConfigBuilder;
import io.smallrye.config.WithDefault;
import io.smallrye.config.WithName;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.stream.Collectors;
import javax.lang.model.element.ElementKind;
import javax.lang.model.element.ExecutableElement;
import javax.lang.model.element.TypeElement;
import javax.lang.model.type.DeclaredType;
import javax.lang.model.type.TypeMirror;
import javax.lang.model.util.ElementFilter;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** docs/configuration.md is what the interfaces of the configuration and their Javadoc say. */
class ConfigurationTest {

    private static final Path PAGE = Path.of("docs/configuration.md");

    private static Sources sources;
    /** By their prefix, {@code luq} first. */
    private static Map<String, List<TypeElement>> mappings;

    /** @param key with {@code "id"} where people choose a name */
    private record Setting(String key, String defaultValue, String description) {

        private String row() {
            String value = defaultValue.isEmpty() ? "" : "`" + defaultValue + "`";
            return "| `" + key + "`<br>`" + variable(key) + "` | " + value + " | " + description.replace("|", "\\|")
                    + " |";
        }
    }

    @BeforeAll
    static void read() throws IOException {
        sources = Sources.containing("@ConfigMapping(");
        mappings = sources.types().stream()
                .filter(type -> type.getAnnotation(ConfigMapping.class) != null)
                .sorted(Comparator.comparing(type -> type.getSimpleName().toString()))
                .collect(Collectors.groupingBy(
                        type -> type.getAnnotation(ConfigMapping.class).prefix(), TreeMap::new, Collectors.toList()));
    }

    @AfterAll
    static void close() throws IOException {
        sources.close();
    }

    @Test
    void thePageIsTheConfiguration() throws IOException {
        StringBuilder page = new StringBuilder();
        mappings.forEach((prefix, types) -> {
            page.append("## ").append(prefix).append("\n\n");
            types.forEach(type ->
                    page.append(sources.description(type, Sources::simpleName)).append("\n\n"));
            page.append("| key, environment variable | default | |\n|---|---|---|\n");
            types.stream().flatMap(type -> settings(type).stream()).forEach(setting -> page.append(setting.row())
                    .append('\n'));
            page.append('\n');
        });
        GeneratedBlock.check(PAGE, "configuration", page.toString());
    }

    /** The page is made of the sources; here is what the server reads. */
    @Test
    void keysAndDefaultsAreThoseThatTheServerReads() throws ClassNotFoundException {
        Map<String, String> read = new TreeMap<>();
        Map<String, String> written = new TreeMap<>();
        for (TypeElement element : all()) {
            Class<?> type = Class.forName(element.getQualifiedName().toString());
            ConfigClass.configClass(
                            type, type.getAnnotation(ConfigMapping.class).prefix())
                    .getProperties()
                    .forEach((key, value) ->
                            read.put(key.replace("*", "\"id\""), Objects.requireNonNullElse(value, "")));
            settings(element).forEach(setting -> written.put(setting.key, setting.defaultValue));
        }
        // A list is named twice, as a whole and by its elements.
        read.keySet().removeIf(key -> key.endsWith("[\"id\"]"));
        assertEquals(read, written);
    }

    @Test
    void everyKeyHasItsVariable() throws ClassNotFoundException {
        Map<String, String> environment = new HashMap<>();
        for (TypeElement type : all()) {
            settings(type).forEach(setting -> environment.put(variable(setting.key), "7"));
        }
        SmallRyeConfig config = new SmallRyeConfigBuilder()
                .withSources(new EnvConfigSource(environment, 300))
                .build();
        for (TypeElement type : all()) {
            settings(type)
                    .forEach(setting ->
                            assertEquals("7", config.getConfigValue(setting.key).getValue(), setting.key));
        }
    }

    @Test
    void aModelMayBeNamedInVariablesAlone() {
        SmallRyeConfig config = new SmallRyeConfigBuilder()
                .withMapping(CatalogConfig.class)
                .withSources(new EnvConfigSource(
                        Map.of("LUQ_MODELS__QWEN__MODEL", "/q.gguf", "LUQ_MODELS__QWEN__DEFAULT", "true"), 300))
                .build();
        CatalogConfig.Model model =
                config.getConfigMapping(CatalogConfig.class).models().get("qwen");
        assertEquals(Path.of("/q.gguf"), model.model());
        assertTrue(model.isDefault());
    }

    @Test
    void everyKeyIsDescribed() {
        all().forEach(type ->
                settings(type).forEach(setting -> assertFalse(setting.description.isEmpty(), setting.key)));
    }

    private static List<TypeElement> all() {
        return mappings.values().stream().flatMap(List::stream).toList();
    }

    private static List<Setting> settings(TypeElement mapping) {
        List<Setting> settings = new ArrayList<>();
        add(settings, mapping, mapping.getAnnotation(ConfigMapping.class).prefix());
        return settings;
    }

    private static void add(List<Setting> settings, TypeElement type, String prefix) {
        Map<String, String> keys = new LinkedHashMap<>();
        for (ExecutableElement method : ElementFilter.methodsIn(type.getEnclosedElements())) {
            WithName name = method.getAnnotation(WithName.class);
            keys.put("#" + method.getSimpleName(), prefix + "." + (name == null ? kebab(method) : name.value()));
        }
        for (ExecutableElement method : ElementFilter.methodsIn(type.getEnclosedElements())) {
            String key = keys.get("#" + method.getSimpleName());
            DeclaredType result = method.getReturnType() instanceof DeclaredType declared ? declared : null;
            if (isGroup(result)) {
                add(settings, (TypeElement) result.asElement(), key);
            } else if (result != null
                    && result.asElement().getSimpleName().contentEquals("Map")
                    && isGroup(result.getTypeArguments().get(1))) {
                add(
                        settings,
                        (TypeElement) ((DeclaredType) result.getTypeArguments().get(1)).asElement(),
                        key + ".\"id\"");
            } else {
                WithDefault value = method.getAnnotation(WithDefault.class);
                settings.add(new Setting(
                        key,
                        value == null ? "" : value.value(),
                        sources.description(
                                method,
                                reference -> keys.containsKey(reference)
                                        ? "`" + keys.get(reference) + "`"
                                        : Sources.simpleName(reference))));
            }
        }
    }

    private static boolean isGroup(TypeMirror type) {
        return type instanceof DeclaredType declared
                && declared.asElement().getKind() == ElementKind.INTERFACE
                && declared.asElement().toString().startsWith(Rooms.BASE + ".");
    }

    private static String kebab(ExecutableElement method) {
        return method.getSimpleName().toString().replaceAll("([A-Z])", "-$1").toLowerCase(Locale.ROOT);
    }

    private static String variable(String key) {
        return key.replaceAll("[^A-Za-z0-9]", "_").toUpperCase(Locale.ROOT);
    }
}
