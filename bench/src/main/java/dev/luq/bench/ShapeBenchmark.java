package dev.luq.bench;

import dev.luq.cli.CliException;
import dev.luq.files.Units;
import dev.luq.gguf.GgmlType;
import dev.luq.gguf.ModelFiles;
import dev.luq.machine.Kernels;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * {@code luq bench decode --shape} and {@code luq bench prefill}: what low layers and our kernels gain at the size of a
 * real model. Random weights in the shapes of a published model, with Q4_K_M's types in all layers and with IQ1_M in some
 * of them, each computed by llama.cpp's kernels and by ours
 * ({@link SpeedComparison}).
 */
final class ShapeBenchmark {

    private static final Pattern LAYER = Pattern.compile("blk\\.(\\d+)\\.(.*)");

    /** Published models by name; where layers are left out the others stand for them. */
    private static final Map<String, ModelSynthesizer.Shape> SHAPES = new LinkedHashMap<>();

    static {
        SHAPES.put("qwen2.5-vl-7b", ModelSynthesizer.Shape.qwen7B(GgmlType.Q4_K));
        SHAPES.put("llava-1.5-7b", ModelSynthesizer.Shape.llava7B(GgmlType.Q4_K));
        SHAPES.put("qwen2.5-vl-3b", ModelSynthesizer.Shape.qwen3B(GgmlType.Q4_K));
    }

    /**
     * What to measure.
     *
     * @param shape its name
     * @param lowLayers layers in IQ1_M, of all the model's
     * @param layers layers that are really there; 0 for all
     * @param tokens generated in each turn; 0 measures prompts instead
     * @param prompt tokens of the prompt
     * @param rounds of two turns, of a side and of the yardstick
     * @param layout of our kernels
     * @param folder keeps the models for the next time; empty writes them into a temporary folder and deletes them
     */
    record Options(
            String shape,
            int lowLayers,
            int layers,
            int tokens,
            int prompt,
            int rounds,
            int threads,
            Kernels layout,
            Optional<Path> folder) {}

    private final Options options;
    private final ModelSynthesizer.Shape whole;
    private final int layers;
    private final int lowLayers;

    /** @throws CliException there is no such shape, or it has fewer layers */
    ShapeBenchmark(Options options) {
        this(options, published(options.shape()));
    }

    /** @param whole what the shape's name stands for */
    ShapeBenchmark(Options options, ModelSynthesizer.Shape whole) {
        this.options = options;
        this.whole = whole;
        this.layers = options.layers() == 0 ? whole.layers() : options.layers();
        if (layers < 1 || layers > whole.layers() || options.lowLayers() < 0 || options.lowLayers() > whole.layers()) {
            throw new CliException(options.shape() + " has " + whole.layers() + " layers.");
        }
        this.lowLayers = Math.round((float) options.lowLayers() * layers / whole.layers());
    }

    /**
     * The shape of a published model, all at Q4_K.
     *
     * @throws CliException there is no such shape
     */
    static ModelSynthesizer.Shape published(String name) {
        ModelSynthesizer.Shape shape = SHAPES.get(name);
        if (shape == null) {
            throw new CliException("There is no shape " + name + ", but " + String.join(", ", SHAPES.keySet()) + ".");
        }
        return shape;
    }

    /** Writes what models are missing, measures and prints. */
    void run() throws IOException {
        if (options.folder().isPresent()) {
            Path folder = Files.createDirectories(options.folder().get());
            String name = options.shape() + "-" + layers;
            measure(folder.resolve(name + "-q4_k_m.gguf"), folder.resolve(name + "-low-" + lowLayers + ".gguf"));
            return;
        }
        try (TemporaryFolder folder = TemporaryFolder.create()) {
            measure(folder.resolve("q4_k_m.gguf"), folder.resolve("luq.gguf"));
        }
    }

    private void measure(Path base, Path luq) throws IOException {
        write(base, 0);
        write(luq, lowLayers);
        System.out.printf(
                "%s: %d of %d layers, %d of them IQ1_M in LUQ; %d threads%n",
                options.shape(), layers, whole.layers(), lowLayers, options.threads());
        if (layers < whole.layers()) {
            System.out.println("The layers left out make embeddings and output weigh more than in the whole model.");
        }
        System.out.printf(
                "Q4_K_M %.2f GiB, LUQ %.2f GiB; prompt of %d tokens, %d rounds%s%n",
                gibibytes(base),
                gibibytes(luq),
                options.prompt(),
                options.rounds(),
                options.tokens() > 0 ? ", " + options.tokens() + " tokens a turn" : "");
        new SpeedComparison(
                        new SpeedComparison.Side("Q4_K_M, stock", base, Kernels.STOCK),
                        List.of(
                                new SpeedComparison.Side("Q4_K_M, ours", base, options.layout()),
                                new SpeedComparison.Side("LUQ, stock", luq, Kernels.STOCK),
                                new SpeedComparison.Side("LUQ, ours", luq, options.layout())),
                        new SpeedComparison.Turns(
                                options.tokens(), options.prompt(), options.rounds(), options.threads()))
                .run();
    }

    private static double gibibytes(Path file) throws IOException {
        return ModelFiles.read(file).tensorBytes() / Units.GIB;
    }

    private void write(Path file, int low) throws IOException {
        if (Files.exists(file)) {
            return;
        }
        new ModelSynthesizer(whole.withLayers(layers).withTypes(tensor -> type(tensor, low)), 1).write(file);
    }

    /** Low layers are spread evenly; the others are those of llama.cpp's recipe Q4_K_M. */
    GgmlType type(String tensor, int low) {
        Matcher matcher = LAYER.matcher(tensor);
        if (!matcher.matches()) {
            return tensor.equals("output.weight") ? GgmlType.Q6_K : GgmlType.Q4_K;
        }
        int layer = Integer.parseInt(matcher.group(1));
        if ((layer + 1) * low / layers > layer * low / layers) {
            return GgmlType.IQ1_M;
        }
        boolean sensitive = matcher.group(2).matches("(attn_v|ffn_down)\\.weight");
        boolean moreBits = layer < layers / 8 || layer >= 7 * layers / 8 || (layer - layers / 8) % 3 == 2;
        return sensitive && moreBits ? GgmlType.Q6_K : GgmlType.Q4_K;
    }
}
