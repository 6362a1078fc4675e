package dev.luq.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.luq.cli.CliException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The command line of {@code luq bench serve}; what it does is told by the tests of its parts. */
class ServeBenchmarkTest {

    @ParameterizedTest
    @ValueSource(
            strings = {
                "--seconds=0",
                "--seconds=NaN",
                "--turns=0",
                "--threads=0",
                "--slots=0",
                "--clients=4,0",
                "--clients=1001",
                "--tokens=1",
                "--side=0"
            })
    void whatCannotBeAskedIsRefused(String option) {
        assertTrue(error(option).contains("--seconds is above 0"));
    }

    @Test
    void aContextThatHoldsNoRequestIsRefused() {
        assertTrue(error("--context=512").contains("--context is too small"));
    }

    @Test
    void aModelIsNeededAndTheProgramsOfTheLauncher() {
        assertTrue(error("--stock-tools=nowhere", "--model=nowhere.gguf").contains("there is no nowhere.gguf"));
        assertTrue(error("--turns=1").contains("the launcher, which compiles llama-server"));
    }

    private static String error(String... options) {
        StringWriter error = new StringWriter();
        String[] arguments = new String[options.length + 1];
        arguments[0] = "serve";
        System.arraycopy(options, 0, arguments, 1, options.length);
        int status = BenchCommand.commandLine().setErr(new PrintWriter(error)).execute(arguments);
        assertEquals(1, status, error.toString());
        return error.toString();
    }

    @ParameterizedTest
    @EnumSource(ServeWorkload.class)
    void workloadsAreFoundByTheirNames(ServeWorkload workload) {
        assertEquals(workload, ServeWorkload.named(workload.label()));
    }

    @Test
    void aWorkloadThatIsNotKnownIsRefusedWithThoseThatAre() {
        CliException e = assertThrows(CliException.class, () -> ServeWorkload.named("video"));
        assertTrue(e.getMessage().contains("stream-beside-pictures"), e.getMessage());
    }

    /** Another way to cut the same memory would be another comparison: every slot of either server may use all of it. */
    @ParameterizedTest
    @CsvSource({"true", "false"})
    void llamaServerGetsTheSameModelThreadsSlotsAndContext(boolean pictures) {
        List<String> arguments = new LlamaServer.Options(
                        Path.of("/m.gguf"),
                        Optional.of(Path.of("/p.gguf")).filter(file -> pictures),
                        2,
                        4,
                        4096,
                        List.of("--cache-ram=0"))
                .arguments();
        assertEquals(
                "--model /m.gguf " + (pictures ? "--mmproj /p.gguf " : "")
                        + "--threads 2 --parallel 4 --ctx-size 4096 --kv-unified --no-webui --cache-ram=0",
                String.join(" ", arguments));
    }
}
