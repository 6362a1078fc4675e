package dev.luq.requant.report;

import dev.luq.gguf.GgmlType;
import dev.luq.memory.MemoryEstimate;
import dev.luq.requant.measure.Agreement;
import dev.luq.requant.measure.Quality;
import dev.luq.requant.measure.Score;
import dev.luq.requant.plan.Candidate;
import dev.luq.requant.plan.LayerCosts;
import dev.luq.requant.plan.Plan;
import dev.luq.requant.plan.Precision;
import dev.luq.requant.plan.Ranking;
import dev.luq.requant.plan.RankingMethod;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;

/** A full report of invented numbers. */
final class SampleReport {

    private static final int LAYERS = 8;

    /** A ladder's, the low and the high one: as many as a job measures. */
    private static final List<Precision> PRECISIONS = Stream.concat(
                    Precision.LADDER.stream(), Stream.of(Precision.IQ2_XS, Precision.Q4_K_M))
            .toList();

    /** What a job without a method of its own compares. */
    private static final List<String> METHODS = List.of(
            "best", "allocation", "ladder", "kld", "error", "entropy", "entropy-normed-input", "highest entropy first");

    private SampleReport() {}

    static Report full(String modelId) {
        List<Double> entropies = new ArrayList<>();
        List<Map<Precision, Double>> costs = new ArrayList<>();
        for (int i = 0; i < LAYERS; i++) {
            entropies.add(6.4 + 0.02 * ((i * 5) % LAYERS));
            Map<Precision, Double> layer = new TreeMap<>();
            for (Precision precision : PRECISIONS) {
                layer.put(precision, 0.3 / (i + 1) / Math.pow(2, precision.ordinal()));
            }
            costs.add(layer);
        }
        Plan plan = Plan.twoLevel(
                List.of(3, 1, 2, 0, 4, 5, 6, 7), 3, Precision.IQ1_M, Precision.Q4_K_M, Precision.Q4_K_M, Precision.F16);
        Candidate published = new Candidate(
                plan, 3_300_000, 3.9, 0.7, new MemoryEstimate(3_300_000, 8_500_000, 1_000_000, 2_000_000, 180_000_000));
        Ranking ranking = Ranking.ascending(RankingMethod.ENTROPY, entropies, Map.of("seed", 1));
        return new Report(
                Report.VERSION,
                modelId,
                "LUQ Demo",
                "demo-70",
                Instant.parse("2026-01-02T03:04:05Z"),
                "70%",
                "best",
                "ladder",
                "The ladder's plan was nearest to the base model on 48 held-out calibration examples.",
                published,
                new Report.Types(new TreeMap<>(Map.of(GgmlType.IQ1_M, 21, GgmlType.Q4_K, 36)), 0),
                quality(0.02),
                Optional.of(quality(0)),
                List.of(
                        new Report.Choice("ladder", 3_300_000, 5, Optional.of(0.03), Optional.of(0.02)),
                        new Report.Choice("entropy", 3_290_000, 3, Optional.empty(), Optional.of(0.05))),
                List.of(ranking),
                Optional.of(new LayerCosts(costs)),
                Optional.of(List.of(
                        new Report.Sensitivity("token_embd.weight", 0.04, 0.002),
                        new Report.Sensitivity("attn_v 0-0", 0.05, 0.02),
                        new Report.Sensitivity("ffn_down 1-7", 0.35, 0.05))),
                Optional.of(new Report.Entropies(
                        100,
                        entropies,
                        entropies.stream().map(e -> e - 0.1).toList(),
                        entropies.stream().map(e -> e - 0.4).toList(),
                        new TreeMap<>(Map.of(20, 0.3, 50, 0.2, 100, 0.1, 150, 0.08)),
                        List.of(0.1, 0.2, 0.15))),
                Map.of("seed", 1, "alpha", 0.75),
                Optional.of(new Report.Speed(25, 24, 26)),
                Optional.of(comparison()));
    }

    /** The same, but its comparisons had no pictures to answer about and generated no answers. */
    static Report withoutPictures(String modelId) {
        Report.Comparison full = comparison();
        return full(modelId)
                .with(new Report.Comparison(
                        withoutPictures(full.frontier()),
                        withoutPictures(full.uniform()),
                        withoutPictures(full.equalBytes()),
                        withoutPictures(full.orders()),
                        withoutPictures(full.alphas()),
                        withoutPictures(full.modalities()),
                        full.unmeasured()));
    }

    private static List<Report.Measured> withoutPictures(List<Report.Measured> all) {
        return all.stream()
                .map(m -> new Report.Measured(
                        m.series(),
                        m.label(),
                        m.weightBytes(),
                        m.ratioToQ4KM(),
                        m.lowLayers(),
                        m.tokensPerSecond(),
                        new Quality(
                                m.quality().all(),
                                new Agreement(0, 0, 0, 0, 0, 0),
                                m.quality().text(),
                                Map.of(),
                                0)))
                .toList();
    }

    private static Report.Comparison comparison() {
        List<Report.Measured> frontier = new ArrayList<>();
        List<Report.Measured> orders = new ArrayList<>();
        for (double ratio : new double[] {0.6, 0.7, 0.8}) {
            for (String method : METHODS) {
                frontier.add(measured(
                        method,
                        Math.round(100 * ratio) + "%",
                        ratio - method.length() * 0.001,
                        0.4 * (0.9 - ratio) / (method.charAt(0) - 'a' + 1)));
            }
            for (String order :
                    List.of("lowest first", "highest first", "by depth", "random 1", "random 2", "random 3")) {
                orders.add(
                        measured(order, Math.round(100 * ratio) + "%", ratio, order.length() * 0.02 * (0.9 - ratio)));
            }
        }
        List<Report.Measured> uniform = List.of(
                measured("uniform", "Q4_K_M", 1, 0.004),
                measured("uniform", "IQ3_M", 0.77, 0.03),
                measured("uniform", "Q3_K_M", 0.81, 0.035),
                measured("uniform", "Q2_K", 0.66, 0.12),
                measured("uniform", "IQ2_XXS", 0.5, 0.6),
                measured("uniform", "IQ1_M", 0.42, 2.2));
        List<Report.Measured> equal =
                List.of(measured("ladder", "IQ3_M", 0.769, 0.02), measured("ladder", "Q2_K", 0.655, 0.05));
        List<Report.Measured> alphas = new ArrayList<>();
        for (String alpha : List.of("0", "0.25", "0.5", "0.75", "1")) {
            alphas.add(measured("entropy", alpha, 0.7, 0.1 - 0.02 * Double.parseDouble(alpha)));
        }
        List<Report.Measured> modalities = new ArrayList<>();
        for (String seed : List.of("1", "2", "3")) {
            modalities.add(measured("multimodal", seed, 0.7, 0.08 + 0.003 * Integer.parseInt(seed)));
            modalities.add(measured("text only", seed, 0.7, 0.13 + 0.004 * Integer.parseInt(seed)));
        }
        return new Report.Comparison(
                frontier, uniform, equal, orders, alphas, modalities, List.of("text only, seed 4: too few"));
    }

    private static Report.Measured measured(String series, String label, double ratio, double kld) {
        return new Report.Measured(
                series, label, Math.round(4_500_000 * ratio), ratio, 3, Optional.of(20 / ratio), quality(kld));
    }

    private static Quality quality(double kld) {
        int right = (int) Math.max(0, 95 - 60 * kld);
        return new Quality(
                agreement(900, kld),
                agreement(700, kld * 1.2),
                agreement(200, kld * 0.3),
                Map.of("color", new Score(right, 100), "<count>", new Score(right / 2, 50)),
                0);
    }

    private static Agreement agreement(int positions, double kld) {
        return new Agreement(positions, kld, kld / 20, kld * 12, kld * 30, 1 - kld / 3);
    }
}
