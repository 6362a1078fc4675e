package dev.luq.helm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.marcnuri.helm.Helm;
import com.marcnuri.helm.LintCommand;
import com.marcnuri.helm.LintResult;
import dev.luq.Integration;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** The chart by itself: lint, schema, documentation and version. */
@Integration
class ChartLintTest {

    /** Kubernetes' own objects, explained as a whole. */
    private static final Set<String> WHOLE = Set.of(
            "resources",
            "smallResources",
            "requantization.resources",
            "podSecurityContext",
            "securityContext",
            "autoscaling.behavior",
            "httpRoute.timeouts",
            "dashboard.labels");

    private static final Pattern ROW = Pattern.compile("^\\| `([A-Za-z.]+)` \\| (?:`(.*?)`|as in values\\.yaml) \\|");

    @Test
    void lintFindsNothing() {
        LintCommand lint =
                new Helm(Chart.DIRECTORY.toAbsolutePath()).lint().strict().quiet();
        LintResult result = lint.call();
        assertFalse(result.isFailed(), () -> String.join("\n", result.getMessages()));
    }

    @Test
    void readmeExplainsExactlyTheValuesAndTheirDefaults() throws IOException {
        Map<String, String> defaults = new TreeMap<>();
        flatten("", Chart.values(), defaults);
        Map<String, String> documented = new TreeMap<>();
        for (String line : Files.readAllLines(Chart.DIRECTORY.resolve("README.md"))) {
            Matcher row = ROW.matcher(line);
            if (row.find()) {
                String name = row.group(1);
                documented.put(name, row.group(2) == null ? defaults.get(name) : row.group(2));
            }
        }
        assertEquals(defaults, documented);
    }

    @Test
    void schemaKnowsExactlyTheValues() throws IOException {
        JsonNode schema = new ObjectMapper()
                .readTree(Chart.DIRECTORY.resolve("values.schema.json").toFile());
        assertFalse(schema.path("additionalProperties").asBoolean(true));
        Set<String> properties = names(schema.path("properties"));
        assertTrue(properties.remove("global"));
        assertEquals(names(Chart.values()), properties);
    }

    @Test
    void appVersionIsTheVersionOfTheApplication() throws IOException {
        Matcher version = Pattern.compile("<artifactId>luq-server</artifactId>\\s*<version>([^<]+)</version>")
                .matcher(Files.readString(Path.of("pom.xml")));
        assertTrue(version.find());
        assertEquals(
                version.group(1),
                Chart.yaml(Chart.DIRECTORY.resolve("Chart.yaml"))
                        .path("appVersion")
                        .asText());
    }

    private static Set<String> names(JsonNode object) {
        Set<String> names = new TreeSet<>();
        object.fieldNames().forEachRemaining(names::add);
        return names;
    }

    private static void flatten(String prefix, JsonNode node, Map<String, String> leaves) {
        node.properties().forEach(field -> {
            String name = prefix + field.getKey();
            JsonNode value = field.getValue();
            if (value.isObject() && !value.isEmpty() && !WHOLE.contains(name)) {
                flatten(name + ".", value, leaves);
            } else {
                leaves.put(name, value.toString());
            }
        });
    }
}
