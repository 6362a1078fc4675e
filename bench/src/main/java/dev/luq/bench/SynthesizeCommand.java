package dev.luq.bench;

import dev.luq.cli.CliException;
import dev.luq.gguf.GgmlType;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code luq bench synthesize FILE}: the random model of {@code bench decode}, for use with other tools. */
@Command(
        name = "synthesize",
        description = "Writes a language model with random weights, Qwen2 architecture.",
        mixinStandardHelpOptions = true,
        sortOptions = false)
final class SynthesizeCommand implements Callable<Integer> {

    @Parameters(paramLabel = "FILE", description = "The GGUF to write.")
    private Path file;

    @Option(names = "--type", defaultValue = "F16", description = "F16, Q8_0 or Q4_K (default: ${DEFAULT-VALUE}).")
    private GgmlType type;

    @Option(names = "--layers", defaultValue = "12", description = "Default: ${DEFAULT-VALUE}.")
    private int layers;

    @Option(names = "--width", defaultValue = "768", description = "Multiple of 256 (default: ${DEFAULT-VALUE}).")
    private int width;

    @Override
    public Integer call() {
        if (layers < 1 || width < 256 || width % 256 != 0) {
            throw new CliException("--layers must be 1 or more and --width a multiple of 256.");
        }
        ModelSynthesizer.Shape shape = new ModelSynthesizer.Shape(layers, width, 32_000, type);
        try {
            new ModelSynthesizer(shape, 1).write(file);
        } catch (IOException e) {
            throw new CliException("Cannot write " + file + ": " + e.getMessage(), e);
        }
        return 0;
    }
}
