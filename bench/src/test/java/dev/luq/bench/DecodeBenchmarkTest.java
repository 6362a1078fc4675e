package dev.luq.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.luq.Integration;
import dev.luq.cli.Printed;
import dev.luq.gguf.GgmlType;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@Integration
class DecodeBenchmarkTest {

    @TempDir
    Path folder;

    private String model(String name, GgmlType type) throws Exception {
        Path file = folder.resolve(name);
        new ModelSynthesizer(new ModelSynthesizer.Shape(2, 256, 1300, type), 1).write(file);
        return file.toString();
    }

    @Test
    void eachModelIsMeasuredWithBothKernelsAgainstTheFirstWithStockOnes() throws Exception {
        String first = model("base-Q4_K_M.gguf", GgmlType.Q4_K);
        String second = model("a-model-with-a-longer-name.gguf", GgmlType.IQ3_S);
        String printed = Printed.by(() -> {
            assertEquals(
                    0,
                    BenchCommand.commandLine()
                            .execute(
                                    "decode",
                                    "--compare",
                                    first,
                                    second,
                                    "--prompt=8",
                                    "--tokens=4",
                                    "--repetitions=3",
                                    "--threads=1"));
            return null;
        });
        List<String> rows =
                printed.lines().filter(line -> line.contains(" GiB")).toList();
        assertEquals(4, rows.size(), printed);
        for (String title :
                List.of("base-Q4_K_M, ours", "a-model-with-a-longer-name, stock", "a-model-with-a-longer-name, ours")) {
            assertTrue(rows.stream().anyMatch(row -> row.startsWith(title + " ")), printed);
        }
        assertTrue(rows.get(3).matches("base-Q4_K_M, stock +[\\d.]+ +1\\.00 .*"), printed);
        assertTrue(printed.contains("3 rounds. Half of the 9 turns of base-Q4_K_M, stock"), printed);
    }

    @Test
    void aFileThatIsNoModelIsRefused() throws Exception {
        int status = BenchCommand.commandLine()
                .execute("decode", "--compare", folder.resolve("none.gguf").toString());
        assertNotEquals(0, status);
    }
}
