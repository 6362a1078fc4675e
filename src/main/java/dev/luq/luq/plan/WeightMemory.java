package dev.luq.luq.plan;

import dev.luq.gguf.GgmlType;
import dev.luq.gguf.Gguf;
import dev.luq.gguf.GgufTensor;
import dev.luq.gguf.ModelFiles;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;

/**
 * How much memory a language model's weights take once llama.cpp v0.5.0 has loaded them from mapped files. A tensor is
 * in one of three places:
 *
 * <ul>
 * <li>mapped: computed with as it lies in the file, whose pages are in memory;
 * <li>repacked: llama.cpp made a copy of the same size in another order. The file's pages stay too where a mapped tensor
 *     comes before it and another one after it: a file is kept from the first to the last mapped tensor;
 * <li>in panels: our kernels made a copy in a layout of their own (native/KERNELS.md) and gave the file's pages back.
 * </ul>
 *
 * On a processor that our kernels do not know, which is one of neither AVX2 nor NEON's dot products, everything is as with
 * {@link Kernels#STOCK}.
 */
public final class WeightMemory {

    /** Rows of a panel; a matrix of other heights stays out. */
    private static final int PANEL_ROWS = 16;
    /** Rows that llama.cpp interleaves. */
    private static final int REPACKED_ROWS = 8;
    /** By {@code ggml_repack_get_optimal_repack_type}: with AVX2, of Q2_K with AVX-512, or with NEON's dot products. */
    private static final Set<GgmlType> REPACKED = System.getProperty("os.arch").equals("aarch64")
            ? EnumSet.of(GgmlType.Q4_0, GgmlType.Q4_K, GgmlType.Q5_K, GgmlType.Q6_K, GgmlType.IQ4_NL, GgmlType.MXFP4,
                    GgmlType.Q8_0)
            : EnumSet.of(GgmlType.Q4_0, GgmlType.Q4_K, GgmlType.Q2_K, GgmlType.IQ4_NL, GgmlType.MXFP4);

    private enum Place {
        MAPPED, REPACKED, PANELS
    }

    /**
     * Of a file or a model.
     *
     * @param mapped bytes of the file's pages, which processes that serve the same file share
     * @param copied bytes of the process's own
     */
    public record Resident(long mapped, long copied) {

        /** Both together. */
        public long total() {
            return mapped + copied;
        }

        Resident plus(Resident other) {
            return new Resident(mapped + other.mapped, copied + other.copied);
        }
    }

    private WeightMemory() {
    }

    /**
     * Bytes of 256 weights in panels: {@code 4 * LINES} of the type's panels in native/kernels/panels.h.
     *
     * @return empty where the kernels leave the type as it is
     */
    static OptionalInt panelBytes(GgmlType type, Kernels kernels) {
        if (kernels == Kernels.STOCK) {
            return OptionalInt.empty();
        }
        boolean compact = kernels == Kernels.COMPACT;
        return switch (type) {
            case IQ1_M -> OptionalInt.of(compact ? 56 : 76);
            case Q4_K -> OptionalInt.of(144);
            case Q6_K -> OptionalInt.of(212);
            case IQ2_XXS, IQ2_XS, IQ2_S -> compact ? OptionalInt.empty() : OptionalInt.of(108);
            case IQ3_XXS, IQ3_S -> compact ? OptionalInt.empty() : OptionalInt.of(136);
            default -> OptionalInt.empty();
        };
    }

    /** Of the files of a model as they are. */
    public static Resident of(ModelFiles model, Kernels kernels) {
        return byFile(model, kernels).values().stream().reduce(new Resident(0, 0), Resident::plus);
    }

    /** The same, file by file. */
    public static Map<Path, Resident> byFile(ModelFiles model, Kernels kernels) {
        boolean tied = model.tensor(TensorTypes.OUTPUT).isEmpty();
        Map<Path, Resident> files = new LinkedHashMap<>();
        for (int i = 0; i < model.parts().size(); i++) {
            files.put(model.paths().get(i), of(model.parts().get(i), tied, kernels));
        }
        return files;
    }

    /** @param tied whether the model has no output matrix and takes the embeddings in its place */
    private static Resident of(Gguf file, boolean tied, Kernels kernels) {
        long first = Long.MAX_VALUE;
        long last = 0;
        long copied = 0;
        for (GgufTensor tensor : file.tensors()) {
            copied += tied ? outputCopy(tensor, kernels) : 0;
            if (place(tensor, kernels) == Place.MAPPED) {
                first = Math.min(first, file.offset(tensor.name()));
                last = Math.max(last, file.offset(tensor.name()) + tensor.bytes());
            } else {
                copied += bytes(tensor, kernels);
            }
        }
        long mapped = Math.max(0, last - first);
        for (GgufTensor tensor : file.tensors()) {
            long offset = file.offset(tensor.name());
            if (place(tensor, kernels) == Place.PANELS && first < offset && offset < last) {
                mapped -= tensor.bytes();
            }
        }
        return new Resident(mapped, copied);
    }

    /** Bytes of a tensor in a file that is ordered by {@link TensorTypes#MAPPED_FIRST}: it is in memory once. */
    static long bytes(GgufTensor tensor, Kernels kernels) {
        return place(tensor, kernels) == Place.PANELS ? panels(tensor, kernels) : tensor.bytes();
    }

    /**
     * Bytes that embeddings take beside the file's pages when they are the output matrix too: llama.cpp loads them once
     * more for that. The file's pages, should they have been given back, return as tokens are read.
     */
    static long outputCopy(GgufTensor tensor, Kernels kernels) {
        if (!tensor.name().equals(TensorTypes.EMBEDDING)) {
            return 0;
        }
        GgufTensor output = new GgufTensor(TensorTypes.OUTPUT, tensor.type(), tensor.shape());
        return place(output, kernels) == Place.MAPPED ? 0 : bytes(output, kernels);
    }

    private static long panels(GgufTensor tensor, Kernels kernels) {
        return tensor.elements() / tensor.type().blockSize() * panelBytes(tensor.type(), kernels).orElseThrow();
    }

    private static Place place(GgufTensor tensor, Kernels kernels) {
        if (tensor.extent(1) == 1 || tensor.name().equals(TensorTypes.EMBEDDING)) {
            return Place.MAPPED; // vectors, and rows that are looked up
        }
        // Columns are whole blocks of 256 by the type.
        if (panelBytes(tensor.type(), kernels).isPresent() && tensor.extent(1) % PANEL_ROWS == 0 && tensor.extent(2) == 1
                && tensor.extent(3) == 1) {
            return Place.PANELS;
        }
        return REPACKED.contains(tensor.type()) && tensor.extent(1) % REPACKED_ROWS == 0 ? Place.REPACKED : Place.MAPPED;
    }
}
