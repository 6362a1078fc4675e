package dev.luq.requant.report;

import com.fasterxml.jackson.core.JsonProcessingException;
import dev.luq.files.JsonFile;
import dev.luq.gguf.LayeredModel;
import dev.luq.memory.MemoryEstimate;
import dev.luq.requant.measure.Agreement;
import dev.luq.requant.measure.Quality;
import dev.luq.requant.measure.Score;
import dev.luq.requant.plan.Candidate;
import dev.luq.requant.plan.MatrixGroup;
import dev.luq.requant.plan.Plan;
import dev.luq.requant.plan.Precision;
import dev.luq.requant.plan.Ranking;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/** {@code report.html}: one page, complete in itself. */
public final class Page {

    private final Report report;

    private Page(Report report) {
        this.report = report;
    }

    /** The page's source, UTF-8 declared. */
    public static String html(Report report) {
        return new Page(report).html();
    }

    private String html() {
        String title = report.manifestId() + " from " + report.baseName();
        StringBuilder page = new StringBuilder("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"/>\n"
                + "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n<title>"
                + Html.text(title)
                + "</title>\n<style>\n" + Style.SHEET + "</style></head>\n<body><main>\n");
        page.append("<h1>")
                .append(Html.text(report.manifestId()))
                .append("</h1>\n<p class=\"soft\">")
                .append(Html.text("Re-quantized from " + report.baseName() + " (" + report.modelId()
                        + ") for a budget of " + report.budget() + ", " + report.created()))
                .append("</p>\n");
        page.append(tiles())
                .append(choice())
                .append(plan())
                .append(quality())
                .append(rankings())
                .append(costs())
                .append(sensitivities());
        report.comparison().ifPresent(comparison -> page.append(new ComparisonSections(comparison).html()));
        return page.append(provenance()).append("</main></body></html>\n").toString();
    }

    private String tiles() {
        Candidate published = report.published();
        Quality quality = report.quality();
        List<String> tiles = new ArrayList<>(List.of(
                tile(Html.bytes(published.weightBytes()), "weights"),
                tile(Html.percent(published.ratioToQ4KM()), "of Q4_K_M"),
                tile(Html.number(published.bitsPerWeight(), 2), "bits per weight"),
                tile(Html.bytes(published.memory().total()), "memory when served, estimated")));
        if (quality.all().positions() > 0) {
            tiles.add(tile(Html.nats(quality.all().meanKld()), "mean KL divergence, nats"));
            tiles.add(tile(Html.percent(quality.all().top1()), "same next token as the base"));
        }
        report.speed()
                .ifPresent(speed -> tiles.add(tile(
                        Html.number(speed.measured(), 1),
                        "tokens per second, measured; " + Html.number(speed.wanted(), 1) + " wanted")));
        if (quality.exactMatchAll().asked() > 0) {
            tiles.add(tile(
                    Html.percent(quality.exactMatchAll().share()),
                    "answers right"
                            + report.baseQuality()
                                    .flatMap(base -> Known.right(base.exactMatchAll()))
                                    .map(share -> ", base " + Html.percent(share))
                                    .orElse("")));
        }
        return "<div class=\"tiles\">" + String.join("", tiles) + "</div>\n";
    }

    private static String tile(String value, String label) {
        return "<div class=\"tile\"><b>" + Html.text(value) + "</b><span>" + Html.text(label) + "</span></div>";
    }

    private String choice() {
        StringBuilder section =
                new StringBuilder(Html.heading("Method: " + report.chosen())).append(Html.paragraph(report.why()));
        if (report.choices().size() > 1) {
            section.append(Html.table(
                    List.of(
                            "method",
                            "weights",
                            "layers below high",
                            "KLD by the matrices' costs",
                            "mean KLD, held-out calibration"),
                    report.choices().stream()
                            .map(c -> List.of(
                                    c.method(),
                                    Html.bytes(c.weightBytes()),
                                    c.lowLayers() < 0 ? "" : String.valueOf(c.lowLayers()),
                                    c.expectedKld().map(Html::nats).orElse(""),
                                    c.meanKld().map(Html::nats).orElse("not measured")))
                            .toList()));
        }
        return section.toString();
    }

    private String plan() {
        Plan plan = report.published().plan();
        StringBuilder section = new StringBuilder(Html.heading("Plan")).append("<ol class=\"layers\">");
        Precision highest = plan.layers().stream().max(Precision::compareTo).orElseThrow();
        for (int i = 0; i < plan.layers().size(); i++) {
            Precision precision = plan.layers().get(i);
            section.append(precision == highest ? "<li>" : "<li class=\"low\">")
                    .append("<b>")
                    .append(i)
                    .append("</b>")
                    .append(Html.text(precision.name()))
                    .append("</li>");
        }
        MemoryEstimate memory = report.published().memory();
        return section.append("</ol>\n")
                .append(Html.paragraph("Layers from the input to the output; those below the highest"
                        + " precision are underlined. Outside the layers " + plan.outside() + ", projector "
                        + (plan.mmproj() == Precision.F16
                                ? "as it is"
                                : plan.mmproj().name()) + "."
                        + (plan.isByMatrix()
                                ? " Each matrix has a type of its own; a layer's precision is the one that is nearest"
                                        + " in bytes."
                                : "")))
                .append(Html.paragraph("Matrices: " + report.types().text() + "." + narrow(report.types())))
                .append(plan.isByMatrix() ? matrices(plan) : "")
                .append(Html.table(
                        List.of("resident memory, estimated", "bytes"),
                        List.of(
                                List.of("weights", Html.bytes(memory.weights())),
                                List.of("projector", Html.bytes(memory.mmproj())),
                                List.of("KV cache", Html.bytes(memory.kvCache())),
                                List.of("compute buffers", Html.bytes(memory.compute())),
                                List.of("processes", Html.bytes(memory.processes())),
                                List.of("together", Html.bytes(memory.total())))))
                .toString();
    }

    private static String narrow(Report.Types types) {
        return types.narrow() == 0
                ? ""
                : " The rows of " + types.narrow() + " of them are no whole blocks of 256 weights: they cannot have the"
                        + " types of fewer than four bits, whatever their layer's precision.";
    }

    /** Layers by kinds of matrices, then what is outside the layers. */
    private static String matrices(Plan plan) {
        Map<Integer, Map<String, String>> layers = new TreeMap<>();
        Set<String> kinds = new LinkedHashSet<>();
        List<List<String>> outside = new ArrayList<>();
        plan.matrices().forEach((name, type) -> {
            Optional<Integer> layer = LayeredModel.layerOf(name);
            if (layer.isPresent()) {
                kinds.add(MatrixGroup.kind(name));
                layers.computeIfAbsent(layer.get(), l -> new TreeMap<>()).put(MatrixGroup.kind(name), type.name());
            } else {
                outside.add(List.of(name, type.name()));
            }
        });
        List<String> header = new ArrayList<>(List.of("layer"));
        header.addAll(kinds);
        List<List<String>> rows = new ArrayList<>();
        layers.forEach((layer, types) -> {
            List<String> row = new ArrayList<>(List.of(String.valueOf(layer)));
            kinds.forEach(kind -> row.add(types.getOrDefault(kind, "")));
            rows.add(row);
        });
        return Html.table(header, rows)
                + (outside.isEmpty() ? "" : Html.table(List.of("outside the layers", "type"), outside));
    }

    private String quality() {
        Quality quality = report.quality();
        StringBuilder section = new StringBuilder(Html.heading("Quality of the published files"))
                .append(Html.paragraph(
                        "On the evaluation set, against the base model's next-token distribution at every position of"
                                + " the right answers. KLD is D(base || model) in nats; p99 the nearest rank."));
        section.append(Html.table(
                List.of("positions of answers", "count", "mean KLD", "± error", "p99 KLD", "same next token"),
                List.of(
                        agreement("after an image", quality.image()),
                        agreement("text only", quality.text()),
                        agreement("all", quality.all()))));
        if (quality.skipped() > 0) {
            section.append(Html.paragraph(quality.skipped()
                    + " examples are left out: with their pictures they are longer than what is fed at once."));
        }
        if (!quality.exactMatch().isEmpty()) {
            Map<String, Score> base =
                    report.baseQuality().map(Quality::exactMatch).orElse(Map.of());
            List<List<String>> rows = new ArrayList<>();
            quality.exactMatch()
                    .forEach((category, score) -> rows.add(List.of(
                            category,
                            String.valueOf(score.asked()),
                            Known.percent(Known.right(score)),
                            Known.percent(
                                    Optional.ofNullable(base.get(category)).flatMap(Known::right)))));
            Score all = quality.exactMatchAll();
            rows.add(List.of(
                    "all",
                    String.valueOf(all.asked()),
                    Known.percent(Known.right(all)),
                    Known.percent(report.baseQuality().flatMap(q -> Known.right(q.exactMatchAll())))));
            section.append(Html.paragraph(
                            "Exact match of generated answers, likeliest token each time; white space around an"
                                    + " answer does not count, everything else does."))
                    .append(Html.table(List.of("category", "asked", "right", "base model"), rows));
        }
        return section.toString();
    }

    private static List<String> agreement(String name, Agreement a) {
        return a.positions() == 0
                ? List.of(name, "0", "", "", "", "")
                : List.of(
                        name,
                        String.valueOf(a.positions()),
                        Html.nats(a.meanKld()),
                        Html.nats(a.meanKldError()),
                        Html.nats(a.p99Kld()),
                        Html.percent(a.top1()));
    }

    private String rankings() {
        if (report.rankings().isEmpty()) {
            return "";
        }
        StringBuilder section = new StringBuilder();
        report.entropies().ifPresent(entropies -> section.append(entropySections(entropies)));
        section.append(Html.heading("Rankings")).append(Html.paragraph("The layer that goes low first comes first."));
        section.append(Html.table(
                List.of("method", "order of layers"),
                report.rankings().stream()
                        .map(r -> List.of(name(r), r.order().toString().replaceAll("[\\[\\]]", "")))
                        .toList()));
        return section.toString();
    }

    private static String name(Ranking ranking) {
        return ranking.method().name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    private static String entropySections(Report.Entropies entropies) {
        List<Chart.Series> series = new ArrayList<>();
        series.add(byLayer("mixed (ranks)", 0, entropies.mixed()));
        series.add(byLayer("image tokens", 1, entropies.image()));
        series.add(byLayer("text tokens", 2, entropies.text()));
        series.removeIf(s -> s.points().isEmpty());
        StringBuilder section = new StringBuilder(Html.heading("Entropy of the layers"));
        section.append(Html.paragraph("Entropy in bits of the layer's output vectors over " + entropies.clusters()
                + " clusters. The maximum is " + Html.number(Math.log(entropies.clusters()) / Math.log(2), 2) + "."));
        section.append(new Chart(
                        "Entropy per layer",
                        layerAxis(entropies.mixed().size()),
                        Axis.linear(
                                "bits",
                                series.stream()
                                        .flatMap(s -> s.points().stream())
                                        .mapToDouble(Chart.Point::y)),
                        series,
                        true)
                .html());
        section.append(byLayer(series, entropies.mixed().size()));
        section.append(Html.heading("Stability of the entropy ranking"));
        section.append(Html.paragraph(
                "Normalised Kendall tau distance: 0 is the same order, 1 the opposite one, 0.5 chance."));
        if (!entropies.tauBetweenClusters().isEmpty()) {
            List<Chart.Point> points = entropies.tauBetweenClusters().entrySet().stream()
                    .map(e -> new Chart.Point(
                            e.getKey(), e.getValue(), "K = " + e.getKey(), Html.number(e.getValue(), 3)))
                    .toList();
            section.append(new Chart(
                            "Ranking stability by number of clusters",
                            Axis.linear(
                                    "clusters K, against the K before",
                                    points.stream().mapToDouble(Chart.Point::x)),
                            Axis.fromZero("tau distance", points.stream().mapToDouble(Chart.Point::y)),
                            List.of(new Chart.Series("neighbouring K", 0, Chart.Line.STRAIGHT, false, points)))
                    .html());
            section.append(Html.table(
                    List.of("clusters K, against the K before", "tau distance"),
                    entropies.tauBetweenClusters().entrySet().stream()
                            .map(e -> List.of(
                                    String.valueOf(e.getKey()),
                                    Double.isFinite(e.getValue()) ? Html.number(e.getValue(), 3) : ""))
                            .toList()));
        }
        double[] seeds = entropies.tauBetweenSeeds().stream()
                .mapToDouble(tau -> tau)
                .filter(Double::isFinite)
                .sorted()
                .toArray();
        if (seeds.length > 0) {
            section.append(Html.paragraph("Between pairs of seeds: mean "
                    + Html.number(Arrays.stream(seeds).average().orElseThrow(), 3) + ", largest "
                    + Html.number(seeds[seeds.length - 1], 3) + " of " + seeds.length + "."));
        }
        return section.toString();
    }

    private static Chart.Series byLayer(String name, int number, List<Double> values) {
        List<Chart.Point> points = new ArrayList<>();
        for (int i = 0; i < values.size(); i++) {
            points.add(
                    new Chart.Point(i, values.get(i), name + ", layer " + i, Html.number(values.get(i), 3) + " bits"));
        }
        return new Chart.Series(name, number, Chart.Line.STRAIGHT, false, points);
    }

    /** A chart's values for those who have no mouse. */
    private static String byLayer(List<Chart.Series> series, int layers) {
        List<String> header = new ArrayList<>(List.of("layer"));
        series.forEach(s -> header.add(s.name()));
        List<List<String>> rows = new ArrayList<>();
        for (int i = 0; i < layers; i++) {
            List<String> row = new ArrayList<>(List.of(String.valueOf(i)));
            for (Chart.Series s : series) {
                row.add(Html.number(s.points().get(i).y(), 3));
            }
            rows.add(row);
        }
        return Html.table(header, rows);
    }

    private static Axis layerAxis(int layers) {
        return new Axis("layer", false, -0.5, layers - 0.5);
    }

    private String costs() {
        if (report.costs().isEmpty()) {
            return "";
        }
        List<Map<Precision, Double>> kld = report.costs().get().kld();
        List<Precision> precisions = List.copyOf(
                new TreeSet<>(kld.stream().flatMap(m -> m.keySet().stream()).toList()));
        List<String> header = new ArrayList<>(List.of("layer"));
        precisions.forEach(p -> header.add(p.name()));
        List<List<String>> rows = new ArrayList<>();
        List<Chart.Series> series = new ArrayList<>();
        for (int i = 0; i < kld.size(); i++) {
            List<String> row = new ArrayList<>(List.of(String.valueOf(i)));
            for (Precision p : precisions) {
                row.add(Optional.ofNullable(kld.get(i).get(p)).map(Html::nats).orElse(""));
            }
            rows.add(row);
        }
        for (int p = 0; p < precisions.size(); p++) {
            List<Chart.Point> points = new ArrayList<>();
            for (int i = 0; i < kld.size(); i++) {
                Double cost = kld.get(i).get(precisions.get(p));
                if (cost != null && cost > 0) {
                    points.add(new Chart.Point(i, cost, precisions.get(p) + ", layer " + i, Html.nats(cost) + " nats"));
                }
            }
            series.add(new Chart.Series(precisions.get(p).name(), p, Chart.Line.STRAIGHT, false, points));
        }
        return Html.heading("Cost of each layer")
                + Html.paragraph("Mean KL divergence in nats on held-out calibration examples, with this one layer at"
                        + " the precision and all others high: measured at IQ1_M, IQ2_S, IQ3_S, the low and the high"
                        + " precision, between them by the errors of the layer's matrices.")
                + new Chart(
                                "Cost per layer and precision",
                                layerAxis(kld.size()),
                                Axis.logarithmic(
                                        "mean KLD, nats",
                                        series.stream()
                                                .flatMap(s -> s.points().stream())
                                                .mapToDouble(Chart.Point::y)),
                                series,
                                true)
                        .html()
                + Html.table(header, rows);
    }

    private String sensitivities() {
        return report.sensitivities()
                .map(groups -> Html.heading("Sensitivity of the matrices")
                        + Html.paragraph(
                                "Mean KL divergence in nats on held-out calibration examples, with these matrices"
                                        + " alone at a low type; their relative errors there, weighted by importance and"
                                        + " added up. A matrix costs at any type its error there times its group's"
                                        + " divergence per error.")
                        + Html.table(
                                List.of("matrices, layers", "mean KLD", "error"),
                                groups.stream()
                                        .map(group -> List.of(
                                                group.group(), Html.nats(group.kld()), Html.number(group.error(), 3)))
                                        .toList()))
                .orElse("");
    }

    private String provenance() {
        try {
            return Html.heading("How it was made") + "<pre>"
                    + Html.text(JsonFile.JSON.writerWithDefaultPrettyPrinter().writeValueAsString(report.provenance()))
                    + "</pre>\n";
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException("the provenance is no JSON", e);
        }
    }
}
