package dev.luq.openai.generation;

import com.fasterxml.jackson.core.io.JsonStringEncoder;
import io.vertx.core.buffer.Buffer;
import java.nio.charset.StandardCharsets;

/** The event of a choice's text: the same for every token but for the text, so the rest is serialized once. */
public final class TextEvent {

    /** Stands for the text; cannot be part of what follows it in an event. */
    public static final String PLACEHOLDER = "...";

    private final byte[] head;
    private final byte[] tail;

    /** @param example the event of {@link #PLACEHOLDER}, in UTF-8 */
    public TextEvent(byte[] example) {
        String event = new String(example, StandardCharsets.UTF_8);
        int at = event.lastIndexOf(PLACEHOLDER);
        head = event.substring(0, at).getBytes(StandardCharsets.UTF_8);
        tail = event.substring(at + PLACEHOLDER.length()).getBytes(StandardCharsets.UTF_8);
    }

    /** The event of this text. */
    public Buffer of(String text) {
        byte[] quoted = JsonStringEncoder.getInstance().quoteAsUTF8(text);
        return Buffer.buffer(head.length + quoted.length + tail.length)
                .appendBytes(head)
                .appendBytes(quoted)
                .appendBytes(tail);
    }
}
