package dev.luq.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.luq.Integration;
import dev.luq.files.Units;
import dev.luq.gguf.GgmlType;
import dev.luq.gguf.ModelFiles;
import dev.luq.machine.Kernels;
import dev.luq.memory.WeightMemory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@Integration
class PanelMemoryTest {

    /** F32 is for those that are neither put into panels nor repacked by llama.cpp, whatever the processor. */
    private static final List<GgmlType> TYPES = List.of(
            GgmlType.IQ1_M,
            GgmlType.Q2_K,
            GgmlType.Q3_K,
            GgmlType.Q4_K,
            GgmlType.Q5_K,
            GgmlType.Q6_K,
            GgmlType.IQ4_XS,
            GgmlType.IQ2_XXS,
            GgmlType.IQ2_XS,
            GgmlType.IQ2_S,
            GgmlType.IQ3_XXS,
            GgmlType.IQ3_S,
            GgmlType.F32);
    /** 4.3 million weights: a word more or less in 256 of them is 0.06 MiB. */
    private static final ModelSynthesizer.Shape SHAPE = new ModelSynthesizer.Shape(1, 512, 608, GgmlType.F16);

    private static final double ROUNDED = 0.011;

    @TempDir
    Path folder;

    /** The numbers of {@link WeightMemory} are those of the native library, type by type; none where it has no kernels. */
    @ParameterizedTest
    @EnumSource(names = {"FAST", "COMPACT"})
    void panelsAreAsLargeAsEstimated(Kernels kernels) throws Exception {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx64m",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-cp",
                System.getProperty("java.class.path"),
                PanelProbe.class.getName(),
                kernels.name()));
        for (GgmlType type : TYPES) {
            Path file = folder.resolve(type + ".gguf");
            new ModelSynthesizer(SHAPE.withTypes(tensor -> type), 1).write(file);
            command.add(file.toString());
        }
        Process process = new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        List<String> panels = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8)
                .lines()
                .toList();
        assertEquals(0, process.waitFor());
        for (int i = 0; i < TYPES.size(); i++) {
            ModelFiles files = ModelFiles.read(folder.resolve(TYPES.get(i) + ".gguf"));
            double expected = panels.isEmpty() ? 0 : Double.parseDouble(panels.get(i));
            assertEquals(
                    expected,
                    new WeightMemory(kernels).of(files).copied() / Units.MIB,
                    ROUNDED,
                    TYPES.get(i).name());
        }
    }
}
