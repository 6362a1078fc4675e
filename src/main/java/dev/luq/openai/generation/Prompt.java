package dev.luq.openai.generation;

import dev.luq.openai.images.ImageReference;
import dev.luq.protocol.PromptInput;
import java.util.List;

/** What an answer is generated from. */
public sealed interface Prompt {

    /** In the order of their places. */
    List<ImageReference> images();

    /** For the worker. */
    PromptInput input();

    /**
     * A conversation, for the model's template.
     *
     * @param json see {@link PromptInput.Chat}
     */
    record Chat(String json, List<ImageReference> images) implements Prompt {
        @Override
        public PromptInput.Chat input() {
            return new PromptInput.Chat(json);
        }
    }

    /** A prompt as the model gets it, without a template. */
    record Raw(PromptInput.Raw input, List<ImageReference> images) implements Prompt {}
}
