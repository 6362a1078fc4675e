package dev.luq.memory;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.luq.gguf.ModelFiles;
import dev.luq.machine.Kernels;
import dev.luq.requant.TestModels;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class VisionMemoryTest {

    /**
     * What llama.cpp v0.5.0 with our patches reports as compute buffer of encoders with random weights: those of Qwen2.5-VL
     * and LLaVA. Small encoders reuse more.
     */
    @ParameterizedTest
    @CsvSource({
        // width, feed-forward, gate, windows, patches, bytes, the estimate's largest share above
        "1280, 3420, true,  true,    400,   18827072, 0.40",
        "1280, 3420, true,  true,   1600,  102224000, 0.03",
        "1280, 3420, true,  true,   5184,  159905920, 0.10",
        "1280, 3420, true,  true,   6400,  175239680, 0.10",
        "1280, 3420, true,  true,  16384,  393641984, 0.03",
        "1024, 4096, false, false,   577,   20258488, 0.03",
        "256,   512, true,  true,   1600,   15260800, 0.40",
        "256,   512, true,  true,   6400,   35801600, 0.40",
        "256,   512, true,  true,  16384,   91652096, 0.40"
    })
    void theBufferIsLlamasOrSomewhatMore(
            long width, long feedForward, boolean gate, boolean windows, long patches, long bytes, double above) {
        long estimate = new VisionMemory(width, feedForward, gate, windows).buffer(patches);
        assertTrue(estimate > 0.99 * bytes && estimate < (1 + above) * bytes, estimate + " for " + bytes);
    }

    @Test
    void theLargestImageCounts() {
        long small = mmproj(TestModels.QWEN, 100);
        // Pixels as floats and halves, of four patches a token.
        assertTrue(mmproj(TestModels.QWEN, 1000) - small > 900 * 4 * 588 * 6);
        assertEquals(mmproj(TestModels.LLAVA, 100), mmproj(TestModels.LLAVA, 1000), "LLaVA's images are of one size");
    }

    @Test
    void eachThreadHasItsBlocks() {
        long one = mmproj(TestModels.LLAVA, 100, 1);
        assertEquals(7 * (3L << 20), mmproj(TestModels.LLAVA, 100, 8) - one);
    }

    @Test
    void noImageIsLargerThanTheContext() {
        assertEquals(4096, ServingShape.imageTokens(0, 8192));
        assertEquals(2048, ServingShape.imageTokens(0, 2048));
        assertEquals(1000, ServingShape.imageTokens(1000, 2048));
    }

    private static long mmproj(String model, int imageTokens) {
        return mmproj(model, imageTokens, 1);
    }

    private static long mmproj(String model, int imageTokens, int threads) {
        ModelFiles files = TestModels.model(model);
        return MemoryEstimate.asItIs(
                        files,
                        Optional.of(TestModels.mmproj(model)),
                        new ServingShape(2048, 128, 1, threads, imageTokens, Kernels.FAST))
                .mmproj();
    }
}
