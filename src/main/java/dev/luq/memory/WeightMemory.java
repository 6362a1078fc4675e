package dev.luq.memory;

import dev.luq.gguf.GgmlType;
import dev.luq.gguf.Gguf;
import dev.luq.gguf.GgufTensor;
import dev.luq.gguf.LayeredModel;
import dev.luq.gguf.ModelFiles;
import dev.luq.machine.KernelTable;
import dev.luq.machine.Kernels;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/**
 * How much memory a language model's weights take once llama.cpp v0.5.0 has loaded them from mapped files. A tensor is
 * in a buffer of one of three types:
 *
 * <ul>
 * <li>mapped: computed with as it lies in the file, whose pages are in memory;
 * <li>repacked: llama.cpp made a copy of the same size in another order. The file's pages stay too where a mapped tensor
 *     comes before it and another one after it: a file is kept from the first to the last mapped tensor;
 * <li>in panels: our kernels made a copy in a layout of their own (native/KERNELS.md) and gave the file's pages back.
 * </ul>
 *
 * On a processor that our kernels do not know ({@link CpuFeatures#hasKernels}) everything is as with {@link Kernels#STOCK},
 * and so are types for which llama.cpp's kernels were found to be faster ({@link KernelTable}). Immutable.
 */
public final class WeightMemory {

    /** Rows of a panel; a matrix of other heights stays out. */
    private static final int PANEL_ROWS = 16;
    /** Rows that llama.cpp interleaves. */
    private static final int REPACKED_ROWS = 8;

    private final Kernels kernels;
    private final Set<GgmlType> repacked;
    /** Types that our kernels are not taken for although they know them. */
    private final Set<GgmlType> leftToLlamaCpp;

    /** What llama.cpp calls the kind of buffer that a tensor lies in. */
    private enum BufferType {
        MAPPED,
        REPACKED,
        PANELS
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

    /**
     * On this machine, with its processor and its kernel table.
     *
     * @param kernels as configured
     */
    public WeightMemory(Kernels kernels) {
        this(kernels, CpuFeatures.ofThisMachine(), KernelTable.read(KernelTable.file(Optional.empty())));
    }

    /** Without a kernel table: kernels are taken by rule. */
    public WeightMemory(Kernels kernels, CpuFeatures processor) {
        this(kernels, processor, Optional.empty());
    }

    public WeightMemory(Kernels kernels, CpuFeatures processor, Optional<KernelTable> table) {
        this.kernels = processor.hasKernels() ? kernels : Kernels.STOCK;
        this.repacked = table.map(WeightMemory::inLayouts).orElseGet(processor::repacked);
        this.leftToLlamaCpp = table.map(known -> notOurs(known, kernels)).orElse(Set.of());
    }

    private static Set<GgmlType> inLayouts(KernelTable table) {
        return types(type ->
                table.taken(type, Kernels.STOCK).filter(taken -> !taken.rows()).isPresent());
    }

    private static Set<GgmlType> notOurs(KernelTable table, Kernels kernels) {
        Set<String> ours = table.ours(kernels).keySet();
        return types(type -> !ours.contains(type));
    }

    private static Set<GgmlType> types(Predicate<String> wanted) {
        return Arrays.stream(GgmlType.values())
                .filter(type -> wanted.test(type.ggmlName()))
                .collect(Collectors.toCollection(() -> EnumSet.noneOf(GgmlType.class)));
    }

    /**
     * Bytes of 256 weights in panels: {@code 4 * LINES} of the type's panels in native/kernels/panels.h.
     *
     * @return empty where the kernels leave the type as it is
     */
    private OptionalInt panelBytes(GgmlType type) {
        if (kernels == Kernels.STOCK || leftToLlamaCpp.contains(type)) {
            return OptionalInt.empty();
        }
        boolean compact = kernels == Kernels.COMPACT;
        return switch (type) {
            case IQ1_M -> OptionalInt.of(compact ? 56 : 76);
            case IQ4_XS -> OptionalInt.of(136);
            case Q2_K -> OptionalInt.of(84);
            case Q3_K -> OptionalInt.of(112);
            case Q4_K -> OptionalInt.of(144);
            case Q5_K -> OptionalInt.of(176);
            case Q6_K -> OptionalInt.of(212);
            case IQ2_XXS, IQ2_XS, IQ2_S -> compact ? OptionalInt.empty() : OptionalInt.of(108);
            case IQ3_XXS, IQ3_S -> compact ? OptionalInt.empty() : OptionalInt.of(136);
            default -> OptionalInt.empty();
        };
    }

    /** Of the files of a model as they are. */
    public Resident of(ModelFiles model) {
        return byFile(model).values().stream().reduce(new Resident(0, 0), Resident::plus);
    }

    /** The same, file by file. */
    public Map<Path, Resident> byFile(ModelFiles model) {
        boolean tied = model.tensor(LayeredModel.OUTPUT).isEmpty();
        Map<Path, Resident> files = new LinkedHashMap<>();
        for (int i = 0; i < model.parts().size(); i++) {
            files.put(model.paths().get(i), of(model.parts().get(i), tied));
        }
        return files;
    }

    /** @param tied whether the model has no output matrix and takes the embeddings in its place */
    private Resident of(Gguf file, boolean tied) {
        long first = Long.MAX_VALUE;
        long last = 0;
        long copied = 0;
        for (GgufTensor tensor : file.tensors()) {
            copied += tied ? outputCopy(tensor) : 0;
            if (bufferType(tensor) == BufferType.MAPPED) {
                first = Math.min(first, file.offset(tensor.name()));
                last = Math.max(last, file.offset(tensor.name()) + tensor.bytes());
            } else {
                copied += bytes(tensor);
            }
        }
        long mapped = Math.max(0, last - first);
        for (GgufTensor tensor : file.tensors()) {
            long offset = file.offset(tensor.name());
            if (bufferType(tensor) == BufferType.PANELS && first < offset && offset < last) {
                mapped -= tensor.bytes();
            }
        }
        return new Resident(mapped, copied);
    }

    /** Bytes of a tensor in a file that is ordered by {@code requant.plan.TensorTypes.MAPPED_FIRST}: it is in memory once. */
    public long bytes(GgufTensor tensor) {
        return bufferType(tensor) == BufferType.PANELS ? panels(tensor) : tensor.bytes();
    }

    /**
     * Bytes that embeddings take beside the file's pages when they are the output matrix too: llama.cpp loads them once
     * more for that. The file's pages, should they have been given back, return as tokens are read.
     */
    public long outputCopy(GgufTensor tensor) {
        if (!tensor.name().equals(LayeredModel.EMBEDDING)) {
            return 0;
        }
        GgufTensor output = new GgufTensor(LayeredModel.OUTPUT, tensor.type(), tensor.shape());
        return bufferType(output) == BufferType.MAPPED ? 0 : bytes(output);
    }

    private long panels(GgufTensor tensor) {
        return tensor.elements()
                / tensor.type().blockSize()
                * panelBytes(tensor.type()).orElseThrow();
    }

    private BufferType bufferType(GgufTensor tensor) {
        if (tensor.extent(1) == 1 || tensor.name().equals(LayeredModel.EMBEDDING)) {
            return BufferType.MAPPED; // vectors, and rows that are looked up
        }
        // Columns are whole blocks of 256 by the type.
        if (panelBytes(tensor.type()).isPresent()
                && tensor.extent(1) % PANEL_ROWS == 0
                && tensor.extent(2) == 1
                && tensor.extent(3) == 1) {
            return BufferType.PANELS;
        }
        return repacked.contains(tensor.type()) && tensor.extent(1) % REPACKED_ROWS == 0
                ? BufferType.REPACKED
                : BufferType.MAPPED;
    }
}
