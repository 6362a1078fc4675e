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
import org.junit.jupiter.api.Test;

/** The tests that SECURITY.md names are there. */
class SecurityTest {

    private static final Pattern FAULT = Pattern.compile("\\| (\\d+)\\. [^|]+ \\| (.+) \\|");
    private static final Pattern TEST = Pattern.compile("`(\\w+Test)\\.(\\w+)`");
    private static final int FAULTS = 27;

    @Test
    void everyFaultHasATestThatIsThere() throws IOException {
        Map<String, String> tests;
        try (Stream<Path> files = Files.walk(Path.of("src/test/java"))) {
            tests = files.filter(file -> file.toString().endsWith("Test.java"))
                    .collect(Collectors.toMap(file -> file.getFileName().toString().replace(".java", ""), SecurityTest::read));
        }
        List<Matcher> rows = read(Path.of("SECURITY.md")).lines().map(FAULT::matcher).filter(Matcher::matches).toList();
        assertEquals(IntStream.rangeClosed(1, FAULTS).boxed().toList(),
                rows.stream().map(row -> Integer.valueOf(row.group(1))).toList());
        for (Matcher row : rows) {
            Matcher test = TEST.matcher(row.group(2));
            int named = 0;
            while (test.find()) {
                named++;
                Pattern method = Pattern.compile("(?s)Test\\b((?!\\bvoid\\b).)*\\bvoid " + test.group(2) + "\\(");
                assertTrue(method.matcher(tests.getOrDefault(test.group(1), "")).find(), test.group());
            }
            assertTrue(named > 0, row.group());
        }
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }
}
