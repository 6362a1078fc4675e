package dev.luq;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What the pages link to and name is there. */
class PagesTest {

    private static final int LONGEST_README = 150;
    private static final Set<String> NOT_OURS = Set.of(".git", "target", ".work", "node_modules");
    private static final Pattern LINK = Pattern.compile("\\]\\(([^)\\s]+)\\)");
    private static final Pattern FENCE = Pattern.compile("(?ms)^```.*?^```$");
    private static final Pattern CODE = Pattern.compile("`([^`\n]+)`");
    private static final Pattern HEADING = Pattern.compile("(?m)^#+ (.+)$");
    /** A class, or a class and what it declares. */
    private static final Pattern CLASS = Pattern.compile("([A-Z]\\w*[a-z]\\w*)(?:\\.(\\w+))?");

    private static final Pattern FILE = Pattern.compile("(?:(?:src|bench|native|models|docs|helm)/|\\.ci/)[\\w./-]+");
    private static final Pattern KEY = Pattern.compile("luq\\.(?:worker|api|images|admin|jobs|sets)\\.[a-z.-]+[a-z]");

    static List<Path> pages() throws IOException {
        try (Stream<Path> all = Files.walk(Path.of(""))) {
            return all.filter(file -> file.toString().endsWith(".md"))
                    .filter(file -> Stream.of(file.toString().split("/")).noneMatch(NOT_OURS::contains))
                    .sorted()
                    .toList();
        }
    }

    @ParameterizedTest
    @MethodSource("pages")
    void everyLinkLeadsSomewhere(Path page) throws IOException {
        List<String> broken = new ArrayList<>();
        for (MatchResult link :
                found(LINK, FENCE.matcher(Files.readString(page)).replaceAll(""))) {
            String[] target = link.group(1).split("#", 2);
            if (!target[0].startsWith("https://")) {
                Path file = target[0].isEmpty()
                        ? page
                        : page.resolveSibling(target[0]).normalize();
                if (!Files.exists(file) || target.length > 1 && !anchors(file).contains(target[1])) {
                    broken.add(link.group(1));
                }
            }
        }
        assertEquals(List.of(), broken);
    }

    /** Anchors of a page's headings, as the hosts of repositories make them. */
    private static Set<String> anchors(Path page) throws IOException {
        return found(HEADING, FENCE.matcher(Files.readString(page)).replaceAll("")).stream()
                .map(heading -> heading.group(1)
                        .replaceAll("\\[([^]]*)\\]\\([^)]*\\)", "$1")
                        .toLowerCase(Locale.ROOT)
                        .replaceAll("[^\\w\\- ]", "")
                        .replace(' ', '-'))
                .collect(Collectors.toSet());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "README.md",
                "ARCHITECTURE.md",
                "CONTRIBUTING.md",
                "docs/api.md",
                "docs/clients.md",
                "docs/luq-measured.md",
                "docs/measured.md",
                "docs/public-reports.md"
            })
    void everyClassFileAndKeyThatItNamesIsThere(String page) throws IOException {
        Map<String, String> classes = classes();
        String keys = Files.readString(Path.of("docs/configuration.md"));
        Set<String> missing = new TreeSet<>();
        for (MatchResult code :
                found(CODE, FENCE.matcher(Files.readString(Path.of(page))).replaceAll(""))) {
            String name = code.group(1);
            found(CLASS, name).stream()
                    .filter(one -> one.group().equals(name))
                    .filter(one -> !isThere(one, classes) && !Files.exists(Path.of(name)))
                    .forEach(one -> missing.add(name));
            found(FILE, name).stream()
                    .filter(file -> file.group().equals(name) && !Files.exists(Path.of(name)))
                    .forEach(file -> missing.add(name));
            found(KEY, name).stream()
                    .filter(key -> !keys.contains("`" + key.group() + "`"))
                    .forEach(key -> missing.add(name));
        }
        assertEquals(Set.of(), missing);
    }

    private static boolean isThere(MatchResult name, Map<String, String> classes) {
        String source = classes.get(name.group(1));
        return source != null
                && (name.group(2) == null
                        || Pattern.compile("\\b" + name.group(2) + "\\b")
                                .matcher(source)
                                .find());
    }

    /** Sources by the simple names of their top-level classes. */
    private static Map<String, String> classes() throws IOException {
        Map<String, String> classes = new HashMap<>();
        for (String root : List.of(
                "src/main/java",
                "src/test/java",
                "bench/src/main/java",
                "bench/src/test/java",
                "native/src/main/java")) {
            try (Stream<Path> files = Files.walk(Path.of(root))) {
                files.filter(file -> file.toString().endsWith(".java"))
                        .forEach(file -> classes.merge(
                                file.getFileName().toString().replace(".java", ""),
                                Sources.read(file),
                                String::concat));
            }
        }
        return classes;
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "openai-python       | src/test/clients/requirements.txt               | ^openai==",
                "anthropic (Python)  | src/test/clients/requirements.txt               | ^anthropic==",
                "LiteLLM             | src/test/clients/requirements.txt               | ^litellm==",
                "langchain-openai    | src/test/clients/requirements.txt               | ^langchain-openai==",
                "instructor          | src/test/clients/requirements.txt               | ^instructor==",
                "openai-node         | src/test/clients/package-lock.json              | \"node_modules/openai\"[^.]*",
                "Vercel AI SDK       | src/test/clients/package-lock.json              | \"node_modules/ai\"[^.]*",
                "quarkus-langchain4j | docs/examples/quarkus-langchain4j/pom.xml       | <quarkus-langchain4j.version>",
                "openai-java         | pom.xml                                         | <openai-java.version>",
                "anthropic-java      | pom.xml                                         | <anthropic-java.version>"
            })
    void clientsHaveTheVersionsThatAreTried(String client, Path pins, String before) throws IOException {
        String version = found(Pattern.compile("(?m)" + before + "(?<![\\d.])(\\d+(\\.\\d+)+)"), Files.readString(pins))
                .get(0)
                .group(1);
        assertTrue(
                Files.readString(Path.of("docs/clients.md")).contains("| " + client + " | " + version + " |"),
                client + " is tried in version " + version);
    }

    @Test
    void theReadmeIsShort() throws IOException {
        long lines = Files.readString(Path.of("README.md")).lines().count();
        assertTrue(
                lines <= LONGEST_README,
                "README.md has " + lines + " lines, at most " + LONGEST_README
                        + " are read: move what is not for everybody to docs/");
    }

    private static List<MatchResult> found(Pattern pattern, String text) {
        return pattern.matcher(text).results().toList();
    }
}
