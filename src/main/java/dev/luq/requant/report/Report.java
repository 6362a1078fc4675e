package dev.luq.requant.report;

import dev.luq.gguf.GgmlType;
import dev.luq.requant.measure.Quality;
import dev.luq.requant.plan.Candidate;
import dev.luq.requant.plan.LayerCosts;
import dev.luq.requant.plan.Ranking;
import io.quarkus.runtime.annotations.RegisterForReflection;
import java.time.Instant;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * What a re-quantization did and measured: {@code report.json}. Holds no times of its own run, so that an interrupted
 * job ends with the same bytes.
 *
 * @param version of this format, 1
 * @param modelId the base model's id in the catalogue
 * @param baseName what the base model calls itself
 * @param manifestId what was published
 * @param created when the job was made
 * @param budget its text
 * @param method how the plan was asked for
 * @param chosen the method that gave the published plan, as in its choice
 * @param why for people: why that method
 * @param published the plan with its sizes
 * @param types of its matrices
 * @param quality of the published files
 * @param baseQuality of the base model's own; empty when it was not asked
 * @param choices the plans that were compared on held-out calibration examples
 * @param rankings by all methods that were computed
 * @param costs measured per layer and precision; empty when no method needed them
 * @param sensitivities measured per group of matrices; empty when no method needed them
 * @param entropies of layers by modality; empty when none were computed
 * @param provenance sets, seeds, counts, settings; values that JSON has
 * @param speed asked for and reached; empty where none was asked for
 * @param comparison of the full report
 */
@RegisterForReflection
public record Report(
        int version,
        String modelId,
        String baseName,
        String manifestId,
        Instant created,
        String budget,
        String method,
        String chosen,
        String why,
        Candidate published,
        Types types,
        Quality quality,
        Optional<Quality> baseQuality,
        List<Choice> choices,
        List<Ranking> rankings,
        Optional<LayerCosts> costs,
        Optional<List<Sensitivity>> sensitivities,
        Optional<Entropies> entropies,
        Map<String, Object> provenance,
        Optional<Speed> speed,
        Optional<Comparison> comparison) {

    public static final int VERSION = 1;

    /** The same with comparisons. */
    public Report with(Comparison comparisons) {
        return new Report(
                version,
                modelId,
                baseName,
                manifestId,
                created,
                budget,
                method,
                chosen,
                why,
                published,
                types,
                quality,
                baseQuality,
                choices,
                rankings,
                costs,
                sensitivities,
                entropies,
                provenance,
                speed,
                Optional.of(comparisons));
    }

    /**
     * Tokens per second of one answer alone, with the kernels and threads of serving.
     *
     * @param wanted at least
     * @param expected of the published plan before it was measured
     * @param measured of its files
     */
    @RegisterForReflection
    public record Speed(double wanted, double expected, double measured) {}

    /**
     * What the matrices are in the files, whatever precisions their layers are said to have.
     *
     * @param matrices how many have each type
     * @param narrow how many of them have rows that are no whole blocks of 256 weights: they cannot have the types of fewer
     *     than four bits, and get the ones of smaller blocks that llama.cpp gives them
     */
    @RegisterForReflection
    public record Types(SortedMap<GgmlType, Integer> matrices, int narrow) {
        public Types {
            matrices = Collections.unmodifiableSortedMap(new TreeMap<>(matrices));
        }

        /** Such as {@code 30 IQ2_S, 181 IQ4_NL}, from the smallest type on. */
        public String text() {
            return matrices.entrySet().stream()
                    .sorted(Comparator.comparingDouble(e -> e.getKey().bitsPerWeight()))
                    .map(e -> e.getValue() + " " + e.getKey())
                    .collect(Collectors.joining(", "));
        }
    }

    /**
     * A plan that could have been published.
     *
     * @param method that gave it, and its projector where that is not the one asked for
     * @param weightBytes of its language model
     * @param lowLayers layers below the high precision; -1 where each matrix has a type of its own
     * @param expectedKld what the costs of its matrices add up to, in nats; empty where they are not known
     * @param meanKld on the held-out calibration examples, in nats; empty when there was nothing to choose, or
     *     where the costs of its matrices showed that it is far from the nearest
     */
    @RegisterForReflection
    public record Choice(
            String method, long weightBytes, int lowLayers, Optional<Double> expectedKld, Optional<Double> meanKld) {}

    /**
     * What a probe of one group of matrices at a low type found, all others nearly exact.
     *
     * @param group kind of the matrices, first and last layer, such as {@code ffn_down 2-12}
     * @param error sum of their relative errors, weighted by importance
     * @param kld mean KL divergence from the base that they add on the held-out calibration examples, in nats
     */
    @RegisterForReflection
    public record Sensitivity(String group, double error, double kld) {}

    /**
     * Entropies of the layers' token vectors, in bits, per layer in the model's order, and how far rankings by them can
     * be trusted.
     *
     * @param clusters K
     * @param mixed of all tokens, which the ranking follows
     * @param image of image tokens only; NaN-free and empty when there are none
     * @param text of text tokens only
     * @param tauBetweenClusters normalised Kendall tau distance of the rankings at K and at the one before, by K; NaN where
     *     a ranking has nothing but equals
     * @param tauBetweenSeeds the same distance of each pair of seeds' rankings
     */
    @RegisterForReflection
    public record Entropies(
            int clusters,
            List<Double> mixed,
            List<Double> image,
            List<Double> text,
            Map<Integer, Double> tauBetweenClusters,
            List<Double> tauBetweenSeeds) {}

    /**
     * A model that was measured on the evaluation set.
     *
     * @param series what it is one of: a method, an order, "uniform"
     * @param label its place in the series: a budget, a type, an alpha, a seed
     * @param weightBytes of its language model
     * @param ratioToQ4KM of them
     * @param lowLayers layers below the high precision; -1 where each matrix has a type of its own
     * @param tokensPerSecond expected, after what was measured; empty where no speed was asked for
     * @param quality measured
     */
    @RegisterForReflection
    public record Measured(
            String series,
            String label,
            long weightBytes,
            double ratioToQ4KM,
            int lowLayers,
            Optional<Double> tokensPerSecond,
            Quality quality) {}

    /**
     * The full report's measurements.
     *
     * @param frontier each method at several budgets
     * @param uniform llama.cpp's own mixes over the whole model, with the same importance matrix
     * @param equalBytes each method at the bytes of each uniform mix: the label is the mix
     * @param orders layers in other orders at several budgets: lowest first, highest first, by depth, random
     * @param alphas the entropy ranking at one budget, calibrated with another share of images; the label is alpha
     * @param modalities multimodal and text-only calibration at one budget, over seeds; the label is the seed
     * @param unmeasured which of these could not be measured and why, for people; absent in older ones
     */
    @RegisterForReflection
    public record Comparison(
            List<Measured> frontier,
            List<Measured> uniform,
            List<Measured> equalBytes,
            List<Measured> orders,
            List<Measured> alphas,
            List<Measured> modalities,
            List<String> unmeasured) {
        public Comparison {
            frontier = List.copyOf(frontier);
            uniform = List.copyOf(uniform);
            equalBytes = List.copyOf(equalBytes);
            orders = List.copyOf(orders);
            alphas = List.copyOf(alphas);
            modalities = List.copyOf(modalities);
            unmeasured = unmeasured == null ? List.of() : List.copyOf(unmeasured);
        }
    }
}
