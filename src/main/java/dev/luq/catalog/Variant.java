package dev.luq.catalog;

import dev.luq.requant.plan.Plan;
import dev.luq.requant.plan.Precision;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * A re-quantized form of a model that can be served in place of its base files.
 *
 * @param id of its manifest in the store
 * @param baseName what the model is called that it was made of
 * @param created when it was asked for
 * @param files the split GGUF in order; absolute paths
 * @param mmproj the projector that belongs to it, absolute; empty when it has the base's or none
 * @param budget what was asked for, such as {@code 60%}
 * @param bytes of all files, those included that it shares with other variants
 * @param plan what each layer is
 * @param quality what was measured on these files; empty when nothing was
 */
public record Variant(
        String id,
        String baseName,
        Instant created,
        List<Path> files,
        Optional<Path> mmproj,
        Optional<String> budget,
        long bytes,
        Plan plan,
        Map<String, Object> quality) {

    public Variant {
        files = List.copyOf(files);
        quality = Collections.unmodifiableMap(quality);
    }

    /** Indices of the layers that have fewer bits than the best ones of this variant. */
    public List<Integer> lowLayers() {
        Precision best = plan.layers().stream().max(Comparator.naturalOrder()).orElseThrow();
        return IntStream.range(0, plan.layers().size())
                .filter(i -> plan.layers().get(i) != best)
                .boxed()
                .toList();
    }
}
