package dev.luq.benchmarks;

import dev.luq.benchmarks.scoring.CircularScorer;
import dev.luq.benchmarks.scoring.MathVista;
import dev.luq.benchmarks.scoring.MeanScorer;
import dev.luq.benchmarks.scoring.MmeScorer;
import dev.luq.benchmarks.scoring.PopeScorer;
import dev.luq.benchmarks.scoring.Scorer;
import dev.luq.benchmarks.scoring.TextMatch;
import dev.luq.benchmarks.scoring.VqaAccuracy;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Supplier;

/** A benchmark of the paper (arXiv 2509.23729), in the order of its tables. */
public enum Benchmark {
    MME("MME", MmeScorer::new, MmeScorer.PERCEPTION, MmeScorer.COGNITION),
    MMBENCH("MMBench", CircularScorer::new, "accuracy"),
    TEXTVQA("TextVQA", () -> new MeanScorer("accuracy", VqaAccuracy::textVqa), "accuracy"),
    VQAV2("VQAv2", () -> new MeanScorer("accuracy", VqaAccuracy::vqaV2), "accuracy"),
    GQA("GQA", () -> new MeanScorer("exact match", TextMatch::exact), "exact match"),
    POPE("POPE", PopeScorer::new, "f1"),
    CHARTQA("ChartQA", () -> new MeanScorer("relaxed accuracy", TextMatch::relaxed), "relaxed accuracy"),
    DOCVQA("DocVQA", () -> new MeanScorer("anls", TextMatch::anls), "anls"),
    MATHVISTA("MathVista", () -> new MeanScorer("accuracy", MathVista::score), "accuracy");

    private final String title;
    private final Supplier<Scorer> scorer;
    private final List<String> headline;

    Benchmark(String title, Supplier<Scorer> scorer, String... headline) {
        this.title = title;
        this.scorer = scorer;
        this.headline = List.of(headline);
    }

    /** On the command line and in file names. */
    public String id() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** As its makers write it. */
    public String title() {
        return title;
    }

    /** A new one, with no answers. */
    public Scorer scorer() {
        return scorer.get();
    }

    /** The metrics by which models are compared: two for {@code mme}, else one. */
    public List<String> headline() {
        return headline;
    }

    /** The one with an id. */
    public static Optional<Benchmark> find(String id) {
        return Arrays.stream(values())
                .filter(benchmark -> benchmark.id().equals(id))
                .findFirst();
    }
}
