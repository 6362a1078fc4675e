package dev.luq.fuzz;

import dev.luq.anthropic.MessagesFuzz;
import dev.luq.datasets.ArchiveFuzz;
import dev.luq.decoder.protocol.DecodeReplyFuzz;
import dev.luq.gguf.GgufFuzz;
import dev.luq.gguf.ImportanceMatrixFuzz;
import dev.luq.gguf.ModelFilesFuzz;
import dev.luq.images.PictureFuzz;
import dev.luq.openai.chat.BodyFuzz;
import dev.luq.openai.images.DataUrlFuzz;
import dev.luq.openai.responses.ResponseBodyFuzz;
import dev.luq.parquet.ParquetFuzz;
import dev.luq.protocol.FramesFuzz;
import dev.luq.requant.data.DatasetFuzz;
import dev.luq.schema.PatternFuzz;
import dev.luq.schema.SchemaCheckFuzz;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** All targets in Java. Those in C++ are in native/fuzz. */
final class FuzzTargets {

    private static final Path KEPT = Path.of("src/test/resources/fuzz");

    private FuzzTargets() {}

    static List<FuzzTarget> all() {
        List<FuzzTarget> targets = new ArrayList<>(List.of(
                new GgufFuzz(),
                new ModelFilesFuzz(),
                new ImportanceMatrixFuzz(),
                new DataUrlFuzz(),
                new BodyFuzz(),
                new MessagesFuzz(),
                new ResponseBodyFuzz(),
                new SchemaCheckFuzz(),
                new PatternFuzz(),
                new DatasetFuzz(),
                new ArchiveFuzz(),
                new DecodeReplyFuzz(),
                new ParquetFuzz()));
        targets.addAll(PictureFuzz.all());
        targets.addAll(FramesFuzz.all());
        return targets;
    }

    /** @throws IllegalArgumentException naming all targets, when this is none */
    static FuzzTarget named(String name) {
        return all().stream()
                .filter(target -> target.name().equals(name))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("there is no target " + name + "; take one of "
                        + String.join(", ", all().stream().map(FuzzTarget::name).toList())));
    }

    /** Files with inputs that once broke a promise of this target. */
    static List<Path> kept(FuzzTarget target) throws IOException {
        Path folder = KEPT.resolve(target.name());
        if (!Files.isDirectory(folder)) {
            return List.of();
        }
        try (Stream<Path> files = Files.list(folder)) {
            return files.sorted().toList();
        }
    }
}
