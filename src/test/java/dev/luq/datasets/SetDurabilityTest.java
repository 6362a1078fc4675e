package dev.luq.datasets;

import static dev.luq.Until.ended;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.luq.Integration;
import dev.luq.files.DataFolder;
import dev.luq.serving.TestConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is answered survives a power cut: in which order the system is asked to write, as strace sees it. */
@Integration
class SetDurabilityTest {

    @TempDir
    Path folder;

    /** Adds a set to the data folder that is named by its argument. */
    static final class Adds {
        public static void main(String[] args) throws IOException {
            CalibrationSets sets =
                    new CalibrationSets(TestConfig.of(SetsConfig.class, Map.of()), new DataFolder(Path.of(args[0])));
            try (CalibrationSets.Upload upload = sets.receive("shapes")) {
                Files.write(upload.archive(), TestArchives.zip(TestArchives.set()));
                upload.accept();
            }
            System.out.println("ANSWERED");
        }
    }

    @Test
    void anUploadIsOnTheDiskBeforeItIsAnswered() throws Exception {
        Path strace = Path.of("/usr/bin/strace");
        assumeTrue(Files.isExecutable(strace));
        Path log = folder.resolve("calls");
        Process process = new ProcessBuilder(
                        strace.toString(),
                        "-f",
                        "-y",
                        "-e",
                        "trace=fsync,fdatasync,rename,renameat,renameat2,write",
                        "-e",
                        "signal=none",
                        "-o",
                        log.toString(),
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xint",
                        "-cp",
                        System.getProperty("java.class.path"),
                        Adds.class.getName(),
                        folder.resolve("data").toString())
                .redirectErrorStream(true)
                .redirectOutput(folder.resolve("out").toFile())
                .start();
        int exit = ended("the upload", process);
        String out = Files.readString(folder.resolve("out"));
        assumeTrue(!out.contains("ptrace"), out);
        assertEquals(0, exit, out);
        List<String> calls = Files.readAllLines(log);
        int renamed = index(calls, "rename", "/shapes\"");
        assertTrue(index(calls, "fsync", "set.jsonl>") < renamed);
        assertTrue(index(calls, "fsync", "a.png>") < renamed);
        assertTrue(index(calls, "fsync", "/images>") < renamed);
        assertTrue(index(calls, "fsync", "set.json.part>") < renamed);
        assertTrue(index(calls, "fsync", "/data>") < renamed, "the folder of the sets is new too");
        int folderForced = IntStream.range(renamed, calls.size())
                .filter(i -> is(calls.get(i), "fsync", "/data/calibration>"))
                .findFirst()
                .orElseThrow();
        assertTrue(folderForced < index(calls, "write", "ANSWERED"));
    }

    private static int index(List<String> calls, String call, String argument) {
        return IntStream.range(0, calls.size())
                .filter(i -> is(calls.get(i), call, argument))
                .findFirst()
                .orElseThrow(() -> new AssertionError("no " + call + " of " + argument));
    }

    private static boolean is(String line, String call, String argument) {
        return line.contains(call) && line.contains(argument);
    }
}
