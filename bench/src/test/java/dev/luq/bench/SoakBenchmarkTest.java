package dev.luq.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.PrintWriter;
import java.io.StringWriter;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The command line of {@code luq bench soak}; what it does is told by the tests of its parts. */
class SoakBenchmarkTest {

    @ParameterizedTest
    @ValueSource(strings = {"--minutes=0", "--connections=0", "--connections=100000", "--rate=0", "--rate=NaN"})
    void whatCannotBeAskedIsRefused(String option) {
        StringWriter error = new StringWriter();
        int status = BenchCommand.commandLine().setErr(new PrintWriter(error)).execute("soak", option);
        assertEquals(1, status);
        assertTrue(error.toString().contains("--minutes is 1 or more"), error.toString());
    }
}
