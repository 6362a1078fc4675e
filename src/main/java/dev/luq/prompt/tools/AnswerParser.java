package dev.luq.prompt.tools;

import dev.luq.llama.ChatPrompt;
import dev.luq.llama.MessageDelta;
import dev.luq.llama.MessageParser;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Separates thoughts, content and tool calls in the text of one generation: thoughts where they are asked for, calls in
 * the form of the model's chat template, where it has one, and in the forms of {@link CallFinder}. Used by one thread at
 * a time.
 */
public final class AnswerParser implements AutoCloseable {

    private final ThoughtFinder thoughts;
    private final MessageParser template;
    private final CallFinder finder;
    private final boolean required;
    /** Index of a call of the template to its index in the answer. */
    private final Map<Integer, Integer> templateCalls = new HashMap<>();
    /** Everything generated, for the template. */
    private final StringBuilder text = new StringBuilder();

    /**
     * @param thoughts null where they are content
     * @param template owned; null where the template's form is not looked for
     * @param finder null where there are no calls
     */
    private AnswerParser(ThoughtFinder thoughts, MessageParser template, CallFinder finder, boolean required) {
        this.thoughts = thoughts;
        this.template = template;
        this.finder = finder;
        this.required = required;
    }

    /** @param template owned; null where the template's form is not looked for */
    AnswerParser(MessageParser template, CallFinder finder, boolean required) {
        this(null, template, finder, required);
    }

    /**
     * One that finds thoughts too.
     *
     * @param prompt of the answer, which has thoughts
     * @param calls what finds calls, which the new one takes the place of; null for none
     */
    public static AnswerParser withThoughts(ChatPrompt prompt, AnswerParser calls) {
        ThoughtFinder thoughts = new ThoughtFinder(prompt.thinking(), prompt.endsWithinThoughts());
        return calls == null
                ? new AnswerParser(thoughts, null, null, false)
                : new AnswerParser(thoughts, calls.template, calls.finder, calls.required);
    }

    /** Whether the answer is a call, and its text nothing that the client sees. */
    public boolean callIsRequired() {
        return required;
    }

    /** Whether the answer has the only call that it may have. The end of one in the template's form its grammar says. */
    public boolean complete() {
        return finder != null && templateCalls.isEmpty() && finder.complete();
    }

    /**
     * @param next what was generated since the last call; more may follow
     * @return what is new since the last call, in order
     * @throws dev.luq.llama.LlamaException.InvalidTemplate as {@link MessageParser#update} does
     */
    public List<MessageDelta> append(String next) {
        List<MessageDelta> deltas = new ArrayList<>();
        String answer = thoughts == null ? next : thoughts.append(next, deltas);
        if (!answer.isEmpty()) {
            deltas.addAll(parse(answer, true));
        }
        return deltas;
    }

    /**
     * @param rest what was generated since the last call; nothing follows
     * @param cutOff whether the text was cut off by a limit
     * @return what is new since the last call, in order
     * @throws dev.luq.llama.LlamaException.InvalidTemplate as {@link MessageParser#update} does
     */
    public List<MessageDelta> finish(String rest, boolean cutOff) {
        List<MessageDelta> deltas = new ArrayList<>();
        String answer = thoughts == null ? rest : thoughts.append(rest, deltas) + thoughts.finish(deltas);
        deltas.addAll(parse(answer, cutOff));
        if (finder != null) {
            deltas.addAll(finder.finish(cutOff));
        }
        return deltas;
    }

    private List<MessageDelta> parse(String next, boolean partial) {
        if (finder == null) {
            return next.isEmpty() ? List.of() : List.of(new MessageDelta.Content(next));
        }
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
