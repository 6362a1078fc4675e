package dev.luq.bench;

import dev.luq.cli.CliException;
import dev.luq.cli.MachineKernels;
import dev.luq.cli.ModelOptions;
import dev.luq.files.Units;
import dev.luq.gguf.LayeredModel;
import dev.luq.gguf.ModelFiles;
import dev.luq.llama.ImageChunk;
import dev.luq.llama.Llama;
import dev.luq.llama.Model;
import dev.luq.llama.PromptChunk;
import dev.luq.llama.PromptPart;
import dev.luq.llama.Vision;
import dev.luq.llama.VisionOptions;
import dev.luq.machine.Kernels;
import dev.luq.machine.Processors;
import dev.luq.requant.plan.Plan;
import dev.luq.requant.plan.Precision;
import dev.luq.requant.quantize.QuantizeListener;
import dev.luq.requant.quantize.Requantizer;
import dev.luq.requant.store.LayerStore;
import dev.luq.requant.store.StoreLease;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.function.DoubleSupplier;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code luq bench image}: how long a picture is encoded, with projectors at F16 and Q8_0, by us and by stock llama.cpp. */
@Command(
        name = "image",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = "Measures how long encoding a picture takes, with the projector at F16 and at Q8_0, and how long"
                + " llama.cpp without our patches takes.",
        footerHeading = "%nHow it is measured%n",
        footer = {
            "Both projectors are open in one process and take turns with a picture of noise; what their first turn makes ready"
                    + " is not counted. The demo model's, quantized as requantize does it, or with --shape random weights in the"
                    + " shape of a published model's.",
            "Stock: the same files, picture and threads in libmtmd of the same version of llama.cpp as upstream has it, in a"
                    + " process for each projector that sleeps between its turns. Every round has a turn of each, in"
                    + " alternating order; ratios are taken within a round. A picture that has another number of tokens there"
                    + " is not compared."
        })
final class ImageBenchmark implements Callable<Integer> {

    @Option(
            names = "--shape",
            paramLabel = "NAME",
            description = "qwen2.5-vl-7b or llava-1.5-7b in place of the demo model.")
    private String shape;

    @Option(
            names = "--layers",
            paramLabel = "LAYERS",
            defaultValue = "0",
            description = "With --shape: layers that stand for all, to save time; 0: all (default: ${DEFAULT-VALUE}).")
    private int layers;

    @Option(
            names = "--side",
            paramLabel = "PIXELS",
            defaultValue = "560",
            description = "Of the picture, for models that take any size (default: ${DEFAULT-VALUE}).")
    private int side;

    @Option(
            names = "--repetitions",
            paramLabel = "R",
            defaultValue = "7",
            description = "Turns of each projector (default: ${DEFAULT-VALUE}).")
    private int repetitions;

    @Option(names = "--threads", paramLabel = "N", description = "Compute threads (default: all processors).")
    private int threads = Processors.available();

    @Option(names = "--stock-tools", paramLabel = "FOLDER", hidden = true)
    private Path stockTools;

    /**
     * What encodes the picture.
     *
     * @param turn encodes it once and returns the seconds
     */
    private record Side(String label, Path mmproj, DoubleSupplier turn) {}

    @Override
    public Integer call() throws IOException {
        if (side < 28 || repetitions < 1 || threads < 1) {
            throw new CliException("--side must be 28 or more, --repetitions and --threads 1 or more.");
        }
        MachineKernels.know();
        Llama.init(line -> {});
        Llama.enableKernels(Kernels.FAST);
        try (TemporaryFolder folder = TemporaryFolder.create()) {
            if (shape == null) {
                ModelOptions demo = ModelOptions.of("demo", null);
                Path f16 = demo.mmprojFile().orElseThrow();
                System.out.printf("demo model; %d threads%n", threads);
                measure(demo.modelFile(), f16, quantized(demo, folder.path()));
            } else {
                ProjectorSynthesizer.Shape encoder = ProjectorSynthesizer.Shape.named(shape, layers);
                System.out.printf(
                        "%s: %d of %d layers; %d threads%n",
                        shape,
                        encoder.layers(),
                        ProjectorSynthesizer.Shape.named(shape, 0).layers(),
                        threads);
                measure(encoder, folder.path());
            }
        }
        return 0;
    }

    private Path quantized(ModelOptions options, Path folder) throws IOException {
        LayerStore store = LayerStore.open(folder.resolve("store"));
        ModelFiles model = options.modelFiles();
        int count = LayeredModel.of(model).layers().size();
        try (StoreLease lease = store.build();
                Requantizer requantizer =
                        new Requantizer(store, model, options.mmprojFiles(), Optional.empty(), threads)) {
            return requantizer
                    .assemble(Plan.uniform(count, Precision.F16, Precision.F16, Precision.Q8_0), QuantizeListener.NONE)
                    .mmproj()
                    .orElseThrow();
        }
    }

    /**
     * Random weights in this shape.
     *
     * @param folder for the files, which are left there
     */
    void measure(ProjectorSynthesizer.Shape encoder, Path folder) throws IOException {
        Path model = folder.resolve("model.gguf");
        Path f16 = folder.resolve("f16.gguf");
        Path q8 = folder.resolve("q8_0.gguf");
        encoder.writeModel(model);
        new ProjectorSynthesizer(encoder, Precision.F16).write(f16);
        new ProjectorSynthesizer(encoder, Precision.Q8_0).write(q8);
        measure(model, f16, q8);
    }

    private void measure(Path model, Path f16, Path q8) throws IOException {
        byte[] noise = new byte[3 * side * side];
        new Random(1).nextBytes(noise);
        VisionOptions options = new VisionOptions(threads, 0);
        try (TemporaryFolder folder = TemporaryFolder.create();
                Model loaded = Model.load(List.of(model));
                Vision large = Vision.open(f16, loaded, options);
                Vision small = Vision.open(q8, loaded, options);
                ImageChunk picture = picture(large, new PromptPart.Image(side, side, noise, "noise"))) {
            System.out.printf("a picture of %d tokens%n%n", picture.tokens());
            List<Side> sides = new ArrayList<>(List.of(
                    new Side("F16", f16, () -> seconds(large, picture)),
                    new Side("Q8_0", q8, () -> seconds(small, picture))));
            if (stockTools == null) {
                report(sides);
                return;
            }
            Path pixels = Files.write(folder.resolve("noise.rgb"), noise);
            try (StockEncoder stockLarge = new StockEncoder(stockTools, model, f16, threads, side, pixels);
                    StockEncoder stockSmall = new StockEncoder(stockTools, model, q8, threads, side, pixels)) {
                if (stockLarge.tokens() == picture.tokens()) {
                    sides.add(new Side("F16, stock", f16, stockLarge::encode));
                    sides.add(new Side("Q8_0, stock", q8, stockSmall::encode));
                } else {
                    System.out.printf("%d tokens in stock llama.cpp: not compared%n%n", stockLarge.tokens());
                }
                report(sides);
            }
        }
    }

    /** Takes turns, then prints what came of them; stock sides come last, in the order of ours. */
    private void report(List<Side> sides) throws IOException {
        for (Side side : sides) {
            double unused = side.turn().getAsDouble();
        }
        List<double[]> rounds = new ArrayList<>();
        for (int i = 0; i < repetitions; i++) {
            double[] seconds = new double[sides.size()];
            for (int j = 0; j < seconds.length; j++) {
                int turn = i % 2 == 0 ? j : seconds.length - 1 - j;
                seconds[turn] = sides.get(turn).turn().getAsDouble();
            }
            rounds.add(seconds);
        }
        System.out.printf("%-12s %8s %10s %10s %10s%n", "", "MiB", "min s", "median s", "max s");
        for (int i = 0; i < sides.size(); i++) {
            int side = i;
            print(sides.get(i).label(), sides.get(i).mmproj(), Spread.of(rounds, round -> round[side]));
        }
        System.out.println();
        print("Q8_0", "F16", Spread.of(rounds, round -> round[0] / round[1]));
        if (sides.size() > 2) {
            print("F16", "stock llama.cpp with it", Spread.of(rounds, round -> round[2] / round[0]));
            print("Q8_0", "stock llama.cpp with it", Spread.of(rounds, round -> round[3] / round[1]));
            print("Q8_0", "stock llama.cpp with F16", Spread.of(rounds, round -> round[2] / round[1]));
        }
    }

    private void print(String one, String other, Spread ratio) {
        System.out.printf(
                "%s is %.2f times as fast as %s (median of %d pairs, %.2f to %.2f)%n",
                one, ratio.median(), other, repetitions, ratio.min(), ratio.max());
    }

    static ImageChunk picture(Vision vision, PromptPart.Image image) {
        for (PromptChunk chunk : vision.tokenize(List.of(image), false)) {
            if (chunk instanceof ImageChunk picture) {
                return picture;
            }
        }
        throw new IllegalStateException("no picture in the prompt");
    }

    static double seconds(Vision vision, ImageChunk picture) {
        long start = System.nanoTime();
        vision.encode(picture).close();
        return (System.nanoTime() - start) / 1e9;
    }

    private static void print(String label, Path mmproj, Spread seconds) throws IOException {
        System.out.printf(
                "%-12s %8.1f %10.3f %10.3f %10.3f%n",
                label,
                ModelFiles.read(mmproj).tensorBytes() / Units.MIB,
                seconds.min(),
                seconds.median(),
                seconds.max());
    }
}
