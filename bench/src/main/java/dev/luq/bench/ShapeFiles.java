package dev.luq.bench;

import dev.luq.cli.CliException;
import dev.luq.cli.ModelOptions;
import dev.luq.requant.plan.Precision;
import java.io.IOException;
import java.nio.file.Path;

/**
 * Files of a vision-language model that can be served, with random weights in the shapes of a published one: its
 * language model at Q4_K and its vision encoder at F16, or of both as large a part.
 */
final class ShapeFiles {

    private final String name;
    private final ModelSynthesizer.Shape whole;
    private final ProjectorSynthesizer.Shape wholeEncoder;
    private final ModelSynthesizer.Shape shape;
    private final ProjectorSynthesizer.Shape encoder;

    /**
     * @param layers of the language model; 0 for all
     * @throws CliException there is no such shape with a vision encoder, or it has fewer layers
     */
    ShapeFiles(String name, int layers) {
        this.name = name;
        whole = ShapeBenchmark.published(name);
        wholeEncoder = ProjectorSynthesizer.Shape.named(name, 0);
        if (layers < 0 || layers > whole.layers()) {
            throw new CliException(name + " has " + whole.layers() + " layers.");
        }
        shape = layers == 0 ? whole : whole.withLayers(layers);
        encoder = wholeEncoder.withLayers(
                Math.max(1, Math.round((float) wholeEncoder.layers() * shape.layers() / whole.layers())));
    }

    /** Writes both into a folder, where they stay. */
    ModelOptions write(Path folder) throws IOException {
        Path model = folder.resolve(name + ".gguf");
        Path mmproj = folder.resolve("mmproj-" + name + ".gguf");
        new ModelSynthesizer(shape, 1, encoder.qwen() ? "qwen2vl" : "qwen2").write(model);
        new ProjectorSynthesizer(encoder, Precision.F16).write(mmproj);
        return ModelOptions.of(model.toString(), mmproj);
    }

    @Override
    public String toString() {
        return "%s: %d of %d layers, %d of %d of the vision encoder"
                .formatted(name, shape.layers(), whole.layers(), encoder.layers(), wholeEncoder.layers());
    }
}
