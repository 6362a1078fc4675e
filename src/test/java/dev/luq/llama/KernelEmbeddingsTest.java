package dev.luq.llama;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.luq.Integration;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** Pictures encoded with our kernels, in a process of their own, since kernels are enabled once and for all. */
@Integration
class KernelEmbeddingsTest {

    private static final double ENOUGH = 0.999;
    private static final double SAME = 1e-5;

    /** And a picture's do not depend on the pieces that it is encoded in, which depend on how fast the machine is. */
    @Test
    void embeddingsAreThoseOfHuggingFaceWithOurKernelsToo() throws Exception {
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx256m",
                        "-XX:TieredStopAtLevel=1",
                        "-cp",
                        System.getProperty("java.class.path"),
                        EmbeddingProbe.class.getName())
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        List<String> lines = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8)
                .lines()
                .toList();
        assertEquals(0, process.waitFor());
        assumeTrue(!lines.get(0).equals("none"), "this processor has no kernels of ours");
        Map<Boolean, List<String>> inPieces = lines.stream()
                .skip(1)
                .collect(Collectors.partitioningBy(line -> line.contains(EmbeddingProbe.IN_PIECES)));
        assertEquals(ReferenceTest.images().count(), inPieces.get(false).size());
        for (String picture : inPieces.get(false)) {
            assertTrue(lastNumber(picture) >= ENOUGH, picture);
        }
        assertEquals(2, inPieces.get(true).size());
        for (String picture : inPieces.get(true)) {
            assertTrue(lastNumber(picture) <= SAME, picture);
        }
    }

    private static double lastNumber(String line) {
        return Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1));
    }
}
