package dev.luq.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.luq.Integration;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

@Integration
class PlanCommandTest {

    private static final Path REFERENCE = Path.of("src/test/resources/reference");

    @Test
    void memoryIsThatOfTheKernelsAndPicturesThatAreServed() throws Exception {
        String served = plan();
        assertTrue(served.contains("kernels fast and pictures of 1280 tokens"), served);
        assertTrue(plan("--kernels", "stock").contains("kernels stock"));
        assertTrue(memory(plan("--image-tokens", "256")) < memory(served));
    }

    /** MiB of everything with no low layer. */
    private static double memory(String table) {
        String row = table.lines()
                .filter(line -> line.startsWith("  0 "))
                .findFirst()
                .orElseThrow();
        return Double.parseDouble(row.strip().split("\\s+")[5]);
    }

    private static String plan(String... options) throws Exception {
        List<String> arguments = new ArrayList<>(List.of(
                "plan",
                "--context-size",
                "2048",
                "--model",
                REFERENCE.resolve("qwen2.5-vl-tiny-F16.gguf").toString(),
                "--mmproj",
                REFERENCE.resolve("mmproj-qwen2.5-vl-tiny-F16.gguf").toString()));
        arguments.addAll(List.of(options));
        return Printed.by(() -> {
            assertEquals(0, Main.commandLine().execute(arguments.toArray(String[]::new)));
            return null;
        });
    }
}
