package dev.luq.bench;

import dev.luq.cli.CliException;
import dev.luq.cli.MachineKernels;
import dev.luq.llama.ImageChunk;
import dev.luq.llama.Llama;
import dev.luq.llama.Model;
import dev.luq.llama.PromptPart;
import dev.luq.llama.Vision;
import dev.luq.llama.VisionOptions;
import dev.luq.machine.Kernels;
import dev.luq.machine.Processors;
import dev.luq.requant.plan.Precision;
import dev.luq.requant.report.Axis;
import dev.luq.requant.report.Chart;
import dev.luq.requant.report.Look;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.function.DoubleSupplier;
import java.util.function.ToDoubleFunction;
import java.util.stream.DoubleStream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code luq bench image-growth}: how the time of a picture grows with its size, by us and by stock llama.cpp. */
@Command(
        name = "image-growth",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description =
                "Measures how the time of encoding a picture grows with its tokens, with our kernels and in llama.cpp"
                        + " without our patches.",
        footerHeading = "%nHow it is measured%n",
        footer = {
            "Random weights in the shape of Qwen2.5-VL-7B's encoder, F16; pictures of noise. Each size has a turn of ours and one of"
                    + " stock in each repetition, after one of ours that is not counted; the least seconds count.",
            "The dashed lines are what the first size's time per token would make of the others."
        })
final class ImageGrowthBenchmark implements Callable<Integer> {

    private static final String SHAPE = "qwen2.5-vl-7b";
    /** Pixels of a token's side: two patches of 14. */
    private static final int TOKEN_SIDE = 28;

    private static final int MOST_TOKENS = 16384;

    @Option(
            names = "--layers",
            paramLabel = "LAYERS",
            defaultValue = "8",
            description =
                    "Layers that stand for all 32, to save time; every eighth sees the whole picture; 0: all (default:"
                            + " ${DEFAULT-VALUE}).")
    private int layers;

    @Option(
            names = "--tokens",
            paramLabel = "N",
            split = ",",
            defaultValue = "256,576,1024,1600,2304,3136,4096",
            description =
                    "Of the pictures, which are square: rounded down to a square number (default: ${DEFAULT-VALUE}).")
    private List<Integer> tokens;

    @Option(
            names = "--repetitions",
            paramLabel = "R",
            defaultValue = "2",
            description = "Turns of each size (default: ${DEFAULT-VALUE}).")
    private int repetitions;

    @Option(names = "--threads", paramLabel = "N", description = "Compute threads (default: all processors).")
    private int threads = Processors.available();

    @Option(names = "--plot", paramLabel = "FILE", description = "Draws the figures into this SVG file.")
    private Path plot;

    @Option(names = "--stock-tools", paramLabel = "FOLDER", hidden = true)
    private Path stockTools;

    /**
     * Seconds of a picture.
     *
     * @param stock NaN where it was not measured
     */
    private record Measured(int tokens, double ours, double stock) {}

    @Override
    public Integer call() throws IOException {
        if (repetitions < 1
                || threads < 1
                || tokens.isEmpty()
                || tokens.stream().anyMatch(count -> count < 1 || count > MOST_TOKENS)) {
            throw new CliException("--tokens must be 1 to " + MOST_TOKENS + ", --repetitions and --threads 1 or more.");
        }
        MachineKernels.know();
        Llama.init(line -> {});
        Llama.enableKernels(Kernels.FAST);
        ProjectorSynthesizer.Shape encoder = ProjectorSynthesizer.Shape.named(SHAPE, layers);
        System.out.printf("%s: %d layers, F16; %d threads%n%n", SHAPE, encoder.layers(), threads);
        run(encoder);
        return 0;
    }

    /** Random weights in this shape, which takes pictures of any size. */
    void run(ProjectorSynthesizer.Shape encoder) throws IOException {
        List<Measured> measured = measure(encoder);
        if (plot != null) {
            Files.writeString(plot, chart(measured).file());
        }
    }

    private List<Measured> measure(ProjectorSynthesizer.Shape encoder) throws IOException {
        System.out.printf("%8s %10s %14s %10s %8s%n", "tokens", "ours, s", "ms per token", "stock, s", "ratio");
        List<Measured> measured = new ArrayList<>();
        try (TemporaryFolder folder = TemporaryFolder.create()) {
            Path model = folder.resolve("model.gguf");
            Path mmproj = folder.resolve("mmproj.gguf");
            encoder.writeModel(model);
            new ProjectorSynthesizer(encoder, Precision.F16).write(mmproj);
            try (Model loaded = Model.load(List.of(model));
                    Vision vision = Vision.open(mmproj, loaded, new VisionOptions(threads, MOST_TOKENS))) {
                for (int count : tokens) {
                    int side = TOKEN_SIDE * (int) Math.sqrt(count);
                    Measured size = measure(vision, model, mmproj, side, folder);
                    measured.add(size);
                    System.out.printf(
                            "%8d %10.3f %14.2f %10.3f %8.2f%n",
                            size.tokens, size.ours, size.ours / size.tokens * 1e3, size.stock, size.stock / size.ours);
                }
            }
        }
        return measured;
    }

    private Measured measure(Vision vision, Path model, Path mmproj, int side, TemporaryFolder folder)
            throws IOException {
        byte[] noise = new byte[3 * side * side];
        new Random(1).nextBytes(noise);
        try (ImageChunk picture =
                ImageBenchmark.picture(vision, new PromptPart.Image(side, side, noise, "noise" + side))) {
            double unused = ImageBenchmark.seconds(vision, picture);
            if (stockTools == null) {
                return measure(picture.tokens(), () -> ImageBenchmark.seconds(vision, picture), () -> Double.NaN);
            }
            Path pixels = Files.write(folder.resolve("noise.rgb"), noise);
            try (StockEncoder stock = new StockEncoder(stockTools, model, mmproj, threads, side, pixels)) {
                boolean same = stock.tokens() == picture.tokens();
                return measure(
                        picture.tokens(),
                        () -> ImageBenchmark.seconds(vision, picture),
                        same ? stock::encode : () -> Double.NaN);
            }
        }
    }

    /** Takes turns; the least seconds of each side. */
    private Measured measure(int count, DoubleSupplier ours, DoubleSupplier stock) {
        Measured least = new Measured(count, Double.POSITIVE_INFINITY, Double.POSITIVE_INFINITY);
        for (int i = 0; i < repetitions; i++) {
            least = new Measured(
                    count, Math.min(least.ours, ours.getAsDouble()), Math.min(least.stock, stock.getAsDouble()));
        }
        return least;
    }

    private static Chart chart(List<Measured> measured) {
        List<Chart.Series> series = new ArrayList<>();
        add(series, "ours", 0, measured, Measured::ours);
        if (measured.stream().anyMatch(size -> Double.isFinite(size.stock))) {
            add(series, "stock llama.cpp", 1, measured, Measured::stock);
        }
        return new Chart(
                "seconds a picture against its tokens",
                Axis.logarithmic("tokens of the picture", measured.stream().mapToDouble(Measured::tokens)),
                Axis.logarithmic(
                        "seconds", measured.stream().flatMapToDouble(size -> DoubleStream.of(size.ours, size.stock))),
                series);
    }

    /** What was measured, and what the first size's time per token would make of the others. */
    private static void add(
            List<Chart.Series> series,
            String side,
            int color,
            List<Measured> measured,
            ToDoubleFunction<Measured> seconds) {
        Measured first = measured.get(0);
        double each = seconds.applyAsDouble(first) / first.tokens;
        series.add(line(side, new Look(color, Look.Marker.CIRCLE, false), measured, seconds));
        series.add(line(
                side + ", if proportional",
                new Look(color, Look.Marker.SQUARE, true),
                measured,
                size -> each * size.tokens));
    }

    private static Chart.Series line(
            String name, Look look, List<Measured> measured, ToDoubleFunction<Measured> seconds) {
        return new Chart.Series(
                name,
                look,
                Chart.Line.STRAIGHT,
                false,
                measured.stream()
                        .map(size -> new Chart.Point(size.tokens, seconds.applyAsDouble(size), name, ""))
                        .toList());
    }
}
