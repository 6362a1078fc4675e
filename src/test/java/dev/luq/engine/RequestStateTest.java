package dev.luq.engine;

import static dev.luq.engine.TinyEngine.QWEN;
import static dev.luq.engine.TinyEngine.noise;
import static dev.luq.engine.TinyEngine.userWithImages;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.luq.Integration;
import dev.luq.llama.ChatTemplates;
import dev.luq.llama.Model;
import dev.luq.llama.Vision;
import dev.luq.prompt.Prompt;
import dev.luq.prompt.PromptBuilder;
import java.util.Iterator;
import java.util.Set;
import java.util.concurrent.Semaphore;
import org.junit.jupiter.api.Test;

@Integration
class RequestStateTest {

    @Test
    void imagesThatAreNotEncodedForItGiveTheirPixelsUp() {
        Model model = TinyEngine.model(QWEN);
        GenerationRequest asked = new TinyEngine.Ask(model, userWithImages("Compare.", 3))
                .image(noise(1))
                .image(noise(2))
                .image(noise(3))
                .as("r");
        Semaphore pixels = new Semaphore(3);
        try (ChatTemplates templates = ChatTemplates.of(model);
                Vision vision = TinyEngine.vision(QWEN);
                RequestState state = new RequestState(asked, event -> {}, 0, () -> {})) {
            PromptBuilder.Prepared prepared = new PromptBuilder(model, templates, vision).build(asked.prompt());
            prepared.pictures().values().forEach(image -> image.keepWith(pixels));
            Prompt prompt = prepared.prompt();
            Iterator<Integer> units =
                    Set.copyOf(prepared.pictures().keySet()).stream().sorted().iterator();
            state.prepared(prepared, model.vocabulary());
            assertEquals(0, pixels.availablePermits());

            state.admitted(prompt, prompt.cells(units.next() + 1));
            assertEquals(1, pixels.availablePermits(), "one that the reused prefix has");
            state.pin(units.next(), "noise");
            assertEquals(2, pixels.availablePermits(), "one whose embeddings are there");
            state.takeImage(units.next()).close();
            assertEquals(3, pixels.availablePermits(), "one that was encoded");
        }
    }
}
