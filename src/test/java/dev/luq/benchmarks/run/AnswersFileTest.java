package dev.luq.benchmarks.run;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.luq.Integration;
import dev.luq.SmallDisk;
import dev.luq.benchmarks.scoring.Reference;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@Integration
class AnswersFileTest {

    private static final int DISK = 1 << 16;
    private static final RunHeader HEADER =
            new RunHeader("gqa", "form", "model", null, null, null, null, "lmms-eval", 16);

    @TempDir
    Path folder;

    private static AnswerLine line(String id, int characters) {
        return AnswerLine.of(id, "?", null, "a".repeat(characters), Reference.of(List.of("a"), null));
    }

    /** Another run, in a process of its own. */
    static final class Other {
        private Other() {}

        /** @param args the file; what came of opening it is written */
        public static void main(String[] args) throws IOException {
            try (AnswersFile file = AnswersFile.open(Path.of(args[0]), HEADER)) {
                System.out.println("opened");
            } catch (BenchmarkRunException e) {
                System.out.println(e.getMessage());
            }
        }

        static String opens(Path path) throws IOException {
            Process process = new ProcessBuilder(
                            Path.of(System.getProperty("java.home"), "bin", "java")
                                    .toString(),
                            "-Xmx64m",
                            "-XX:TieredStopAtLevel=1",
                            "-Xshare:auto",
                            "-cp",
                            System.getProperty("java.class.path"),
                            Other.class.getName(),
                            path.toString())
                    .redirectError(ProcessBuilder.Redirect.INHERIT)
                    .start();
            return new String(process.getInputStream().readAllBytes(), UTF_8).strip();
        }
    }

    @Test
    void noOtherProcessOpensAFileThatIsBeingRead() throws IOException {
        Path path = folder.resolve("a.jsonl");
        try (AnswersFile file = AnswersFile.open(path, HEADER)) {
            file.append(line("1", 10));
        }
        try (AnswersFile file = AnswersFile.open(path, HEADER)) {
            assertEquals(Set.of("1"), file.answered(line -> true));
            assertEquals("Another run writes " + path + "; wait for its end.", Other.opens(path));
        }
        assertEquals("opened", Other.opens(path));
    }

    @Test
    void whoIsRefusedInThisProcessLetsNoOtherProcessIn() throws IOException {
        Path path = folder.resolve("a.jsonl");
        try (AnswersFile file = AnswersFile.open(path, HEADER)) {
            assertThrows(BenchmarkRunException.class, () -> AnswersFile.open(path, HEADER));
            assertEquals("Another run writes " + path + "; wait for its end.", Other.opens(path));
        }
        assertEquals("opened", Other.opens(path));
    }

    @Test
    void aLineThatDoesNotFitLeavesNoHalf() throws Exception {
        try (SmallDisk disk = SmallDisk.mount(folder.resolve("disk"), DISK)) {
            Path path = disk.path().resolve("a.jsonl");
            try (AnswersFile file = AnswersFile.open(path, HEADER)) {
                file.append(line("1", 10));
                long size = Files.size(path);
                assertThrows(IOException.class, () -> file.append(line("2", 2 * DISK)));
                assertEquals(size, Files.size(path));
                file.append(line("3", 10));
                assertEquals(Set.of("1", "3"), file.answered(line -> true));
            }
        }
    }
}
