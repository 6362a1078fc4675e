package dev.luq.openai.generation;

import dev.luq.openai.images.ImageReference;
import java.util.List;

/** What an answer is generated from. */
public sealed interface Prompt {

    /** In the order of their places. */
    List<ImageReference> images();

    /**
     * A conversation, for the model's template.
     *
     * @param json see {@link dev.luq.protocol.ServerFrame.Generate}
     */
    record Chat(String json, List<ImageReference> images) implements Prompt {}
}
