package dev.luq.bench;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.luq.Integration;
import dev.luq.gguf.GgmlType;
import dev.luq.gguf.ModelFacts;
import dev.luq.gguf.ModelFiles;
import dev.luq.llama.ImageChunk;
import dev.luq.llama.ImageEmbedding;
import dev.luq.llama.Llama;
import dev.luq.llama.Model;
import dev.luq.llama.PromptPart;
import dev.luq.llama.Vision;
import dev.luq.llama.VisionOptions;
import dev.luq.requant.plan.Precision;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** llama.cpp loads and runs what the synthesizer writes. */
@Integration
class ProjectorSynthesizerTest {

    /** Of the picture: 9 tokens of 28 pixels for Qwen; LLaVA's is scaled to 4 x 4 patches of 14. */
    private static final int SIDE = 84;

    @TempDir
    Path folder;

    static ProjectorSynthesizer.Shape tiny(boolean qwen) {
        return new ProjectorSynthesizer.Shape(qwen, 56, 2, 64, 128, 2, 256);
    }

    @ParameterizedTest
    @CsvSource({"true, F16, 9", "true, Q8_0, 9", "false, F16, 16", "false, Q8_0, 16"})
    void llamaEncodesPictures(boolean qwen, Precision precision, int tokens) throws IOException {
        Path model = folder.resolve("model.gguf");
        new ModelSynthesizer(new ModelSynthesizer.Shape(1, 256, 600, GgmlType.F16), 1, qwen ? "qwen2vl" : "qwen2")
                .write(model);
        Path mmproj = folder.resolve("mmproj.gguf");
        new ProjectorSynthesizer(tiny(qwen), precision).write(mmproj);
        ModelFiles files = ModelFiles.read(mmproj);
        assertDoesNotThrow(() -> ModelFacts.of(ModelFiles.read(model)).requireProjector(ModelFacts.of(files)));
        assertEquals(
                precision.name(),
                files.tensor("v.blk.1.ffn_up.weight").orElseThrow().type().name());

        byte[] noise = new byte[3 * SIDE * SIDE];
        new Random(1).nextBytes(noise);
        PromptPart.Image image = new PromptPart.Image(SIDE, SIDE, noise, "noise");
        Llama.init(line -> {});
        try (Model loaded = Model.load(List.of(model));
                Vision vision = Vision.open(mmproj, loaded, new VisionOptions(1, 0));
                ImageChunk picture = (ImageChunk) vision.tokenize(List.of(image), false).stream()
                        .filter(ImageChunk.class::isInstance)
                        .findFirst()
                        .orElseThrow();
                ImageEmbedding embedding = vision.encode(picture)) {
            assertEquals(tokens, embedding.tokens());
            assertEquals(256, embedding.embeddingSize());
            for (FloatBuffer data = embedding.data(); data.hasRemaining(); ) {
                assertTrue(Float.isFinite(data.get()));
            }
        }
    }

    @Test
    void theSameShapeGivesTheSameFile() throws IOException {
        Path first = folder.resolve("first.gguf");
        Path second = folder.resolve("second.gguf");
        new ProjectorSynthesizer(tiny(true), Precision.F16).write(first);
        new ProjectorSynthesizer(tiny(true), Precision.F16).write(second);
        assertArrayEquals(Files.readAllBytes(first), Files.readAllBytes(second));
    }
}
