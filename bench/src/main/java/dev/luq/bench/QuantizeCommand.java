package dev.luq.bench;

import dev.luq.cli.CliException;
import dev.luq.cli.MachineKernels;
import dev.luq.files.Units;
import dev.luq.gguf.GgmlType;
import dev.luq.llama.Llama;
import dev.luq.machine.Processors;
import dev.luq.requant.plan.Precision;
import java.io.IOException;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code luq bench quantize}: our quantization beside llama.cpp's, or that of a model of a real one's size. */
@Command(
        name = "quantize",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = "Compares the speed of quantization with llama.cpp's, or quantizes a model of a real one's size.",
        footerHeading = "%nHow it is measured%n",
        footer = {
            "Without --layers: one layer of Qwen2.5-VL-7B's shape with random F16 weights and an importance matrix, every"
                    + " matrix with one in so many of its rows (--rows-divisor). Cost depends on weights and row length,"
                    + " and with few rows on what a file costs whatever its size.",
            "LUQ: what a re-quantization does for a layer: reading, quantizing, checking, hashing, writing, and waiting until"
                    + " the disk has the file. llama.cpp: llama_model_quantize, what its quantize tool calls, from file to file;"
                    + " it does not wait for the disk.",
            "Each round measures both, one after the other, in alternating order, in this process and with the same threads;"
                    + " the ratio is the median over the rounds. The tables of a type are computed before. What ggml quantizes on"
                    + " both sides is compared bit for bit. IQ1_M, IQ2 and IQ3 are searched for by LUQ: of them the last column"
                    + " says which part of llama.cpp's error is left, as squares weighted by importance.",
            "With --layers N --low K: a model of that shape with N of the 28 layers, and all of its embeddings and output, is"
                    + " written and re-quantized once, its first K layers to IQ1_M and the rest to Q4_K_M. Time is told for the"
                    + " tensors outside the layers, low and high layers; times and sizes of the whole model with 12 low layers"
                    + " follow from them and from its table of tensors. Then llama.cpp makes a file of the same types from it:"
                    + " the ratio is that of the two times, ours with waiting for the disk."
        })
final class QuantizeCommand implements Callable<Integer> {

    private static final ModelSynthesizer.Shape QWEN_7B = ModelSynthesizer.Shape.qwen7B(GgmlType.F16);
    /** Of its layers, those that are low in the paper. */
    private static final int PAPER_LOW = 12;

    @Option(
            names = "--types",
            paramLabel = "TYPE",
            split = ",",
            defaultValue = "IQ1_M,Q4_K,Q6_K",
            description = "What to quantize to (default: ${DEFAULT-VALUE}).")
    private List<Precision> types;

    @Option(
            names = "--rounds",
            paramLabel = "R",
            defaultValue = "3",
            description = "Pairs of measurements of each type" + " (default: ${DEFAULT-VALUE}).")
    private int rounds;

    @Option(
            names = "--rows-divisor",
            paramLabel = "D",
            defaultValue = "2",
            description = "Every matrix has one in D of its rows (default: ${DEFAULT-VALUE}).")
    private int rowsDivisor;

    @Option(
            names = "--layers",
            paramLabel = "N",
            defaultValue = "0",
            description = "Quantize a model of N layers instead; 4 takes 8 GB of disk.")
    private int layers;

    @Option(
            names = "--low",
            paramLabel = "K",
            defaultValue = "2",
            description = "Layers of it that go low (default: ${DEFAULT-VALUE}).")
    private int low;

    @Option(names = "--threads", paramLabel = "T", description = "Default: the processors available.")
    private int threads = Processors.available();

    @Option(
            names = "--folder",
            paramLabel = "DIR",
            description = "Where files are written and removed again" + " (default: the system's temporary folder).")
    private Path folder = Path.of(System.getProperty("java.io.tmpdir"));

    @Override
    public Integer call() throws IOException {
        if (rounds < 1 || rowsDivisor < 1 || threads < 1 || layers < 0 || low < 0 || layers > 0 && low > layers) {
            throw new CliException("--low is 0 to --layers, the other numbers are 1 or more.");
        }
        if (types.stream().anyMatch(type -> type == Precision.Q4_K_M || type == Precision.F16)) {
            throw new CliException("--types takes single types, not Q4_K_M, which is several, nor F16, which is none.");
        }
        MachineKernels.know();
        Llama.init(line -> {});
        try (TemporaryFolder work = TemporaryFolder.in(folder)) {
            if (layers > 0) {
                new ModelQuantization(work.path(), QWEN_7B, threads).run(layers, low, PAPER_LOW);
            } else {
                compare(work.path());
            }
        }
        return 0;
    }

    private void compare(Path work) throws IOException {
        QuantizeBenchmark benchmark = new QuantizeBenchmark(work, QWEN_7B, rowsDivisor, threads);
        System.out.printf(
                "One layer of Qwen2.5-VL-7B's shape, one in %d rows; %d threads, %d rounds%n%n",
                rowsDivisor, threads, rounds);
        System.out.println("          million weights/s/core           faster    peak memory, MiB   tensors");
        System.out.println("             LUQ   llama.cpp        LUQ / llama.cpp    LUQ  llama.cpp");
        Map<GgmlType, Double> rates = new EnumMap<>(GgmlType.class);
        for (Precision type : types) {
            QuantizeBenchmark.Result result = benchmark.measure(type, rounds);
            rates.put(result.type(), result.ours());
            System.out.printf(
                    Locale.ROOT,
                    "%-8s %7.2f   %9.2f   %20.3f   %4.0f  %9.0f   %s%n",
                    result.type(),
                    result.ours() / threads / 1e6,
                    result.llama() / threads / 1e6,
                    result.ratio(),
                    result.oursPeakBytes() / Units.MIB,
                    result.llamaPeakBytes() / Units.MIB,
                    result.likeness());
        }
        Map<GgmlType, Long> weights = QuantizeBenchmark.weights(QWEN_7B, PAPER_LOW);
        if (rates.keySet().containsAll(weights.keySet())) {
            double seconds = weights.entrySet().stream()
                    .mapToDouble(e -> e.getValue() / rates.get(e.getKey()))
                    .sum();
            System.out.printf(
                    Locale.ROOT,
                    "%nAt these rates the whole model with %d low layers takes %.1f minutes.%n",
                    PAPER_LOW,
                    seconds / 60);
        }
    }
}
