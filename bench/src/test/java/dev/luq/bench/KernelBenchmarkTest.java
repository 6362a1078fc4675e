package dev.luq.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class KernelBenchmarkTest {

    @TempDir
    Path folder;

    /** The launcher compiles the programs; these write down what they are asked for. */
    @BeforeEach
    void programs() throws IOException {
        for (String program : List.of("luq-kernel-bench", "luq-product-bench")) {
            Path script = Files.writeString(
                    folder.resolve(program),
                    "#!/bin/sh\necho " + program + " \"$@\" >> \"${0%/*}/asked\"\n[ \"$3\" != wide ]\n");
            Files.setPosixFilePermissions(script, PosixFilePermissions.fromString("rwx------"));
        }
    }

    @Test
    void bothProgramsAreAskedForWhatTheOptionsSay() throws IOException {
        assertEquals(0, run("--threads=3", "--seconds=0.5"));
        assertEquals(0, run("--threads=3", "--seconds=0.5", "--layout=compact", "--instruction-set=avx2"));
        assertEquals(
                List.of(
                        "luq-kernel-bench 0.5",
                        "luq-product-bench 3 0.5 fast",
                        "luq-kernel-bench 0.5",
                        "luq-product-bench 3 0.5 compact avx2"),
                Files.readAllLines(folder.resolve("asked")));
    }

    @Test
    void aProgramThatFailsFailsTheCommand() {
        assertEquals(1, run("--layout=wide"));
    }

    private int run(String... options) {
        List<String> arguments = new ArrayList<>(List.of("kernel", "--kernel-bench=" + folder));
        arguments.addAll(List.of(options));
        return BenchCommand.commandLine().execute(arguments.toArray(String[]::new));
    }
}
