package dev.luq.bench;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.luq.Integration;
import dev.luq.gguf.GgmlType;
import dev.luq.requant.TestModels;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code luq bench quantize}. */
@Integration
class QuantizeCommandTest {

    @TempDir
    Path folder;

    private static String printed(Callable<?> work) throws Exception {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        PrintStream before = System.out;
        System.setOut(new PrintStream(bytes));
        try {
            work.call();
        } finally {
            System.setOut(before);
        }
        return bytes.toString(UTF_8);
    }

    private static int luq(StringWriter error, String... arguments) {
        return BenchCommand.commandLine().setErr(new PrintWriter(error, true)).execute(arguments);
    }

    @Test
    void bothSidesAreMeasuredAndLeaveNothing() throws Exception {
        StringWriter error = new StringWriter();
        String out = printed(() -> luq(
                error,
                "quantize",
                "--types",
                "Q4_K,Q6_K",
                "--rounds",
                "1",
                "--rows-divisor",
                "256",
                "--threads",
                "1",
                "--folder",
                folder.toString()));
        assertEquals("", error.toString());
        for (String type : List.of("Q4_K", "Q6_K")) {
            Optional<String> row =
                    out.lines().filter(line -> line.startsWith(type + " ")).findFirst();
            assertTrue(row.filter(line -> line.endsWith("identical")).isPresent(), out);
        }
        try (var left = Files.list(folder)) {
            assertEquals(0, left.count());
        }
    }

    @Test
    void aModelOfFewLayersSaysWhatTheWholeTakes() throws Exception {
        TestModels.init();
        String out = printed(() -> {
            new ModelQuantization(folder, new ModelSynthesizer.Shape(28, 256, 600, GgmlType.F16), 1).run(3, 1, 12);
            return null;
        });
        for (String line : List.of(
                "3 of 28 layers",
                "outside the layers",
                "1 layers IQ1_M",
                "2 layers Q4_K_M",
                "together",
                "the whole model, 12 of 28 layers low, takes",
                "peak resident memory",
                "the whole model with 12 of 28 layers low",
                "llama.cpp, the same",
                "of the error")) {
            assertTrue(out.contains(line), line + " is missing in\n" + out);
        }
        String size = out.lines()
                .filter(line -> line.startsWith("size: "))
                .findFirst()
                .orElseThrow();
        String[] sizes = size.replaceAll("[^0-9. ]", "").strip().split(" +");
        assertEquals(sizes[0], sizes[1], "the files have the planned size");
    }

    @Test
    void sizesOfThePapersModelFollowFromItsTable() throws IOException {
        assertEquals(
                8_000_000_000.0,
                new ModelSynthesizer(ModelSynthesizer.Shape.qwen7B(GgmlType.F16), 1)
                        .tensors().stream()
                                .mapToLong(tensor -> tensor.elements())
                                .sum(),
                0.05 * 8e9);
    }

    @Test
    void whatCannotBeMeasuredIsRefused() {
        for (String[] arguments :
                List.of(new String[] {"--types", "Q4_K_M"}, new String[] {"--layers", "2", "--low", "3"}, new String[] {
                    "--rounds", "0"
                })) {
            StringWriter error = new StringWriter();
            String[] command = new String[arguments.length + 1];
            command[0] = "quantize";
            System.arraycopy(arguments, 0, command, 1, arguments.length);
            assertEquals(1, luq(error, command));
            assertTrue(error.toString().startsWith("luq: --"), error.toString());
        }
    }
}
