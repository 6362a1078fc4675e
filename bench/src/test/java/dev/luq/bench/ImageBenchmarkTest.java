package dev.luq.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.luq.Integration;
import dev.luq.cli.Printed;
import dev.luq.llama.Llama;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;

@Integration
class ImageBenchmarkTest {

    @TempDir
    Path folder;

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void bothProjectorsEncodeThePicture(boolean qwen) throws Exception {
        Llama.init(line -> {});
        ImageBenchmark benchmark =
                CommandLine.populateCommand(new ImageBenchmark(), "--side=84", "--repetitions=2", "--threads=1");
        String printed = Printed.by(() -> {
            benchmark.measure(ProjectorSynthesizerTest.tiny(qwen), folder);
            return null;
        });
        assertTrue(printed.startsWith("a picture of " + (qwen ? 9 : 16) + " tokens"), printed);
        assertTrue(megabytes(printed, "Q8_0") < megabytes(printed, "F16"), printed);
        assertTrue(printed.contains("median of 2 pairs"), printed);
    }

    private static double megabytes(String table, String row) {
        String line = table.lines()
                .filter(text -> text.startsWith(row + " "))
                .findFirst()
                .orElseThrow();
        return Double.parseDouble(line.split("\\s+")[1]);
    }

    @Test
    void shapesAndLayersThatAreNotThereAreRefused() {
        assertEquals(1, BenchCommand.commandLine().execute("image", "--shape=gpt-2"));
        assertEquals(1, BenchCommand.commandLine().execute("image", "--shape=llava-1.5-7b", "--layers=25"));
    }
}
