package dev.luq.requant.quantize;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.luq.Integration;
import dev.luq.gguf.ModelFiles;
import dev.luq.memory.ServingShape;
import dev.luq.requant.TestModels;
import dev.luq.requant.plan.Plan;
import dev.luq.requant.plan.Planner;
import dev.luq.requant.plan.Precision;
import dev.luq.requant.store.LayerStore;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@Integration
class MemoryEstimateTest {

    private static final ServingShape SHAPE = new ServingShape(512, 128, 2, 2);
    private static final double TOLERANCE = 0.05;

    @TempDir
    Path directory;

    /**
     * Mapped weights, weights copied into another layout, KV cache and buffers, as the kernel counts them. Code, stacks
     * and heap that any model brings into memory are found with a tiny one and left out.
     */
    @Test
    void isWhatAProcessHolds() throws Exception {
        ModelFiles base = TestModels.grown(3, 768, directory.resolve("base.gguf"));
        Plan plan = new Plan(List.of(Precision.Q8_0, Precision.Q4_K, Precision.F16), Precision.Q8_0, Precision.F16);
        TestModels.init();
        List<Path> splits;
        try (Requantizer requantizer = new Requantizer(
                LayerStore.open(directory.resolve("store")), base, Optional.empty(), Optional.empty(), 2)) {
            splits = requantizer.assemble(plan, QuantizeListener.NONE).splits();
        }
        ModelFiles tiny = TestModels.model(TestModels.QWEN);
        long estimated = total(base, plan) - total(tiny, Plan.uniform(2, Precision.F16, Precision.F16, Precision.F16));

        long measured = measured(splits) - measured(tiny.paths());

        assertEquals(measured, estimated, measured * TOLERANCE);
    }

    private static long total(ModelFiles base, Plan plan) {
        return new Planner(base, Optional.empty(), SHAPE)
                .candidate(plan)
                .memory()
                .total();
    }

    private static long measured(List<Path> splits) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx64m",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-cp",
                System.getProperty("java.class.path"),
                MemoryProbe.class.getName(),
                Integer.toString(SHAPE.contextSize()),
                Integer.toString(SHAPE.batchSize()),
                Integer.toString(SHAPE.slots())));
        splits.forEach(split -> command.add(split.toString()));
        Process process = new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
        assertEquals(0, process.waitFor());
        return Long.parseLong(output);
    }
}
