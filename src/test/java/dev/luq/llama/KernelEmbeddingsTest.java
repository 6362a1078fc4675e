package dev.luq.llama;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.luq.Integration;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Pictures encoded with our kernels, in a process of their own, since kernels are enabled once and for all. */
@Integration
class KernelEmbeddingsTest {

    private static final double ENOUGH = 0.999;

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
        List<String> pictures = lines.subList(1, lines.size());
        assertEquals(ReferenceTest.images().count(), pictures.size());
        for (String picture : pictures) {
            assertTrue(Double.parseDouble(picture.substring(picture.lastIndexOf(' '))) >= ENOUGH, picture);
        }
    }
}
