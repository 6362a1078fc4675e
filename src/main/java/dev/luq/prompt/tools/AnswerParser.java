package dev.luq.prompt.tools;

import dev.luq.llama.MessageDelta;
import dev.luq.llama.MessageParser;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Separates content and tool calls in the text of one generation: calls in the form of the model's chat template, where
 * it has one, and in the forms of {@link CallFinder}. Used by one thread at a time.
 */
public final class AnswerParser implements AutoCloseable {

    private final MessageParser template;
    private final CallFinder finder;
    private final boolean required;
    /** Index of a call of the template to its index in the answer. */
    private final Map<Integer, Integer> templateCalls = new HashMap<>();
    /** Everything generated, for the template. */
    private final StringBuilder text = new StringBuilder();

    /** @param template owned; null where the template's form is not looked for */
    AnswerParser(MessageParser template, CallFinder finder, boolean required) {
        this.template = template;
        this.finder = finder;
        this.required = required;
    }

    /** Whether the answer is a call, and its text nothing that the client sees. */
    public boolean callIsRequired() {
        return required;
    }

    /** Whether the answer has the only call that it may have. */
    public boolean complete() {
        return finder.complete();
    }

    /**
     * @param next what was generated since the last call; more may follow
     * @return what is new since the last call, in order
     * @throws dev.luq.llama.LlamaException.InvalidTemplate as {@link MessageParser#update} does
     */
    public List<MessageDelta> append(String next) {
        return parse(next, true);
    }

    /**
     * @param rest what was generated since the last call; nothing follows
     * @param cutOff whether the text was cut off by a limit
     * @return what is new since the last call, in order
     * @throws dev.luq.llama.LlamaException.InvalidTemplate as {@link MessageParser#update} does
     */
    public List<MessageDelta> finish(String rest, boolean cutOff) {
        List<MessageDelta> deltas = new ArrayList<>(parse(rest, cutOff));
        deltas.addAll(finder.finish(cutOff));
        return deltas;
    }

    private List<MessageDelta> parse(String next, boolean partial) {
        if (template == null) {
            return finder.append(next);
        }
        text.append(next);
        List<MessageDelta> deltas = new ArrayList<>();
        for (MessageDelta delta : template.update(text.toString(), partial)) {
            if (delta instanceof MessageDelta.Content content) {
                deltas.addAll(finder.append(content.text()));
            } else if (delta instanceof MessageDelta.ToolCall call) {
                int index = templateCalls.computeIfAbsent(call.index(), i -> finder.nextCall());
                deltas.add(new MessageDelta.ToolCall(index, call.id(), call.name(), call.arguments()));
            }
        }
        return deltas;
    }

    @Override
    public void close() {
        if (template != null) {
            template.close();
        }
    }
}
