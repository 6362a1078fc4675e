package dev.luq;

import dev.luq.gguf.LayeredModel;
import dev.luq.gguf.ModelFiles;
import dev.luq.llama.Llama;
import dev.luq.requant.plan.Plan;
import dev.luq.requant.plan.Precision;
import dev.luq.requant.quantize.AssembledModel;
import dev.luq.requant.quantize.QuantizeListener;
import dev.luq.requant.quantize.Requantizer;
import dev.luq.requant.store.LayerStore;
import dev.luq.requant.store.Manifest;
import dev.luq.requant.store.StoreLease;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;

/** Real variants of the tiny models in a layer store. */
public final class TestVariants {

    private TestVariants() {}

    /** Quantizes the first layer of a model to this precision and its projector to Q8_0, and publishes that. */
    public static Manifest publish(Path dataDir, String id, Path model, Path mmproj, Precision precision)
            throws IOException {
        Llama.init(line -> {});
        ModelFiles base = ModelFiles.read(model);
        LayerStore store = LayerStore.open(dataDir.resolve("store"));
        int layers = LayeredModel.of(base).layers().size();
        Plan plan = Plan.twoLevel(
                IntStream.range(0, layers).boxed().toList(),
                1,
                precision,
                Precision.F16,
                Precision.F16,
                Precision.Q8_0);
        try (Requantizer requantizer =
                        new Requantizer(store, base, Optional.of(ModelFiles.read(mmproj)), Optional.empty(), 1);
                StoreLease building = store.build()) {
            AssembledModel assembled = requantizer.assemble(plan, QuantizeListener.NONE);
            Manifest manifest = new Manifest(
                    Manifest.VERSION,
                    id,
                    "tiny",
                    requantizer.fingerprint(QuantizeListener.NONE).id(),
                    Instant.EPOCH,
                    plan,
                    Optional.of("60%"),
                    assembled.entries(),
                    assembled.mmprojEntry(),
                    Map.of(),
                    Map.of("mean_kld", 0.25));
            store.publish(manifest);
            return manifest;
        }
    }
}
