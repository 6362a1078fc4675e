package dev.luq.benchmarks;

import dev.luq.benchmarks.scoring.CircularScorer;
import dev.luq.benchmarks.scoring.MathVista;
import dev.luq.benchmarks.scoring.MeanScorer;
import dev.luq.benchmarks.scoring.MmeScorer;
import dev.luq.benchmarks.scoring.PopeScorer;
import dev.luq.benchmarks.scoring.Scorer;
import dev.luq.benchmarks.scoring.Scores;
import dev.luq.benchmarks.scoring.TextMatch;
import dev.luq.benchmarks.scoring.VqaAccuracy;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** A benchmark of the paper (arXiv 2509.23729), in the order of its tables. */
public enum Benchmark {
    MME("MME"),
    MMBENCH("MMBench"),
    TEXTVQA("TextVQA"),
    VQAV2("VQAv2"),
    GQA("GQA"),
    POPE("POPE"),
    CHARTQA("ChartQA"),
    DOCVQA("DocVQA"),
    MATHVISTA("MathVista");

    private static final String ACCURACY = "accuracy";

    private final String title;

    Benchmark(String title) {
        this.title = title;
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
        return switch (this) {
            case MME -> new MmeScorer();
            case MMBENCH -> new CircularScorer();
            case TEXTVQA -> new MeanScorer(ACCURACY, VqaAccuracy::textVqa);
            case VQAV2 -> new MeanScorer(ACCURACY, VqaAccuracy::vqaV2);
            case GQA -> new MeanScorer("exact match", TextMatch::exact);
            case POPE -> new PopeScorer();
            case CHARTQA -> new MeanScorer("relaxed accuracy", TextMatch::relaxed);
            case DOCVQA -> new MeanScorer("anls", TextMatch::anls);
            case MATHVISTA -> new MeanScorer(ACCURACY, MathVista::score);
        };
    }

    /** The metrics by which models are compared: two for {@code mme}, else one. */
    public List<String> headline() {
        return scorer().scores().metrics().stream()
                .limit(this == MME ? 2 : 1)
                .map(Scores.Metric::name)
                .toList();
    }

    /** The one with an id. */
    public static Optional<Benchmark> find(String id) {
        return Arrays.stream(values())
                .filter(benchmark -> benchmark.id().equals(id))
                .findFirst();
    }
}
