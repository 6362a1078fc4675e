package dev.luq.openai.generation;

/** Puts a whole answer together from its frames. Not thread-safe. */
public interface AnswerBuilder {

    /** Takes the next frame. */
    void add(ChoiceFrame frame);

    /** Takes the prompt of the chat template, before the first frame, where {@link Exchange#tellsPrompt} says so. */
    default void tell(String prompt) {}

    /** What becomes the JSON of the answer, once all frames are there. */
    Object build();
}
