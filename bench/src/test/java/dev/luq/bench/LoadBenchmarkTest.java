package dev.luq.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The command line of {@code luq bench load}; what it does is told by the tests of its parts. */
class LoadBenchmarkTest {

    @ParameterizedTest
    @ValueSource(
            strings = {
                "--seconds=0",
                "--seconds=NaN",
                "--turns=0",
                "--questions=0",
                "--clients=4,0",
                "--clients=1001",
                "--pictures=-1",
                "--pictures=0,101",
                "--prompt=3",
                "--tokens=7"
            })
    void whatCannotBeAskedIsRefused(String option) {
        assertTrue(error(option).contains("--seconds is above 0"));
    }

    @Test
    void aModelIsNeeded() {
        assertTrue(error("--model=nowhere.gguf", "--pictures=0").contains("there is no nowhere.gguf"));
    }

    private static String error(String... options) {
        StringWriter error = new StringWriter();
        List<String> line = new ArrayList<>(List.of("load"));
        line.addAll(List.of(options));
        int status = BenchCommand.commandLine().setErr(new PrintWriter(error)).execute(line.toArray(String[]::new));
        assertEquals(1, status, error.toString());
        return error.toString();
    }
}
