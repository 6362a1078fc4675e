package dev.luq.llama;

/** What a piece of generated text adds to the assistant's message. */
public sealed interface MessageDelta {

    /** Text to append to the content. */
    record Content(String text) implements MessageDelta {}

    /** Text to append to the thoughts that come before the content. */
    record Thought(String text) implements MessageDelta {}

    /**
     * A piece of the tool call with this index.
     *
     * @param id of the call; in its first piece only, else null
     * @param name of the function; in the first piece only, else null
     * @param arguments JSON text to append to the arguments
     */
    record ToolCall(int index, String id, String name, String arguments) implements MessageDelta {}
}
