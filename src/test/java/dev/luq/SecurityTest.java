package dev.luq;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The tests that SECURITY.md names are there, for each of the faults that a server has to survive. */
class SecurityTest {

    private static final Pattern FAULT = Pattern.compile("\\| (\\d+)\\. [^|]+ \\| [^|]*`\\w+Test\\.\\w+`[^|]* \\|");
    private static final Pattern NAME = Pattern.compile("`(\\w+Test)\\.(\\w+)`");
    private static final int FAULTS = 27;

    private static String page;

    @BeforeAll
    static void open() {
        page = read(Path.of("SECURITY.md"));
    }

    @Test
    void everyFaultHasATest() {
        assertEquals(
                IntStream.rangeClosed(1, FAULTS).boxed().toList(),
                page.lines()
                        .map(FAULT::matcher)
                        .filter(Matcher::matches)
                        .map(row -> Integer.valueOf(row.group(1)))
                        .toList());
    }

    @Test
    void everyTestThatItNamesIsThere() throws IOException {
        Map<String, String> tests;
        try (Stream<Path> files = Files.walk(Path.of("src/test/java"))) {
            tests = files.filter(file -> file.toString().endsWith("Test.java"))
                    .collect(Collectors.toMap(
                            file -> file.getFileName().toString().replace(".java", ""), SecurityTest::read));
        }
        List<String> missing = NAME.matcher(page)
                .results()
                .filter(name -> !isTest(tests.getOrDefault(name.group(1), ""), name.group(2)))
                .map(name -> name.group(1) + "." + name.group(2))
                .toList();
        assertTrue(missing.isEmpty(), missing.toString());
    }

    /** Whether this method is one that JUnit runs. */
    private static boolean isTest(String source, String method) {
        return Pattern.compile("(?s)@(Parameterized)?Test\\b((?!\\bvoid\\b).)*\\bvoid " + method + "\\(")
                .matcher(source)
                .find();
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }
}
