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

    private static final double TOLERANCE = 0.03;

    /** What llama.cpp v0.5.0 reports as compute buffer of encoders with random weights: those of Qwen2.5-VL and LLaVA. */
    @ParameterizedTest
    @CsvSource({
        // width, feed-forward, gate, windows, patches, bytes
        "1280, 3420, true,  true,    400,   25176310",
        "1280, 3420, true,  true,   1600,  101198070",
        "1280, 3420, true,  true,   6400,  479555748",
        "1280, 3420, true,  true,  16384, 1984985825",
        "1024, 4096, false, false,   577,   20258488",
        "256,   512, true,  true,   1600,   22429041",
        "256,   512, true,  true,   6400,  274034852",
        "256,   512, true,  true,  16384, 1682995937"
    })
    void theBufferIsLlamas(long width, long feedForward, boolean gate, boolean windows, long patches, long bytes) {
        assertEquals(bytes, new VisionMemory(width, feedForward, gate, windows).buffer(patches), bytes * TOLERANCE);
    }

    @Test
    void theLargestImageCounts() {
        long small = mmproj(TestModels.QWEN, 100);
        // The mask of windows: 6 bytes for a pair of patches, of which a token has four.
        assertTrue(mmproj(TestModels.QWEN, 1000) - small > 6 * (4000L * 4000 - 400 * 400));
        assertEquals(mmproj(TestModels.LLAVA, 100), mmproj(TestModels.LLAVA, 1000), "LLaVA's images are of one size");
    }

    @Test
    void noImageIsLargerThanTheContext() {
        assertEquals(4096, ServingShape.imageTokens(0, 8192));
        assertEquals(2048, ServingShape.imageTokens(0, 2048));
        assertEquals(1000, ServingShape.imageTokens(1000, 2048));
    }

    private static long mmproj(String model, int imageTokens) {
        ModelFiles files = TestModels.model(model);
        return MemoryEstimate.asItIs(
                        files,
                        Optional.of(TestModels.mmproj(model)),
                        new ServingShape(2048, 128, 1, 1, imageTokens, Kernels.FAST))
                .mmproj();
    }
}
