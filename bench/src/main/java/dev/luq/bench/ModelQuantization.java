package dev.luq.bench;

import dev.luq.files.Units;
import dev.luq.gguf.GgmlType;
import dev.luq.gguf.GgufTensor;
import dev.luq.gguf.ImportanceMatrix;
import dev.luq.gguf.LayeredModel;
import dev.luq.gguf.ModelFiles;
import dev.luq.llama.ModelQuantizer;
import dev.luq.llama.Quantizer;
import dev.luq.memory.ServingShape;
import dev.luq.requant.plan.Plan;
import dev.luq.requant.plan.Planner;
import dev.luq.requant.plan.Precision;
import dev.luq.requant.quantize.QuantizeListener;
import dev.luq.requant.quantize.Requantizer;
import dev.luq.requant.store.LayerStore;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.stream.IntStream;

/**
 * Re-quantizes a model with random weights and few layers, says what that took and what it means for
 * the whole, and has llama.cpp make the same.
 */
final class ModelQuantization {

    /** Sizes do not depend on it. */
    private static final ServingShape SERVING = new ServingShape(8192, 128, 4, 1);

    private final Path folder;
    private final ModelSynthesizer.Shape whole;
    private final int threads;

    /**
     * @param folder empty; what is written there is removed by its owner
     * @param whole the model that is extrapolated to
     */
    ModelQuantization(Path folder, ModelSynthesizer.Shape whole, int threads) {
        this.folder = folder;
        this.whole = whole;
        this.threads = threads;
    }

    /**
     * @param layers of the model that is made
     * @param low those of them that go low
     * @param wholeLow layers of the whole model that are low
     */
    void run(int layers, int low, int wholeLow) throws IOException {
        long start = System.nanoTime();
        Path file = folder.resolve("base.gguf");
        new ModelSynthesizer(whole.withLayers(layers), 1).write(file);
        ModelFiles base = ModelFiles.read(file);
        System.out.printf(
                Locale.ROOT,
                "%d of %d layers: %.0f million weights, %.2f GiB at F16, written in %.0f s; %d threads%n",
                layers,
                whole.layers(),
                base.parameters() / 1e6,
                base.tensorBytes() / Units.GIB,
                seconds(start),
                threads);
        Plan plan = plan(layers, low);
        ImportanceMatrix importance = RandomLayer.importance(base);
        Quantizer.prepare(GgmlType.IQ1_M);
        ModelQuantizer.prepare(GgmlType.IQ1_M);
        LayerStore store = LayerStore.open(folder.resolve("store"));
        try (Requantizer requantizer =
                new Requantizer(store, base, Optional.empty(), Optional.of(importance), threads)) {
            start = System.nanoTime();
            requantizer.fingerprint(QuantizeListener.NONE);
            System.out.printf(Locale.ROOT, "read and hashed in %.0f s; known from then on%n%n", seconds(start));
            Boundaries boundaries = new Boundaries(base);
            ModelFiles result =
                    ModelFiles.of(requantizer.assemble(plan, boundaries).splits());
            boundaries.end();
            times(boundaries, layers, low, wholeLow);
            System.out.printf(
                    Locale.ROOT,
                    "%npeak resident memory of this process, its JVM included: %.0f MiB%n",
                    PeakMemory.mark() / Units.MIB);
            sizes(base, result, plan, wholeLow);
            compare(base, result, importance, boundaries.seconds(0, 1 + layers));
        }
    }

    /** llama.cpp's turn: one file of the same types. */
    private void compare(ModelFiles base, ModelFiles ours, ImportanceMatrix importance, double oursSeconds)
            throws IOException {
        Map<String, GgmlType> types = new LinkedHashMap<>();
        ours.parts().stream()
                .flatMap(part -> part.tensors().stream())
                .filter(tensor -> tensor.shape().size() > 1)
                .forEach(tensor -> types.put("^" + tensor.name().replace(".", "\\.") + "$", tensor.type()));
        Path target = folder.resolve("llama.gguf");
        System.out.println();
        long start = System.nanoTime();
        ModelQuantizer.quantize(
                base.paths().get(0),
                target,
                new ModelQuantizer.Options(
                        ModelQuantizer.FileType.Q4_K_M, false, types, Optional.of(importance), threads));
        double seconds = row("llama.cpp, the same", base.parameters(), seconds(start));
        System.out.printf(
                Locale.ROOT,
                "LUQ / llama.cpp: %.3f, tensors %s%n",
                seconds / oursSeconds,
                Likeness.of(base, ours, ModelFiles.of(List.of(target)), importance));
    }

    private void times(Boundaries boundaries, int layers, int low, int wholeLow) {
        row("outside the layers", boundaries.weights.get(0), boundaries.seconds.get(0));
        double lowSeconds = row(low + " layers IQ1_M", boundaries.weights(1, 1 + low), boundaries.seconds(1, 1 + low));
        double highSeconds = row(
                layers - low + " layers Q4_K_M",
                boundaries.weights(1 + low, 1 + layers),
                boundaries.seconds(1 + low, 1 + layers));
        row("together", boundaries.weights(0, 1 + layers), boundaries.seconds(0, 1 + layers));
        if (low > 0 && low < layers) {
            System.out.printf(
                    Locale.ROOT,
                    "the whole model, %d of %d layers low, takes %.0f minutes at these rates%n",
                    wholeLow,
                    whole.layers(),
                    (boundaries.seconds.get(0)
                                    + lowSeconds / low * wholeLow
                                    + highSeconds / (layers - low) * (whole.layers() - wholeLow))
                            / 60);
        }
    }

    private void sizes(ModelFiles base, ModelFiles result, Plan plan, int wholeLow) {
        System.out.printf(
                Locale.ROOT,
                "size: %.4f GiB, planned %.4f GiB%n",
                result.tensorBytes() / Units.GIB,
                new Planner(base, Optional.empty(), SERVING).candidate(plan).weightBytes() / Units.GIB);
        List<GgufTensor> table = new ModelSynthesizer(whole, 1).tensors();
        Planner planner = new Planner(
                LayeredModel.of(Map.of(), OptionalLong.of(whole.layers()), table.stream()), Optional.empty(), SERVING);
        System.out.printf(
                Locale.ROOT,
                "the whole model with %d of %d layers low, by its table of tensors: %.3f GiB%n",
                wholeLow,
                whole.layers(),
                planner.candidate(plan(whole.layers(), wholeLow)).weightBytes() / Units.GIB);
    }

    /** The first layers low, the tensors outside the layers as the high ones. */
    private static Plan plan(int layers, int low) {
        return Plan.twoLevel(
                IntStream.range(0, layers).boxed().toList(),
                low,
                Precision.IQ1_M,
                Precision.Q4_K_M,
                Precision.Q4_K_M,
                Precision.F16);
    }

    private double row(String label, long weights, double seconds) {
        System.out.printf(
                Locale.ROOT,
                "%-20s %7.1f million weights in %6.1f s: %6.2f million/s/core%n",
                label,
                weights / 1e6,
                seconds,
                weights / seconds / threads / 1e6);
        return seconds;
    }

    private static double seconds(long since) {
        return (System.nanoTime() - since) / 1e9;
    }

    /** Notes when each file's last weight was quantized: first those outside the layers, then each layer. */
    private static final class Boundaries implements QuantizeListener {

        final List<Long> weights = new ArrayList<>();
        final List<Double> seconds = new ArrayList<>();
        private long before = System.nanoTime();
        private long boundary;

        Boundaries(ModelFiles base) {
            LayeredModel model = LayeredModel.of(base);
            weights.add(count(model.outside()));
            model.layers().forEach(layer -> weights.add(count(layer)));
            boundary = weights.get(0);
        }

        private static long count(List<GgufTensor> tensors) {
            return tensors.stream().mapToLong(GgufTensor::elements).sum();
        }

        @Override
        public void quantized(long done, long total) {
            if (seconds.size() < weights.size() - 1 && done >= boundary) {
                note();
                boundary += weights.get(seconds.size());
            }
        }

        /** The last file is on the disk. */
        void end() {
            note();
        }

        private void note() {
            long now = System.nanoTime();
            seconds.add((now - before) / 1e9);
            before = now;
        }

        long weights(int from, int to) {
            return weights.subList(from, to).stream().mapToLong(Long::longValue).sum();
        }

        double seconds(int from, int to) {
            return seconds.subList(from, to).stream()
                    .mapToDouble(Double::doubleValue)
                    .sum();
        }
    }
}
