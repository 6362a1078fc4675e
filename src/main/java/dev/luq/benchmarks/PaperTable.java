package dev.luq.benchmarks;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/**
 * The paper's results with Qwen2.5-VL-7B (arXiv 2509.23729), of its own quantizers and files, from the table of its
 * authors' page, https://shubhangb97.github.io/LUQ.
 */
public final class PaperTable {

    /** The model that all rows are of. */
    public static final String MODEL = "Qwen2.5-VL-7B";

    /**
     * A row.
     *
     * @param method how the language model was quantized
     * @param bits of a weight of the language model
     * @param scores of each benchmark, in the order of its headline
     */
    public record Row(String method, double bits, Map<Benchmark, List<Double>> scores) {}

    private PaperTable() {}

    /** All rows but that of GPTQ with 2 bits, whose output was incoherent: it scores 0 everywhere. */
    public static List<Row> rows() {
        return List.of(
                row("FP16", 16, 1695, 640, 82.6, 84.9, 83.5, 60.5, 86.1, 87.3, 95.7, 68.2),
                row("GPTQ", 4, 1638, 610, 80.2, 84.2, 82.6, 60.1, 84.8, 84.1, 93.4, 44.8),
                row("AWQ", 4, 1645, 620, 80.9, 84.6, 82.7, 60.5, 85.6, 84.5, 93.5, 46.1),
                row("GPTQ", 3, 319, 131, 34.7, 79.5, 81.5, 53.4, 82.9, 61.0, 89.2, 21.0),
                row("LUQ, 12 low layers", 2.75, 1640, 600, 63.7, 81.9, 79.7, 52.9, 84.7, 68.6, 90.5, 41.7),
                row("BiLLM", 1.08, 638, 42, 9.7, 26.3, 39.5, 4.3, 70.7, 3.7, 20.3, 15.1));
    }

    private static Row row(String method, double bits, double... values) {
        Map<Benchmark, List<Double>> scores = new EnumMap<>(Benchmark.class);
        int next = 0;
        for (Benchmark benchmark : Benchmark.values()) {
            int width = benchmark.headline().size();
            List<Double> cells = new ArrayList<>();
            for (int i = 0; i < width; i++) {
                cells.add(values[next++]);
            }
            scores.put(benchmark, List.copyOf(cells));
        }
        return new Row(method, bits, scores);
    }
}
