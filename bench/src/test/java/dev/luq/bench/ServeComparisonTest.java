package dev.luq.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class ServeComparisonTest {

    private static final double[] FIRSTS = {0.2, 0.1, 0.3};

    /** The machine is half as fast in the second pair: that is no difference between the servers. */
    @Test
    void ratiosAreTakenWithinAPair() {
        ServeComparison comparison = new ServeComparison(ServeWorkload.TEXT, 4);
        comparison.add(Map.of("generated tokens/s", 300.0), Map.of("generated tokens/s", 200.0));
        comparison.add(Map.of("generated tokens/s", 150.0), Map.of("generated tokens/s", 100.0));
        comparison.add(Map.of("generated tokens/s", 200.0), Map.of("generated tokens/s", 200.0));
        ServeComparison.Row row = comparison.rows().get(0);
        assertEquals(200, row.ours());
        assertEquals(200, row.peers());
        assertEquals(new Spread(1, 1.25, 1.5, 1.5, 1.5), row.ratio());
        String line = comparison.lines().get(0);
        assertTrue(line.matches("text +4 +generated tokens/s +200.00 +200.00 +1.50 +\\(1.00 to 1.50\\)"), line);
    }

    @Test
    void aTurnOfClientsHasRateFirstTokenAndGaps() {
        double[] gaps = IntStream.rangeClosed(0, 100).mapToDouble(i -> i / 1e3).toArray();
        Map<String, Double> figures =
                ServeComparison.figures(List.of(new ServeLoad.Turn(2, 100, 3, FIRSTS, gaps, List.of())));
        assertEquals(
                List.of(
                        "generated tokens/s",
                        "first token, median, ms",
                        "first token, p99, ms",
                        "between tokens, median, ms",
                        "between tokens, p99, ms"),
                List.copyOf(figures.keySet()));
        assertEquals(50, figures.get("generated tokens/s"));
        assertEquals(200, figures.get("first token, median, ms"), 1e-9);
        assertEquals(298, figures.get("first token, p99, ms"), 1e-9);
        assertEquals(50, figures.get("between tokens, median, ms"), 1e-9);
        assertEquals(99, figures.get("between tokens, p99, ms"), 1e-9);
    }

    /** A server that starves the others for the sake of the stream would look better than it is. */
    @Test
    void ofAStreamTheLongestGapAndWhatTheOthersGotAreTold() {
        Map<String, Double> figures = ServeComparison.figures(List.of(
                new ServeLoad.Turn(2, 100, 0, FIRSTS, new double[] {0.01, 0.5}, List.of()),
                new ServeLoad.Turn(2, 40, 10, FIRSTS, new double[0], List.of())));
        assertEquals(500, figures.get("between tokens, longest, ms"), 1e-9);
        assertEquals(5, figures.get("answers/s to the others"));
        assertFalse(figures.containsKey("first token, median, ms"));
    }

    @Test
    void whatATurnHasNoValueForIsLeftOut() {
        ServeComparison comparison = new ServeComparison(ServeWorkload.NEW_PICTURES, 1);
        comparison.add(Map.of("a", 1.0, "b", 2.0), Map.of("a", 1.0));
        assertEquals(
                Set.of("a"),
                Set.copyOf(comparison.rows().stream()
                        .map(ServeComparison.Row::name)
                        .toList()));
    }

    @Test
    void theFileHasEveryTurn() {
        ServeComparison comparison = new ServeComparison(ServeWorkload.TEXT, 8);
        comparison.add(Map.of("a", 3.0), Map.of("a", 2.0));
        comparison.add(Map.of("a", 1.0), Map.of("a", 2.0));
        JsonNode json = comparison.json();
        assertEquals("text", json.path("workload").asText());
        assertEquals(8, json.path("clients").asInt());
        assertEquals(
                1.0, json.path("figures").path("a").path("ratio").path("median").asDouble());
        assertEquals(
                "{\"ours\":[{\"a\":3.0},{\"a\":1.0}],\"llama_server\":[{\"a\":2.0},{\"a\":2.0}]}",
                json.path("turns").toString());
    }
}
