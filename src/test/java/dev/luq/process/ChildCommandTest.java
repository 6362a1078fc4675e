package dev.luq.process;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.luq.Integration;
import dev.luq.serving.TestConfig;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a child process is told of its server. */
@Integration
class ChildCommandTest {

    private static final String SECRET = "a-key-that-nobody-guesses";

    @Test
    void onlyWhatAChildNeedsOfTheEnvironmentReachesIt() {
        Map<String, String> environment = new HashMap<>(Map.of("PATH", "/bin", "LC_ALL", "C", "OMP_NUM_THREADS", "2"));
        for (String name : List.of(
                "LUQ_API_KEYS",
                "LUQ_API_KEYS_FILE",
                "QUARKUS_TLS_KEY_STORE_P12_PASSWORD",
                "HF_TOKEN",
                "AWS_SECRET_ACCESS_KEY",
                "luq.api.keys",
                "JAVA_TOOL_OPTIONS",
                "_JAVA_OPTIONS",
                "JDK_JAVA_OPTIONS",
                "PATHS",
                "MY_PATH")) {
            environment.put(name, SECRET);
        }
        ChildCommand.environment(environment);
        assertFalse(environment.containsValue(SECRET), environment::toString);
        assertEquals(
                Set.of("PATH", "LC_ALL", "OMP_NUM_THREADS", "GGML_NO_BACKTRACE", "GOMP_SPINCOUNT", "OMP_WAIT_POLICY"),
                environment.keySet());
    }

    @Test
    void theSystemShowsNoMore() throws Exception {
        ProcessBuilder builder = new ProcessBuilder("cat", "/proc/self/environ");
        builder.environment().put("LUQ_API_KEYS", SECRET);
        builder.environment().put("ANYTHING", SECRET);
        ChildCommand.environment(builder.environment());
        String shown = new String(builder.start().getInputStream().readAllBytes(), StandardCharsets.ISO_8859_1);
        assertTrue(shown.contains("GGML_NO_BACKTRACE=1"), shown);
        assertFalse(shown.contains(SECRET), shown);
    }

    @Test
    void noOptionOfTheServerIsOnItsCommandLine() {
        System.setProperty("luq.api.keys", SECRET);
        try {
            List<String> line =
                    new ChildCommand(TestConfig.of(Map.of()).process(), ChildCommand.WORKER_MAIN).line("model");
            assertFalse(String.join(" ", line).contains(SECRET), line::toString);
            assertFalse(String.join(" ", line).contains("luq.api"), line::toString);
        } finally {
            System.clearProperty("luq.api.keys");
        }
    }

    /** Later there may be no file left to find it out with. */
    @Test
    void theClassPathIsThatOfTheBeginning() {
        ChildCommand command = new ChildCommand(TestConfig.of(Map.of()).process(), ChildCommand.WORKER_MAIN);
        List<String> line = command.line("model");
        String classPath = System.setProperty("java.class.path", "elsewhere");
        try {
            assertEquals(line, command.line("model"));
        } finally {
            System.setProperty("java.class.path", classPath);
        }
    }

    @Test
    void anArchiveOfClassesIsUsedOrMadeOrLeftAlone(@TempDir Path folder) throws Exception {
        Path archive = folder.resolve("worker.jsa");
        assertTrue(line(folder).contains("-XX:ArchiveClassesAtExit=" + archive));
        Files.createFile(archive);
        assertTrue(line(folder).contains("-XX:SharedArchiveFile=" + archive));
        assertTrue(line(folder.resolve("missing")).stream().noneMatch(option -> option.contains(".jsa")));
    }

    private static List<String> line(Path archives) {
        return new ChildCommand(
                        TestConfig.of(Map.of("process.class-archives", archives.toString()))
                                .process(),
                        ChildCommand.WORKER_MAIN)
                .line("model");
    }
}
