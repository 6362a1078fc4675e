package dev.luq.requant.report;

import dev.luq.requant.measure.Agreement;
import dev.luq.requant.measure.Quality;
import dev.luq.requant.report.Report.Comparison;
import dev.luq.requant.report.Report.Measured;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.DoubleStream;
import java.util.stream.Stream;

/** The sections of the full report. */
final class ComparisonSections {

    private static final String RATIO = "weights, % of Q4_K_M";
    private static final String KLD = "mean KLD, nats";
    private static final String RANDOM = "random";
    private static final String UNIFORM = "uniform";
    private static final String SPEED = "tokens per second, expected";
    private static final String RIGHT = "answers right, %";

    private final Comparison comparison;

    ComparisonSections(Comparison comparison) {
        this.comparison = comparison;
    }

    String html() {
        return frontier() + equalBytes() + orders() + alphas() + modalities() + unmeasured();
    }

    private String frontier() {
        if (comparison.frontier().isEmpty() && comparison.equalBytes().isEmpty()) {
            return "";
        }
        Map<String, List<Measured>> lines =
                bySeries(Stream.concat(comparison.frontier().stream(), comparison.equalBytes().stream())
                        .toList());
        lines.put(UNIFORM, comparison.uniform());
        return Html.heading("Size and quality")
                + Html.paragraph("Every method at several budgets, and at the bytes of each uniform type, beside"
                        + " llama.cpp's own mixes over the whole model with the same importance matrix. A lower"
                        + " divergence is better, and more right answers are.")
                + chart("KL divergence by size", lines, true)
                + chart("Right answers by size", lines, false)
                + bySpeed(lines)
                + (comparison.frontier().isEmpty() ? "" : table("budget", comparison.frontier()));
    }

    /** The third dimension, where it was asked for. */
    private static String bySpeed(Map<String, List<Measured>> lines) {
        List<Chart.Series> series = new ArrayList<>();
        lines.forEach((name, measured) -> series.add(new Chart.Series(
                name,
                name.equals(UNIFORM) ? Look.GREY : Look.of(series.size()),
                Chart.Line.NONE,
                name.equals(UNIFORM),
                measured.stream()
                        .filter(m -> m.tokensPerSecond().isPresent()
                                && Known.meanKld(m.quality().all()).isPresent())
                        .map(m -> new Chart.Point(
                                m.tokensPerSecond().get(),
                                m.quality().all().meanKld(),
                                name.equals(UNIFORM) ? m.label() : m.series() + ", " + m.label(),
                                Html.number(m.tokensPerSecond().get(), 1) + " tokens/s, "
                                        + Html.percent(m.ratioToQ4KM()) + " of Q4_K_M, "
                                        + Html.nats(m.quality().all().meanKld()) + " nats"))
                        .toList())));
        series.removeIf(s -> s.points().isEmpty());
        return series.isEmpty()
                ? ""
                : Html.paragraph("The same models by their expected speed: tokens per second of one answer alone, from"
                                + " this machine's kernels and the models that were measured.")
                        + new Chart(
                                        "KL divergence by speed",
                                        Axis.linear(
                                                SPEED,
                                                series.stream()
                                                        .flatMap(s -> s.points().stream())
                                                        .mapToDouble(Chart.Point::x)),
                                        Axis.logarithmic(KLD, values(series)),
                                        series)
                                .html();
    }

    private String equalBytes() {
        if (comparison.uniform().isEmpty()) {
            return "";
        }
        List<Measured> rows = new ArrayList<>();
        for (Measured uniform : comparison.uniform()) {
            rows.add(uniform);
            comparison.equalBytes().stream()
                    .filter(m -> m.label().equals(uniform.label()))
                    .forEach(rows::add);
        }
        return Html.heading("Uniform types at equal bytes")
                + Html.paragraph("Below each uniform type the methods with at most"
                        + " its bytes; a method is missing where its smallest plan is larger.")
                + table("beside", rows);
    }

    private String orders() {
        if (comparison.orders().isEmpty()) {
            return "";
        }
        return Html.heading("Does the order matter?")
                + Html.paragraph("The same two precisions at the same budgets, layers"
                        + " taken in other orders: lowest entropy first is the paper's.")
                + chart("KL divergence by order", byOrder(), true)
                + chart("Right answers by order", byOrder(), false)
                + table("budget", comparison.orders());
    }

    /** The random orders are one cloud. */
    private Map<String, List<Measured>> byOrder() {
        return comparison.orders().stream()
                .collect(Collectors.groupingBy(
                        m -> m.series().startsWith(RANDOM) ? RANDOM : m.series(),
                        LinkedHashMap::new,
                        Collectors.toList()));
    }

    private String alphas() {
        if (comparison.alphas().isEmpty()) {
            return "";
        }
        List<Chart.Series> series = Stream.of(
                        alpha("after an image", 1, Quality::image),
                        alpha("text only", 2, Quality::text),
                        alpha("all", 0, Quality::all))
                .filter(s -> !s.points().isEmpty())
                .toList();
        return Html.heading("Share of images in the calibration")
                + Html.paragraph(
                        "Alpha is the weight of image examples in the importance matrix: 0 is text only, 1 images"
                                + " only. The plan is the same, only the matrix changes.")
                + (series.isEmpty()
                        ? ""
                        : new Chart(
                                        "KL divergence by alpha",
                                        new Axis("alpha", false, -0.04, 1.04),
                                        Axis.fromZero(KLD, values(series)),
                                        series)
                                .html())
                + table("alpha", comparison.alphas());
    }

    private Chart.Series alpha(String name, int number, Function<Quality, Agreement> part) {
        return new Chart.Series(
                name,
                number,
                Chart.Line.STRAIGHT,
                false,
                comparison.alphas().stream()
                        .flatMap(m -> Known.meanKld(part.apply(m.quality()))
                                .map(kld -> new Chart.Point(
                                        Double.parseDouble(m.label()),
                                        kld,
                                        name + ", alpha " + m.label(),
                                        Html.nats(kld) + " nats"))
                                .stream())
                        .toList());
    }

    private String modalities() {
        if (comparison.modalities().isEmpty()) {
            return "";
        }
        List<List<String>> rows = new ArrayList<>();
        bySeries(comparison.modalities()).forEach((name, measured) -> {
            rows.add(List.of(
                    name,
                    String.valueOf(measured.size()),
                    spread(measured, m -> Known.meanKld(m.quality().all())),
                    spread(measured, m -> Known.meanKld(m.quality().image())),
                    spread(measured, m -> Known.meanKld(m.quality().text())),
                    spread(measured, ComparisonSections::right)));
        });
        return Html.heading("Multimodal and text-only calibration")
                + Html.paragraph("The whole method at the same budget,"
                        + " calibrated with images and without; mean and standard deviation over seeds.")
                + Html.table(List.of("calibration", "seeds", KLD, "after an image", "text only", RIGHT), rows)
                + table("seed", comparison.modalities());
    }

    private String unmeasured() {
        return comparison.unmeasured().isEmpty()
                ? ""
                : Html.heading("Not measured")
                        + comparison.unmeasured().stream().map(Html::paragraph).collect(Collectors.joining());
    }

    private static String spread(List<Measured> measured, Function<Measured, Optional<Double>> value) {
        List<Double> values =
                measured.stream().flatMap(m -> value.apply(m).stream()).toList();
        if (values.isEmpty()) {
            return "";
        }
        double mean = values.stream().mapToDouble(v -> v).average().orElseThrow();
        double squares = values.stream().mapToDouble(v -> Math.pow(v - mean, 2)).sum();
        double deviation = values.size() < 2 ? 0 : Math.sqrt(squares / (values.size() - 1));
        Function<Double, String> text = v -> mean >= 1 ? Html.number(v, 2) : Html.nats(v);
        return text.apply(mean) + " ± " + text.apply(deviation);
    }

    /** In percent. */
    private static Optional<Double> right(Measured measured) {
        return Known.right(measured.quality().exactMatchAll()).map(share -> 100 * share);
    }

    private static Map<String, List<Measured>> bySeries(List<Measured> measured) {
        return measured.stream()
                .collect(Collectors.groupingBy(Measured::series, LinkedHashMap::new, Collectors.toList()));
    }

    /** By ratio: KL divergence on a logarithmic scale, or right answers; nothing where none of them are known. */
    private static String chart(String title, Map<String, List<Measured>> lines, boolean kld) {
        Function<Measured, Optional<Double>> value =
                kld ? m -> Known.meanKld(m.quality().all()) : ComparisonSections::right;
        List<Chart.Series> series = new ArrayList<>();
        lines.forEach((name, measured) -> {
            boolean uniform = name.equals(UNIFORM);
            boolean scattered = uniform || name.equals(RANDOM);
            List<Chart.Point> points = measured.stream()
                    .sorted((a, b) -> Double.compare(a.ratioToQ4KM(), b.ratioToQ4KM()))
                    .flatMap(m -> value
                            .apply(m)
                            .map(v -> new Chart.Point(
                                    100 * m.ratioToQ4KM(),
                                    v,
                                    uniform ? m.label() : m.series() + ", " + m.label(),
                                    Html.percent(m.ratioToQ4KM()) + " of Q4_K_M, "
                                            + (kld ? Html.nats(v) + " nats" : Html.number(v, 1) + " %")))
                            .stream())
                    .toList();
            series.add(new Chart.Series(
                    name,
                    scattered ? Look.GREY : Look.of(series.size()),
                    scattered ? Chart.Line.NONE : Chart.Line.STRAIGHT,
                    uniform,
                    points));
        });
        series.removeIf(s -> s.points().isEmpty());
        if (series.isEmpty()) {
            return "";
        }
        Axis y = kld ? Axis.logarithmic(KLD, values(series)) : Axis.linear(RIGHT, values(series));
        return new Chart(
                        title,
                        Axis.linear(
                                RATIO,
                                series.stream()
                                        .flatMap(s -> s.points().stream())
                                        .mapToDouble(Chart.Point::x)),
                        y,
                        series)
                .html();
    }

    private static DoubleStream values(List<Chart.Series> series) {
        return series.stream().flatMap(s -> s.points().stream()).mapToDouble(Chart.Point::y);
    }

    private static String table(String label, List<Measured> measured) {
        return Html.table(
                List.of(
                        "model",
                        label,
                        "weights",
                        "of Q4_K_M",
                        "low layers",
                        "tokens/s",
                        KLD,
                        "after an image",
                        "text only",
                        "p99 KLD",
                        "same token",
                        "right"),
                measured.stream()
                        .map(m -> List.of(
                                m.series(),
                                m.label(),
                                Html.bytes(m.weightBytes()),
                                Html.percent(m.ratioToQ4KM()),
                                m.lowLayers() < 0 ? "" : String.valueOf(m.lowLayers()),
                                m.tokensPerSecond()
                                        .map(speed -> Html.number(speed, 1))
                                        .orElse(""),
                                Known.nats(Known.meanKld(m.quality().all())),
                                Known.nats(Known.meanKld(m.quality().image())),
                                Known.nats(Known.meanKld(m.quality().text())),
                                Known.nats(Known.of(m.quality().all(), Agreement::p99Kld)),
                                Known.percent(Known.of(m.quality().all(), Agreement::top1)),
                                Known.percent(Known.right(m.quality().exactMatchAll()))))
                        .toList());
    }
}
