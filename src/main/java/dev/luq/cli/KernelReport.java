package dev.luq.cli;

import dev.luq.machine.KernelTable;
import dev.luq.machine.KernelTrial;
import dev.luq.machine.Kernels;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** What {@code luq doctor} prints about this machine's kernels: a line a type, a column a set of kernels. */
final class KernelReport {

    private static final List<Kernels> ALL = List.of(Kernels.values());

    private final KernelTable table;

    KernelReport(KernelTable table) {
        this.table = table;
    }

    List<String> lines() {
        List<String> lines = new ArrayList<>();
        Map<String, String> off = table.switchedOff();
        lines.add("kernels            " + table.trials().size() + " tried against plain C++, "
                + (off.isEmpty() ? "all of them right" : "switched off on this machine:"));
        off.forEach((set, why) -> lines.add("                   " + set + ": " + why));
        lines.add("");
        lines.add(
                "Billions of weights a second, one column of activations (gemm: of products, 128 columns), one core, from"
                        + " cache; then what is taken for each of luq.worker.kernels.");
        lines.addAll(grid());
        return lines;
    }

    private List<String> grid() {
        // ours before llama.cpp's layouts, and rows last
        List<String> sets = Stream.of(sets(false), sets(true))
                .flatMap(Set::stream)
                .distinct()
                .sorted((a, b) -> Boolean.compare(a.equals(KernelTrial.ROWS), b.equals(KernelTrial.ROWS)))
                .toList();
        List<List<String>> rows = new ArrayList<>();
        rows.add(Stream.of(Stream.of("type"), sets.stream(), ALL.stream().map(Kernels::configName))
                .flatMap(each -> each)
                .toList());
        for (String type : table.types()) {
            Map<String, List<KernelTrial>> kinds = kinds(type);
            kinds.forEach((kind, trials) -> {
                List<String> row = new ArrayList<>(List.of((type + " " + kind).strip()));
                sets.forEach(set -> row.add(trials.stream()
                        .filter(trial -> trial.set().equals(set))
                        .findFirst()
                        .map(KernelReport::cell)
                        .orElse("")));
                ALL.forEach(each -> row.add(
                        kind.isEmpty() || kind.equals(each.configName()) || each == Kernels.STOCK
                                ? taken(type, each)
                                : ""));
                rows.add(row);
            });
        }
        return aligned(rows, 1 + sets.size());
    }

    private Set<String> sets(boolean stock) {
        return table.trials().stream()
                .filter(trial -> trial.stock() == stock)
                .map(KernelTrial::set)
                .collect(Collectors.toCollection(LinkedHashSet::new));
    }

    /** A type has a line for each of its kinds of panels if there are several; llama.cpp's kernels are in each. */
    private Map<String, List<KernelTrial>> kinds(String type) {
        List<KernelTrial> all = table.trials().stream()
                .filter(trial -> trial.type().equals(type))
                .toList();
        List<KernelTrial> stock = all.stream().filter(KernelTrial::stock).toList();
        Map<String, List<KernelTrial>> ours = all.stream()
                .filter(trial -> !trial.stock())
                .collect(Collectors.groupingBy(KernelTrial::layouts, LinkedHashMap::new, Collectors.toList()));
        Map<String, List<KernelTrial>> kinds = new LinkedHashMap<>();
        if (ours.size() < 2) {
            kinds.put("", all);
        } else {
            ours.forEach((kind, trials) -> kinds.put(
                    kind, Stream.concat(trials.stream(), stock.stream()).toList()));
        }
        return kinds;
    }

    private static String cell(KernelTrial trial) {
        return switch (trial.outcome()) {
            case RIGHT -> String.format(Locale.ROOT, "%.1f", trial.gemm() ? trial.many() : trial.one());
            case WRONG -> "wrong";
            case DIED -> "died";
            case LEFT_OUT -> "off";
        };
    }

    private String taken(String type, Kernels kernels) {
        return table.taken(type, kernels).map(KernelTrial::set).orElse("plain C++")
                + table.manyColumns(type, kernels)
                        .map(many -> ", " + many.columns() + "+: " + many.gemm())
                        .orElse("");
    }

    /** Columns of figures to the right, names to the left. */
    private static List<String> aligned(List<List<String>> rows, int figuresEnd) {
        int columns = rows.get(0).size();
        List<StringBuilder> lines =
                rows.stream().map(row -> new StringBuilder()).toList();
        for (int c = 0; c < columns; c++) {
            int column = c;
            int width = rows.stream()
                    .mapToInt(row -> row.get(column).length())
                    .max()
                    .orElse(0);
            String format = (c > 0 && c < figuresEnd ? "%" : "%-") + width + "s  ";
            for (int r = 0; r < rows.size(); r++) {
                lines.get(r).append(String.format(format, rows.get(r).get(c)));
            }
        }
        return lines.stream().map(line -> line.toString().stripTrailing()).toList();
    }
}
