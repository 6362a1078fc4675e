package dev.luq.prompt;

import static dev.luq.engine.TinyEngine.noise;
import static dev.luq.engine.TinyEngine.userWithImages;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.luq.Integration;
import dev.luq.engine.TinyEngine;
import dev.luq.llama.ChatTemplates;
import dev.luq.llama.ImageChunk;
import dev.luq.llama.ImageEmbedding;
import dev.luq.llama.Model;
import dev.luq.llama.Vision;
import java.util.List;
import java.util.concurrent.Semaphore;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Integration
class PreparedImageTest {

    @ParameterizedTest
    @ValueSource(strings = {TinyEngine.LLAVA, TinyEngine.QWEN})
    void pixelsThatWereGivenUpAreMadeAgainAsTheyWere(String name) {
        Model model = TinyEngine.model(name);
        PromptRequest request = new TinyEngine.Ask(model, userWithImages("Compare.", 2))
                .image(noise(1))
                .image(noise(2))
                .as("r")
                .prompt();
        try (ChatTemplates templates = ChatTemplates.of(model);
                Vision vision = TinyEngine.vision(name)) {
            PromptBuilder builder = new PromptBuilder(model, templates, vision);
            Semaphore permits = new Semaphore(1);
            try (PromptBuilder.Prepared all = builder.build(request);
                    PromptBuilder.Prepared bounded = builder.build(request, image -> image.keepWith(permits))) {
                assertEquals(all.prompt().units(), bounded.prompt().units());
                assertEquals(0, permits.availablePermits(), "of the first image");
                List<PreparedImage> expected = List.copyOf(all.pictures().values());
                List<PreparedImage> images = List.copyOf(bounded.pictures().values());
                try (ImageEmbedding restored =
                        vision.restore(images.get(1).chunk(), bytes -> true).orElseThrow()) {
                    assertEquals(expected.get(1).chunk().tokens(), restored.tokens(), "without its pixels");
                    assertEquals(expected.get(1).chunk().positions(), restored.positions());
                }
                for (int i = 0; i < 2; i++) {
                    assertEquals(
                            expected.get(i).chunk().id(), images.get(i).chunk().id());
                    assertEquals(
                            expected.get(i).chunk().tokens(),
                            images.get(i).chunk().tokens());
                    assertEncodedAlike(
                            vision, expected.get(i).withPixels(), images.get(i).withPixels());
                }
            }
            assertEquals(1, permits.availablePermits(), "once it is closed");
        }
    }

    private static void assertEncodedAlike(Vision vision, ImageChunk expected, ImageChunk made) {
        try (ImageEmbedding of = vision.encode(expected);
                ImageEmbedding is = vision.encode(made)) {
            assertEquals(of.data(), is.data());
            assertEquals(of.positions(), is.positions());
        }
    }
}
