package dev.luq.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.luq.cli.CliException;
import org.junit.jupiter.api.Test;

class ShapeFilesTest {

    @Test
    void theVisionEncoderHasAsLargeAPartOfItsLayersAsTheLanguageModel() {
        assertEquals(
                "qwen2.5-vl-7b: 4 of 28 layers, 5 of 32 of the vision encoder",
                new ShapeFiles("qwen2.5-vl-7b", 4).toString());
        assertEquals(
                "llava-1.5-7b: 1 of 32 layers, 1 of 24 of the vision encoder",
                new ShapeFiles("llava-1.5-7b", 1).toString());
        assertEquals(
                "qwen2.5-vl-7b: 28 of 28 layers, 32 of 32 of the vision encoder",
                new ShapeFiles("qwen2.5-vl-7b", 0).toString());
    }

    @Test
    void refusesShapesWithoutAnEncoderAndMoreLayersThanThereAre() {
        assertThrows(CliException.class, () -> new ShapeFiles("qwen2.5-vl-3b", 0));
        assertThrows(CliException.class, () -> new ShapeFiles("qwen2.5-vl-7b", 29));
    }
}
