package dev.luq.bench;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.luq.cli.CompletionClient;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Figures of two servers under one workload, in pairs of turns one right after the other: ratios are taken within a pair,
 * so that a machine that is not equally fast all the time meets both alike.
 */
final class ServeComparison {

    private final ServeWorkload workload;
    private final int clients;
    private final List<Map<String, Double>> ours = new ArrayList<>();
    private final List<Map<String, Double>> peers = new ArrayList<>();

    /**
     * One figure.
     *
     * @param name with its unit
     * @param ours median over the turns
     * @param peers the same of the other server
     * @param ratio ours / peer's over the pairs
     */
    record Row(String name, double ours, double peers, Spread ratio) {}

    ServeComparison(ServeWorkload workload, int clients) {
        this.workload = workload;
        this.clients = clients;
    }

    /**
     * Adds a pair of turns.
     *
     * @param ours figures by their names, the same names in every turn
     */
    void add(Map<String, Double> ours, Map<String, Double> peers) {
        this.ours.add(ours);
        this.peers.add(peers);
    }

    /**
     * Figures of a turn.
     *
     * @param turns those who are measured first, then those beside them, if any
     * @return in the order of the table; a figure that the turn has no value for is missing
     */
    static Map<String, Double> figures(List<ServeLoad.Turn> turns) {
        ServeLoad.Turn turn = turns.get(0);
        Map<String, Double> figures = new LinkedHashMap<>();
        figures.put("generated tokens/s", turn.tokens() / turn.seconds());
        if (turns.size() == 1) {
            quantiles(figures, "first token", turn.firsts());
        }
        quantiles(figures, "between tokens", turn.gaps());
        if (turns.size() > 1) {
            if (turn.gaps().length > 0) {
                figures.put(
                        "between tokens, longest, ms",
                        1000 * Spread.of(turn.gaps()).max());
            }
            figures.put(
                    "answers/s to the others",
                    turns.get(1).answers() / turns.get(1).seconds());
        }
        return figures;
    }

    private static void quantiles(Map<String, Double> figures, String name, double[] seconds) {
        if (seconds.length > 0) {
            figures.put(name + ", median, ms", 1000 * Spread.quantile(0.5, seconds));
            figures.put(name + ", p99, ms", 1000 * Spread.quantile(0.99, seconds));
        }
    }

    /** One row for each figure that every turn has. */
    List<Row> rows() {
        List<Row> rows = new ArrayList<>();
        for (String name : ours.get(0).keySet()) {
            if (ours.stream().allMatch(turn -> turn.containsKey(name))
                    && peers.stream().allMatch(turn -> turn.containsKey(name))) {
                rows.add(row(name));
            }
        }
        return rows;
    }

    private Row row(String name) {
        double[] ratios = new double[ours.size()];
        for (int i = 0; i < ratios.length; i++) {
            ratios[i] = ours.get(i).get(name) / peers.get(i).get(name);
        }
        return new Row(
                name,
                Spread.of(ours, turn -> turn.get(name)).median(),
                Spread.of(peers, turn -> turn.get(name)).median(),
                Spread.of(ratios));
    }

    static String heading() {
        return String.format(
                "%-24s %7s  %-28s %9s %12s %8s", "workload", "clients", "figure", "ours", "llama-server", "ratio");
    }

    /** Lines of the table: the medians of both, and the median of the ratios with the smallest and the largest. */
    List<String> lines() {
        List<String> lines = new ArrayList<>();
        for (Row row : rows()) {
            lines.add(String.format(
                    Locale.ROOT,
                    "%-24s %7s  %-28s %9.2f %12.2f %8.2f  (%.2f to %.2f)",
                    lines.isEmpty() ? workload.label() : "",
                    lines.isEmpty() ? clients : "",
                    row.name(),
                    row.ours(),
                    row.peers(),
                    row.ratio().median(),
                    row.ratio().min(),
                    row.ratio().max()));
        }
        return lines;
    }

    /** The same with the figures of every turn. */
    ObjectNode json() {
        ObjectNode json = CompletionClient.JSON.createObjectNode();
        json.put("workload", workload.label()).put("clients", clients);
        ObjectNode figures = json.putObject("figures");
        for (Row row : rows()) {
            ObjectNode figure = figures.putObject(row.name());
            figure.put("ours", row.ours()).put("llama_server", row.peers());
            figure.putObject("ratio")
                    .put("median", row.ratio().median())
                    .put("min", row.ratio().min())
                    .put("max", row.ratio().max());
        }
        ObjectNode turns = json.putObject("turns");
        turns.set("ours", CompletionClient.JSON.valueToTree(ours));
        turns.set("llama_server", CompletionClient.JSON.valueToTree(peers));
        return json;
    }
}
