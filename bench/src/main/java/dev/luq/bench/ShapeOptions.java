package dev.luq.bench;

import dev.luq.cli.CliException;
import dev.luq.machine.Kernels;
import java.nio.file.Path;
import java.util.Optional;
import picocli.CommandLine.Option;

/** Which models of random weights in a published model's shape are compared, and how. */
final class ShapeOptions {

    @Option(
            names = "--low",
            paramLabel = "LAYERS",
            defaultValue = "12",
            description = "Layers of the shape in IQ1_M (default: ${DEFAULT-VALUE}).")
    private int lowLayers;

    @Option(
            names = "--layers",
            paramLabel = "LAYERS",
            defaultValue = "0",
            description = "Layers that stand for all of the shape's, to save time and room; 0: all (default:"
                    + " ${DEFAULT-VALUE}).")
    private int layers;

    @Option(
            names = "--models",
            paramLabel = "FOLDER",
            description = "Keep the shape's models here for the next time; otherwise they are deleted.")
    private Path folder;

    @Option(
            names = "--prompt",
            paramLabel = "TOKENS",
            defaultValue = "512",
            description = "Tokens of the prompt with a shape or --compare (default: ${DEFAULT-VALUE}).")
    private int prompt;

    @Option(
            names = "--layout",
            paramLabel = "NAME",
            defaultValue = "FAST",
            description = "Of our kernels with a shape or --compare: fast or compact (default: fast).")
    private Kernels layout;

    /** How any models are compared, a shape's or given ones. */
    int prompt() {
        return prompt;
    }

    /** Of our kernels. */
    Kernels layout() {
        if (layout == Kernels.STOCK) {
            throw new CliException("--layout is fast or compact.");
        }
        return layout;
    }

    /** @param tokens generated in each turn; 0 measures prompts instead */
    ShapeBenchmark.Options of(String shape, int tokens, int rounds, int threads) {
        if (prompt < 1 || rounds < 1 || threads < 1) {
            throw new CliException("--prompt, --repetitions and --threads must be 1 or more.");
        }
        return new ShapeBenchmark.Options(
                shape, lowLayers, layers, tokens, prompt, rounds, threads, layout(), Optional.ofNullable(folder));
    }
}
