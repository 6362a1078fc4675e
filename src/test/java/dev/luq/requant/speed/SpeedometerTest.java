package dev.luq.requant.speed;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.luq.Integration;
import dev.luq.machine.Kernels;
import dev.luq.requant.TestModels;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Integration
class SpeedometerTest {

    @TempDir
    Path folder;

    @Test
    void aModelIsMeasuredWithTheKernelsOfServing() throws Exception {
        List<Path> model = TestModels.model(TestModels.QWEN).paths();
        for (Kernels kernels : Kernels.values()) {
            double speed = new Speedometer(kernels, 1).tokensPerSecond(model);
            assertTrue(speed > 1 && speed < 1e6, kernels + ": " + speed);
        }
    }

    @Test
    void memoryIsReadByAllThreads() throws Exception {
        double speed = new Speedometer(Kernels.FAST, 2).bytesPerSecond();
        assertTrue(speed > 1e8 && speed < 1e13, "bytes a second: " + speed);
    }

    @Test
    void aModelThatCannotBeLoadedIsSaid() {
        SpeedException e = assertThrows(SpeedException.class, () -> new Speedometer(Kernels.FAST, 1)
                .tokensPerSecond(List.of(folder.resolve("none.gguf"))));
        assertTrue(e.getMessage().contains("ended with 1"), e.getMessage());
    }

    @Test
    @Timeout(20)
    void anInterruptEndsIt() throws Exception {
        Thread.currentThread().interrupt();
        assertThrows(InterruptedException.class, () -> new Speedometer(Kernels.FAST, 1).bytesPerSecond());
    }
}
