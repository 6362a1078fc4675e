package dev.luq.engine;

import java.util.List;

/**
 * Told what the engine is about to work on and when it has done so, on the thread that does: native code that fails may
 * take the process with it. Returns at once and does not throw.
 */
public interface WorkListener {

    /** Hears nothing. */
    WorkListener NONE = new WorkListener() {
        @Override
        public void begins(Work work, List<String> requests) {}

        @Override
        public void ends(Work work) {}
    };

    /** A thread does one piece of a kind at a time; several prepare prompts. */
    enum Work {
        /** Preparing a prompt. */
        PROMPT,
        /** Encoding an image. */
        IMAGE,
        /** Taking over what was prepared, evaluating a batch, choosing a token. */
        STEP
    }

    /**
     * Takes the place of this thread's work of the same kind, if that did not end.
     *
     * @param requests their ids
     */
    void begins(Work work, List<String> requests);

    /** This thread's. */
    void ends(Work work);
}
