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
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
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
                || tokens.stream().anyMatch(count -> count < 1 || count > 16384)) {
            throw new CliException("--tokens must be 1 to 16384, --repetitions and --threads 1 or more.");
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
                    Vision vision = Vision.open(mmproj, loaded, new VisionOptions(threads, 16384))) {
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
            double ours = Double.POSITIVE_INFINITY;
            if (stockTools == null) {
                for (int i = 0; i < repetitions; i++) {
                    ours = Math.min(ours, ImageBenchmark.seconds(vision, picture));
                }
                return new Measured(picture.tokens(), ours, Double.NaN);
            }
            Path pixels = Files.write(folder.resolve("noise.rgb"), noise);
            double theirs = Double.POSITIVE_INFINITY;
            try (StockEncoder stock = new StockEncoder(stockTools, model, mmproj, threads, side, pixels)) {
                boolean same = stock.tokens() == picture.tokens();
                for (int i = 0; i < repetitions; i++) {
                    ours = Math.min(ours, ImageBenchmark.seconds(vision, picture));
                    theirs = same ? Math.min(theirs, stock.encode()) : Double.NaN;
                }
            }
            return new Measured(picture.tokens(), ours, theirs);
        }
    }

    private static Chart chart(List<Measured> measured) {
        List<Chart.Series> series = new ArrayList<>();
        series.add(series("ours", 0, Chart.Line.SOLID, measured, true));
        series.add(proportional("ours, if proportional", 0, measured, true));
        if (measured.stream().anyMatch(size -> Double.isFinite(size.stock))) {
            series.add(series("stock llama.cpp", 1, Chart.Line.SOLID, measured, false));
            series.add(proportional("stock, if proportional", 1, measured, false));
        }
        return new Chart(
                "seconds a picture against its tokens",
                Axis.logarithmic("tokens of the picture", measured.stream().mapToDouble(Measured::tokens)),
                Axis.logarithmic(
                        "seconds", measured.stream().flatMapToDouble(size -> DoubleStream.of(size.ours, size.stock))),
                series);
    }

    private static Chart.Series series(String name, int color, Chart.Line line, List<Measured> measured, boolean ours) {
        return new Chart.Series(
                name,
                color,
                line,
                false,
                measured.stream()
                        .map(size -> new Chart.Point(size.tokens, ours ? size.ours : size.stock, name, ""))
                        .toList());
    }

    private static Chart.Series proportional(String name, int color, List<Measured> measured, boolean ours) {
        Measured first = measured.get(0);
        double each = (ours ? first.ours : first.stock) / first.tokens;
        return new Chart.Series(
                name,
                color,
                Chart.Line.DASHED,
                false,
                measured.stream()
                        .map(size -> new Chart.Point(size.tokens, each * size.tokens, name, ""))
                        .toList());
    }
}
