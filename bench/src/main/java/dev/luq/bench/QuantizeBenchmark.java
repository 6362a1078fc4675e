package dev.luq.bench;

import dev.luq.files.Folders;
import dev.luq.gguf.GgmlType;
import dev.luq.gguf.GgufTensor;
import dev.luq.gguf.ImportanceMatrix;
import dev.luq.gguf.ModelFiles;
import dev.luq.llama.ModelQuantizer;
import dev.luq.llama.Quantizer;
import dev.luq.requant.plan.Plan;
import dev.luq.requant.plan.Precision;
import dev.luq.requant.plan.TensorTypes;
import dev.luq.requant.quantize.QuantizeListener;
import dev.luq.requant.quantize.Requantizer;
import dev.luq.requant.store.LayerStore;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Measures the {@link Requantizer} against llama.cpp's quantize tool on the same random tensors, file to file, turn by
 * turn. {@link dev.luq.llama.Llama#init} comes first; both sides' tables of a type are computed before its first turn.
 */
final class QuantizeBenchmark {

    /**
     * What was measured for one type. Rates are medians of the rounds in weights per second of all threads together.
     *
     * @param weights quantized in each turn
     * @param ours the Requantizer, reading, hashing, writing and making durable
     * @param llama llama.cpp's, reading and writing
     * @param ratio median of the rounds' ratios, above 1 where ours is faster
     * @param oursPeakBytes resident memory at most, above what was resident before the turn; 0 where it cannot be told
     * @param llamaPeakBytes the same
     * @param likeness of the tensors to llama.cpp's
     */
    record Result(
            GgmlType type,
            long weights,
            double ours,
            double llama,
            double ratio,
            long oursPeakBytes,
            long llamaPeakBytes,
            Likeness likeness) {}

    private final Path folder;
    private final int threads;
    private final ModelFiles base;
    private final ImportanceMatrix importance;

    /**
     * Writes the tensors.
     *
     * @param folder for files of about {@code 4 / rowsDivisor} times a layer's weights in bytes; removed by the caller
     * @param rowsDivisor every matrix has one in so many of its rows: cost depends on weights and row length
     */
    QuantizeBenchmark(Path folder, ModelSynthesizer.Shape shape, int rowsDivisor, int threads) throws IOException {
        this.folder = folder;
        this.threads = threads;
        this.base = RandomLayer.write(shape, rowsDivisor, folder.resolve("base.gguf"));
        this.importance = RandomLayer.importance(base);
    }

    /**
     * Weights of each type in a model whose first layers are IQ1_M and whose rest is Q4_K_M: with the measured rates, how
     * long the whole model takes.
     */
    static Map<GgmlType, Long> weights(ModelSynthesizer.Shape shape, int lowLayers) {
        Map<GgmlType, Long> weights = new EnumMap<>(GgmlType.class);
        for (int layer = 0; layer < shape.layers(); layer++) {
            Precision precision = layer < lowLayers ? Precision.IQ1_M : Precision.Q4_K_M;
            for (GgufTensor tensor : RandomLayer.tensors(shape, 1)) {
                weights.merge(precision.type(tensor, layer, shape.layers()), tensor.elements(), Long::sum);
            }
        }
        for (String name : List.of("token_embd.weight", "output.weight")) {
            GgufTensor tensor =
                    new GgufTensor(name, GgmlType.F16, List.of((long) shape.width(), (long) shape.vocabulary()));
            weights.merge(TensorTypes.outside(Precision.Q4_K_M, tensor, false), tensor.elements(), Long::sum);
        }
        return weights;
    }

    /** @param precision of all matrices, not {@link Precision#Q4_K_M}, which is several types */
    Result measure(Precision precision, int rounds) throws IOException {
        GgmlType type = GgmlType.valueOf(precision.name());
        Quantizer.prepare(type);
        ModelQuantizer.prepare(type);
        List<Turn> ours = new ArrayList<>();
        List<Turn> llama = new ArrayList<>();
        Likeness likeness = null;
        for (int round = 0; round < rounds; round++) {
            Path store = folder.resolve("store-" + type + round);
            Path uniform = folder.resolve(type + "-" + round + ".gguf");
            // Who is first changes: neither always finds the warmer machine.
            if (round % 2 == 0) {
                ours.add(ours(precision, store));
                llama.add(llama(type, uniform));
            } else {
                llama.add(llama(type, uniform));
                ours.add(ours(precision, store));
            }
            Likeness now =
                    Likeness.of(base, ours.get(round).files(), llama.get(round).files(), importance);
            likeness = likeness == null || likeness.equals(now) ? now : Likeness.CHANGING;
            Folders.delete(store);
            Files.delete(uniform);
        }
        double[] ratios = new double[rounds];
        Arrays.setAll(
                ratios, round -> llama.get(round).seconds() / ours.get(round).seconds());
        return new Result(
                type,
                base.parameters(),
                base.parameters() / Spread.of(ours, Turn::seconds).median(),
                base.parameters() / Spread.of(llama, Turn::seconds).median(),
                Spread.of(ratios).median(),
                peak(ours),
                peak(llama),
                likeness);
    }

    private record Turn(double seconds, long peakBytes, ModelFiles files) {}

    /** Work that leaves files. */
    private interface Work {
        List<Path> run() throws IOException;
    }

    private Turn ours(Precision precision, Path folder) throws IOException {
        LayerStore store = LayerStore.open(folder);
        try (Requantizer requantizer =
                new Requantizer(store, base, Optional.empty(), Optional.of(importance), threads)) {
            requantizer.fingerprint(QuantizeListener.NONE);
            Plan plan = Plan.uniform(1, precision, Precision.F16, Precision.F16);
            return timed(() -> requantizer.assemble(plan, QuantizeListener.NONE).splits());
        }
    }

    private Turn llama(GgmlType type, Path target) throws IOException {
        return timed(() -> {
            ModelQuantizer.quantize(
                    base.paths().get(0),
                    target,
                    new ModelQuantizer.Options(
                            ModelQuantizer.FileType.Q4_K_M,
                            false,
                            Map.of("blk\\.", type),
                            Optional.of(importance),
                            threads));
            return List.of(target);
        });
    }

    private static Turn timed(Work work) throws IOException {
        long before = PeakMemory.restart();
        long start = System.nanoTime();
        List<Path> files = work.run();
        double seconds = (System.nanoTime() - start) / 1e9;
        return new Turn(seconds, PeakMemory.since(before), ModelFiles.of(files));
    }

    private static long peak(List<Turn> turns) {
        return turns.stream().mapToLong(Turn::peakBytes).max().orElse(0);
    }
}
