package dev.luq.helm;

import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.MappingIterator;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import com.marcnuri.helm.DryRun;
import com.marcnuri.helm.Helm;
import com.marcnuri.helm.InstallCommand;
import com.marcnuri.helm.TemplateCommand;
import java.io.IOException;
import java.io.StringReader;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import java.util.Set;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;

/** The chart of this repository, rendered by the embedded Helm. */
final class Chart {

    static final Path DIRECTORY = Path.of("helm", "luq-server");
    static final Path FULL_VALUES = Path.of("src", "test", "resources", "helm", "full-values.yaml");

    private static final String KUBERNETES = "1.33.0";
    private static final Set<String> WORKLOADS = Set.of("Deployment", "StatefulSet", "DaemonSet");

    private static final YAMLMapper YAML = new YAMLMapper(YAMLFactory.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .build());
    private static final Path WITHOUT_HOOKS = copyWithoutHooks();

    static {
        Cluster.start();
    }

    private Chart() {}

    /** The objects of one rendering. */
    record Rendered(List<JsonNode> objects) {

        /** The only object of a kind; the pod is that of {@code helm test}. */
        JsonNode only(String kind) {
            List<JsonNode> found = all(kind);
            if (found.size() != 1) {
                throw new AssertionError(found.size() + " objects of kind " + kind);
            }
            return found.get(0);
        }

        List<JsonNode> all(String kind) {
            return objects.stream()
                    .filter(object -> object.path("kind").asText().equals(kind))
                    .toList();
        }

        /** The pods of the server, whatever runs them. */
        JsonNode podTemplate() {
            return objects.stream()
                    .filter(object -> WORKLOADS.contains(object.path("kind").asText()))
                    .findFirst()
                    .orElseThrow(() -> new AssertionError("nothing runs the server"))
                    .at("/spec/template");
        }

        JsonNode podSpec() {
            return podTemplate().path("spec");
        }

        JsonNode container() {
            return podSpec().at("/containers/0");
        }

        /** The value of a variable of the server. */
        String environment(String name) {
            return named(container().path("env"), name).path("value").asText();
        }

        boolean hasEnvironment(String name) {
            return stream(container().path("env"))
                    .anyMatch(entry -> entry.path("name").asText().equals(name));
        }

        /** What is mounted in the server's container at a path. */
        JsonNode mount(String mountPath) {
            return stream(container().path("volumeMounts"))
                    .filter(mount -> mount.path("mountPath").asText().equals(mountPath))
                    .findFirst()
                    .orElseThrow(() -> new AssertionError("nothing is mounted at " + mountPath));
        }

        JsonNode volume(String mountPath) {
            return named(
                    podSpec().path("volumes"), mount(mountPath).path("name").asText());
        }

        /** What the server reads as its properties. */
        Properties properties() {
            JsonNode file = all("ConfigMap").stream()
                    .map(map -> map.path("data").path("application.properties"))
                    .filter(JsonNode::isTextual)
                    .findFirst()
                    .orElseThrow(() -> new AssertionError("no application.properties"));
            Properties properties = new Properties();
            try {
                properties.load(new StringReader(file.asText()));
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
            return properties;
        }
    }

    /** The element of an array with a name. */
    static JsonNode named(JsonNode array, String name) {
        return stream(array)
                .filter(element -> element.path("name").asText().equals(name))
                .findFirst()
                .orElseThrow(() -> new AssertionError("no " + name + " in " + array));
    }

    static Stream<JsonNode> stream(JsonNode array) {
        return StreamSupport.stream(array.spliterator(), false);
    }

    /** Whether a selector of labels takes an object with these labels; an empty one takes none here. */
    static boolean selects(JsonNode selector, JsonNode labels) {
        return !selector.isEmpty()
                && selector.properties().stream()
                        .allMatch(entry -> entry.getValue().equals(labels.path(entry.getKey())));
    }

    static Rendered render() {
        return render("luq", "");
    }

    /** @param values YAML, as in a values file */
    static Rendered render(String values) {
        return render("luq", values);
    }

    static Rendered render(String release, String values) {
        return parse(template(release, withFile(values), KUBERNETES));
    }

    /** @param kubernetes version of the cluster */
    static Rendered renderOn(String kubernetes, String values) {
        return parse(template("luq", withFile(values), kubernetes));
    }

    static Rendered renderFull() {
        return renderFile(FULL_VALUES);
    }

    static Rendered renderFile(Path values) {
        return renderFileOn(KUBERNETES, values);
    }

    static Rendered renderFileOn(String kubernetes, Path values) {
        return parse(template("luq", values, kubernetes));
    }

    /** What Helm answers to values that it must refuse. */
    static String refusal(String values) {
        return refusalOn(KUBERNETES, values);
    }

    static String refusalOn(String kubernetes, String values) {
        Path file = withFile(values);
        try {
            template("luq", file, kubernetes);
        } catch (RuntimeException refused) {
            return refused.getMessage();
        }
        throw new AssertionError("Helm accepted:\n" + values);
    }

    /** What {@code helm install} tells the person who ran it. */
    static String notes(String values) {
        InstallCommand command = new Helm(DIRECTORY.toAbsolutePath())
                .install()
                .withName("luq")
                .withNamespace(Cluster.NAMESPACE)
                .withKubeVersion(KUBERNETES)
                .clientOnly()
                .dryRun()
                .withDryRunOption(DryRun.CLIENT)
                .debug()
                .withValuesFile(withFile(values));
        String output = command.call().getOutput();
        return output.substring(output.indexOf("\nNOTES:\n"));
    }

    static JsonNode values() {
        return yaml(DIRECTORY.resolve("values.yaml"));
    }

    static JsonNode yaml(Path file) {
        try {
            return YAML.readTree(Files.readString(file));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String template(String release, Path values, String kubernetes) {
        TemplateCommand command = new Helm(WITHOUT_HOOKS)
                .template()
                .withName(release)
                .withNamespace(Cluster.NAMESPACE)
                .withKubeVersion(kubernetes)
                .withValuesFile(values);
        return command.call();
    }

    /** TemplateCommand leaves hooks out, and {@code helm test} is one: as an ordinary pod it is rendered too. */
    private static Path copyWithoutHooks() {
        try (Stream<Path> files = Files.walk(DIRECTORY)) {
            Path copy =
                    Files.createDirectories(Files.createTempDirectory("helm").resolve("luq-server"));
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                Path target = copy.resolve(DIRECTORY.relativize(file).toString());
                Files.createDirectories(target.getParent());
                Files.writeString(
                        target,
                        Files.readString(file).replaceAll("(?m)^ +annotations:\\R(?: +helm\\.sh/hook.*\\R)+", ""));
            }
            return copy;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Path withFile(String values) {
        try {
            Path file = Files.createTempFile("values", ".yaml");
            file.toFile().deleteOnExit();
            return Files.writeString(file, values);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Rendered parse(String manifest) {
        try (MappingIterator<JsonNode> documents =
                YAML.readerFor(JsonNode.class).readValues(manifest)) {
            List<JsonNode> objects = new ArrayList<>();
            documents.forEachRemaining(document -> {
                if (document.has("kind")) {
                    StrictObjects.require(document);
                    objects.add(document);
                }
            });
            return new Rendered(objects);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
