package dev.luq.memory;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.luq.gguf.GgmlType;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/**
 * What a processor can do, as far as it decides how weights lie in memory.
 *
 * @param features by Linux's names, such as {@code avx2} or, on arm64, {@code asimddp}
 */
public record CpuFeatures(Set<String> features) {

    private static final String DOT_PRODUCTS = "asimddp";
    /** Of almost every server; taken where the system does not say. */
    private static final Set<String> USUAL =
            System.getProperty("os.arch").equals("aarch64") ? Set.of(DOT_PRODUCTS) : Set.of("avx2", "fma", "f16c");

    public CpuFeatures {
        features = Set.copyOf(features);
    }

    /** This machine's. Reads a file. */
    public static CpuFeatures ofThisMachine() {
        return read(Path.of("/proc/cpuinfo"));
    }

    /** @param cpuinfo of Linux: x86-64 has a line {@code flags : ...} for each processor, arm64 {@code Features : ...} */
    public static CpuFeatures read(Path cpuinfo) {
        try (BufferedReader reader = Files.newBufferedReader(cpuinfo, UTF_8)) {
            for (String line = reader.readLine(); line != null; line = reader.readLine()) {
                if (line.startsWith("flags") || line.startsWith("Features")) {
                    return new CpuFeatures(Set.copyOf(List.of(
                            line.substring(line.indexOf(':') + 1).strip().split("\\s+"))));
                }
            }
        } catch (IOException e) {
            // the usual one then
        }
        return new CpuFeatures(USUAL);
    }

    /** Whether our kernels know it: {@code available()} in native/kernels/isa_*.cpp. */
    public boolean hasKernels() {
        return features.containsAll(Set.of("avx2", "fma", "f16c")) || features.contains(DOT_PRODUCTS);
    }

    /** The types that llama.cpp interleaves, by {@code ggml_repack_get_optimal_repack_type}. */
    public Set<GgmlType> repacked() {
        if (features.contains(DOT_PRODUCTS)) {
            return EnumSet.of(
                    GgmlType.Q4_0,
                    GgmlType.Q4_K,
                    GgmlType.Q5_K,
                    GgmlType.Q6_K,
                    GgmlType.IQ4_NL,
                    GgmlType.MXFP4,
                    GgmlType.Q8_0);
        }
        if (!features.contains("avx2")) {
            return EnumSet.noneOf(GgmlType.class);
        }
        Set<GgmlType> types = EnumSet.of(GgmlType.Q4_0, GgmlType.Q4_K, GgmlType.IQ4_NL, GgmlType.MXFP4);
        if (features.contains("avx512f")) {
            types.add(GgmlType.Q2_K);
        }
        return types;
    }
}
