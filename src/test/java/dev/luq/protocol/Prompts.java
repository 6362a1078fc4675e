package dev.luq.protocol;

/** What the prompts of frames are made of. */
public final class Prompts {

    private Prompts() {}

    /** What the chat template takes. */
    public static String chat(ServerFrame.OfRequest request) {
        return ((PromptInput.Chat) request.prompt()).json();
    }
}
