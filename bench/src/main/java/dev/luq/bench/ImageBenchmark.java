package dev.luq.bench;

import dev.luq.cli.CliException;
import dev.luq.cli.MachineKernels;
import dev.luq.cli.ModelOptions;
import dev.luq.files.Units;
import dev.luq.gguf.GgmlType;
import dev.luq.gguf.LayeredModel;
import dev.luq.gguf.ModelFiles;
import dev.luq.llama.ImageChunk;
import dev.luq.llama.Llama;
import dev.luq.llama.Model;
import dev.luq.llama.PromptChunk;
import dev.luq.llama.PromptPart;
import dev.luq.llama.Vision;
import dev.luq.llama.VisionOptions;
import dev.luq.machine.Processors;
import dev.luq.requant.plan.Plan;
import dev.luq.requant.plan.Precision;
import dev.luq.requant.quantize.QuantizeListener;
import dev.luq.requant.quantize.Requantizer;
import dev.luq.requant.store.LayerStore;
import dev.luq.requant.store.StoreLease;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code luq bench image}: how long a picture is encoded, by a projector of F16 and by the same at Q8_0. */
@Command(
        name = "image",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = "Measures how long encoding a picture takes, with the projector at F16 and at Q8_0.",
        footerHeading = "%nHow it is measured%n",
        footer = {
            "Both projectors are open in one process and take turns with a picture of noise; what their first turn makes ready"
                    + " is not counted. The demo model's, quantized as requantize does it, or with --shape random weights in the"
                    + " shape of a published model's."
        })
final class ImageBenchmark implements Callable<Integer> {

    private static final Map<String, ProjectorSynthesizer.Shape> SHAPES = new LinkedHashMap<>();

    static {
        SHAPES.put("qwen2.5-vl-7b", ProjectorSynthesizer.Shape.qwen7B());
        SHAPES.put("llava-1.5-7b", ProjectorSynthesizer.Shape.llava7B());
    }

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

    @Override
    public Integer call() throws IOException {
        if (side < 28 || repetitions < 1 || threads < 1) {
            throw new CliException("--side must be 28 or more, --repetitions and --threads 1 or more.");
        }
        MachineKernels.know();
        Llama.init(line -> {});
        try (TemporaryFolder folder = TemporaryFolder.create()) {
            if (shape == null) {
                ModelOptions demo = ModelOptions.of("demo", null);
                Path f16 = demo.mmprojFile().orElseThrow();
                System.out.printf("demo model; %d threads%n", threads);
                measure(demo.modelFile(), f16, quantized(demo, folder.path()));
            } else {
                ProjectorSynthesizer.Shape whole = whole();
                ProjectorSynthesizer.Shape encoder = whole.withLayers(layers == 0 ? whole.layers() : layers);
                System.out.printf(
                        "%s: %d of %d layers; %d threads%n", shape, encoder.layers(), whole.layers(), threads);
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

    private ProjectorSynthesizer.Shape whole() {
        ProjectorSynthesizer.Shape whole = SHAPES.get(shape);
        if (whole == null || layers < 0 || layers > whole.layers()) {
            throw new CliException(
                    whole == null
                            ? "There is no shape " + shape + ", but " + String.join(", ", SHAPES.keySet()) + "."
                            : shape + " has " + whole.layers() + " layers.");
        }
        return whole;
    }

    /**
     * Random weights in this shape.
     *
     * @param folder for the files, which are left there
     */
    void measure(ProjectorSynthesizer.Shape encoder, Path folder) throws IOException {
        // The language model only has to be as wide as what the projector puts out.
        Path model = folder.resolve("model.gguf");
        new ModelSynthesizer(
                        new ModelSynthesizer.Shape(1, encoder.projection(), 1024, GgmlType.Q4_K),
                        1,
                        encoder.qwen() ? "qwen2vl" : "qwen2")
                .write(model);
        Path f16 = folder.resolve("f16.gguf");
        Path q8 = folder.resolve("q8_0.gguf");
        new ProjectorSynthesizer(encoder, Precision.F16).write(f16);
        new ProjectorSynthesizer(encoder, Precision.Q8_0).write(q8);
        measure(model, f16, q8);
    }

    private void measure(Path model, Path f16, Path q8) throws IOException {
        byte[] noise = new byte[3 * side * side];
        new Random(1).nextBytes(noise);
        VisionOptions options = new VisionOptions(threads, 0);
        try (Model loaded = Model.load(List.of(model));
                Vision large = Vision.open(f16, loaded, options);
                Vision small = Vision.open(q8, loaded, options);
                ImageChunk picture = picture(large, new PromptPart.Image(side, side, noise, "noise"))) {
            seconds(large, picture);
            seconds(small, picture);
            List<double[]> pairs = new ArrayList<>();
            for (int i = 0; i < repetitions; i++) {
                pairs.add(new double[] {seconds(large, picture), seconds(small, picture)});
            }
            System.out.printf("a picture of %d tokens%n%n", picture.tokens());
            System.out.printf("%-8s %8s %10s %10s %10s%n", "", "MiB", "min s", "median s", "max s");
            print("F16", f16, Spread.of(pairs, pair -> pair[0]));
            print("Q8_0", q8, Spread.of(pairs, pair -> pair[1]));
            Spread ratio = Spread.of(pairs, pair -> pair[0] / pair[1]);
            System.out.printf(
                    "%nQ8_0 is %.2f times as fast as F16 (median of %d pairs, %.2f to %.2f)%n",
                    ratio.median(), repetitions, ratio.min(), ratio.max());
        }
    }

    private static ImageChunk picture(Vision vision, PromptPart.Image image) {
        for (PromptChunk chunk : vision.tokenize(List.of(image), false)) {
            if (chunk instanceof ImageChunk picture) {
                return picture;
            }
        }
        throw new IllegalStateException("no picture in the prompt");
    }

    private static double seconds(Vision vision, ImageChunk picture) {
        long start = System.nanoTime();
        vision.encode(picture).close();
        return (System.nanoTime() - start) / 1e9;
    }

    private static void print(String label, Path mmproj, Spread seconds) throws IOException {
        System.out.printf(
                "%-8s %8.1f %10.3f %10.3f %10.3f%n",
                label,
                ModelFiles.read(mmproj).tensorBytes() / Units.MIB,
                seconds.min(),
                seconds.median(),
                seconds.max());
    }
}
