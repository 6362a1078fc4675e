package dev.luq.cli;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.luq.benchmarks.Benchmark;
import dev.luq.benchmarks.PaperTable;
import dev.luq.benchmarks.run.RunHeader;
import dev.luq.benchmarks.run.RunResult;
import dev.luq.files.DamagedFileException;
import dev.luq.files.JsonFile;
import dev.luq.requant.report.Axis;
import dev.luq.requant.report.Chart;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * All results of a folder as {@code results.md}: a row for each file that was served, beside the paper's rows; and for
 * each benchmark a plot of scores over bits per weight.
 */
final class BenchmarkReport {

    private static final String SCORES = ".scores.json";
    private static final String NONE = "";
    /** Digits of an identity. */
    private static final int MARK = 8;

    private final Path folder;
    private final List<RunResult> results;

    private BenchmarkReport(Path folder, List<RunResult> results) {
        this.folder = folder;
        this.results = results;
    }

    /** Adds a result to those of a folder, in place of an earlier one of the same name, and writes all anew. */
    static void add(Path folder, String name, RunResult result) throws IOException {
        Path file = folder.resolve(result.header().benchmark()).resolve(name + SCORES);
        JsonFile.write(file, result);
        new BenchmarkReport(folder, read(folder)).write();
    }

    private static List<RunResult> read(Path folder) throws IOException {
        List<Path> files;
        try (Stream<Path> all = Files.walk(folder.toRealPath(), 2)) {
            files = all.filter(file -> file.getFileName().toString().endsWith(SCORES))
                    .sorted()
                    .toList();
        }
        List<RunResult> results = new ArrayList<>();
        for (Path file : files) {
            try {
                JsonFile.read(file, RunResult.class).ifPresent(results::add);
            } catch (DamagedFileException e) {
                throw new CliException(file + " is no file of scores; remove it.", e);
            }
        }
        return results;
    }

    private void write() {
        StringBuilder page = new StringBuilder("# Benchmarks\n\n").append(table());
        for (Benchmark benchmark : Benchmark.values()) {
            Optional<String> plot = plot(benchmark);
            if (plot.isPresent()) {
                JsonFile.write(
                        folder.resolve(benchmark.id() + ".svg"), plot.get().getBytes(UTF_8));
                page.append("\n![")
                        .append(benchmark.title())
                        .append(" over bits per weight](")
                        .append(benchmark.id())
                        .append(".svg)\n");
            }
        }
        JsonFile.write(folder.resolve("results.md"), page.toString().getBytes(UTF_8));
    }

    private String table() {
        StringBuilder table = new StringBuilder("| file served | prompt | bits per weight |");
        for (Benchmark benchmark : Benchmark.values()) {
            table.append(benchmark == Benchmark.MME ? " MME P / C |" : " " + benchmark.title() + " |");
        }
        table.append('\n')
                .append("|---|---|---|")
                .append("---|".repeat(Benchmark.values().length))
                .append('\n');
        Map<Served, List<RunResult>> rows = results.stream()
                .collect(Collectors.groupingBy(
                        result -> Served.of(result.header()), LinkedHashMap::new, Collectors.toList()));
        Map<String, Set<String>> marks = rows.keySet().stream()
                .collect(Collectors.groupingBy(Served::name, Collectors.mapping(Served::mark, Collectors.toSet())));
        rows.forEach((served, row) -> table.append(line(
                served.name() + (marks.get(served.name()).size() == 1 ? "" : served.mark()),
                served.prompt(),
                bits(row.get(0).header().bitsPerWeight()),
                benchmark -> cell(row, benchmark))));
        for (PaperTable.Row row : PaperTable.rows()) {
            table.append(line(
                    "paper, " + PaperTable.MODEL + ": " + row.method(),
                    NONE,
                    bits(row.bits()),
                    benchmark -> numbers(benchmark, row.scores().get(benchmark))));
        }
        return table.append(
                        "\n\\* of the first questions only, as many as `(N)` says. The paper's rows (arXiv 2509.23729)")
                .append(" are of its own files and prompts.\n")
                .toString();
    }

    /** What a row is of: one model as it was served. */
    private record Served(String name, String prompt, String identity, Long bytes) {

        static Served of(RunHeader header) {
            return new Served(BenchmarkReport.name(header), header.prompt(), header.identity(), header.bytes());
        }

        /** Tells it from another one of its name. */
        String mark() {
            return identity == null ? "" : " [" + identity.substring(0, Math.min(identity.length(), MARK)) + "]";
        }
    }

    private interface Cells {
        String of(Benchmark benchmark);
    }

    private static String line(String name, String prompt, String bits, Cells cells) {
        return Stream.of(Benchmark.values())
                .map(cells::of)
                .collect(Collectors.joining(
                        " | ", "| " + escaped(name) + " | " + prompt + " | " + bits + " | ", " |\n"));
    }

    private static String escaped(String cell) {
        return cell.replace("|", "\\|");
    }

    private static String name(RunHeader header) {
        return header.model() + (header.variant() == null ? "" : " (" + header.variant() + ")");
    }

    private static String bits(Double bits) {
        return bits == null ? NONE : String.format(Locale.ROOT, "%.2f", bits);
    }

    private static String cell(List<RunResult> row, Benchmark benchmark) {
        return row.stream()
                .filter(result -> result.header().benchmark().equals(benchmark.id()))
                .findFirst()
                .map(result -> numbers(benchmark, headline(result, benchmark))
                        + (result.limit() == null ? "" : " \\* (" + result.limit() + ")")
                        + (result.judge() == null ? "" : ", judged by " + escaped(result.judge()))
                        + failures(result))
                .orElse(NONE);
    }

    /** What counts as wrong and may be no fault of the model. */
    private static String failures(RunResult result) {
        return (result.refused() == 0 ? "" : ", " + result.refused() + " refused")
                + (result.unread() == 0 ? "" : ", " + result.unread() + " unread");
    }

    private static List<Double> headline(RunResult result, Benchmark benchmark) {
        return benchmark.headline().stream()
                .map(metric -> result.scores().value(metric).orElse(0.0))
                .toList();
    }

    private static String numbers(Benchmark benchmark, List<Double> values) {
        String format = benchmark == Benchmark.MME ? "%.0f" : "%.1f";
        return values.stream()
                .map(value -> String.format(Locale.ROOT, format, value))
                .collect(Collectors.joining(" / "));
    }

    /** Empty without a result whose bits are known. */
    private Optional<String> plot(Benchmark benchmark) {
        List<Chart.Point> served = results.stream()
                .filter(result -> result.header().benchmark().equals(benchmark.id()))
                .filter(result -> result.header().bitsPerWeight() != null)
                .map(result -> new Chart.Point(
                        result.header().bitsPerWeight(),
                        headline(result, benchmark).get(0),
                        name(result.header()),
                        result.header().prompt() + failures(result)))
                .toList();
        if (served.isEmpty()) {
            return Optional.empty();
        }
        List<Chart.Point> paper = PaperTable.rows().stream()
                .map(row ->
                        new Chart.Point(row.bits(), row.scores().get(benchmark).get(0), row.method(), PaperTable.MODEL))
                .toList();
        List<Chart.Point> all = Stream.concat(served.stream(), paper.stream()).toList();
        String metric = benchmark.headline().get(0);
        return Optional.of(new Chart(
                        benchmark.title(),
                        Axis.logarithmic("bits per weight", all.stream().mapToDouble(Chart.Point::x)),
                        Axis.fromZero(
                                benchmark.title() + ": " + metric, all.stream().mapToDouble(Chart.Point::y)),
                        List.of(
                                new Chart.Series("served here", 0, Chart.Line.NONE, true, served),
                                new Chart.Series("paper, " + PaperTable.MODEL, 1, Chart.Line.NONE, true, paper)))
                .file());
    }
}
