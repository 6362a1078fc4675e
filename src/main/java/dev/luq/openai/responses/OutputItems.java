package dev.luq.openai.responses;

import dev.luq.openai.chat.Logprobs;
import dev.luq.protocol.WorkerFrame.Delta;
import dev.luq.protocol.WorkerFrame.Finished;
import dev.luq.protocol.WorkerFrame.OfRequest;
import dev.luq.protocol.WorkerFrame.TokenLogprob;
import dev.luq.protocol.WorkerFrame.ToolCallDelta;
import java.util.ArrayList;
import java.util.List;

/**
 * Makes items of the frames of a generation: text and calls come as deltas, one item after the other. An answer has one
 * item at least. Not thread-safe.
 */
final class OutputItems {

    private static final int TEXT = -1;

    private final String idSuffix;
    private final Listener listener;
    private final List<OutputItem> closed = new ArrayList<>();
    /** Of tokens that are no text yet. */
    private final List<TokenLogprob> pending = new ArrayList<>();

    /** Text, or JSON of arguments, of the open item; null while none is open. */
    private StringBuilder open;
    /** Index of the open call, or {@link #TEXT}. */
    private int openCall;

    private String callId;
    private String name;
    private final List<Logprobs.Token> logprobs = new ArrayList<>();

    /** Is told of items as they come. Between opening and closing of one, no other is. */
    interface Listener {

        /** Does not listen. */
        Listener NONE = new Listener() {};

        default void opened(int index, OutputItem empty) {}

        /** @param logprobs empty where none were asked for */
        default void text(int index, String delta, List<Logprobs.Token> logprobs) {}

        default void arguments(int index, String delta) {}

        default void closed(int index, OutputItem whole) {}
    }

    /** @param idSuffix in the ids of items, with their kind in front and their index behind */
    OutputItems(String idSuffix, Listener listener) {
        this.idSuffix = idSuffix;
        this.listener = listener;
    }

    void add(OfRequest frame) {
        if (frame instanceof Delta delta) {
            add(delta);
        } else if (frame instanceof Finished finished) {
            finish(finished.finishReason().equals("length") ? OutputItem.INCOMPLETE : OutputItem.COMPLETED);
        }
    }

    /** All items so far, those that are open as incomplete ones. */
    List<OutputItem> all() {
        List<OutputItem> all = new ArrayList<>(closed);
        if (open != null) {
            all.add(item(OutputItem.INCOMPLETE));
        }
        return all;
    }

    private void add(Delta delta) {
        if (delta.logprobs() != null && delta.toolCall() == null) {
            pending.addAll(delta.logprobs());
        }
        if (delta.content() != null && !delta.content().isEmpty()) {
            text(delta.content());
        }
        if (delta.toolCall() != null) {
            call(delta.toolCall());
        }
    }

    private void text(String delta) {
        if (open == null || openCall != TEXT) {
            close(OutputItem.COMPLETED);
            open(TEXT);
        }
        open.append(delta);
        List<Logprobs.Token> tokens =
                pending.isEmpty() ? List.of() : Logprobs.of(pending).content();
        pending.clear();
        logprobs.addAll(tokens);
        listener.text(closed.size(), delta, tokens);
    }

    private void call(ToolCallDelta delta) {
        pending.clear();
        if (open == null || openCall != delta.index()) {
            close(OutputItem.COMPLETED);
            callId = delta.id();
            name = delta.name();
            open(delta.index());
        }
        if (delta.argumentsDelta() != null && !delta.argumentsDelta().isEmpty()) {
            open.append(delta.argumentsDelta());
            listener.arguments(closed.size(), delta.argumentsDelta());
        }
    }

    private void finish(String status) {
        if (open == null && closed.isEmpty() || open != null && openCall == TEXT && !pending.isEmpty()) {
            text("");
        }
        close(status);
    }

    private void open(int call) {
        open = new StringBuilder();
        openCall = call;
        logprobs.clear();
        listener.opened(closed.size(), item(OutputItem.IN_PROGRESS));
    }

    private void close(String status) {
        if (open == null) {
            return;
        }
        OutputItem item = item(status);
        open = null;
        listener.closed(closed.size(), item);
        closed.add(item);
    }

    /** The open item as it is now. */
    private OutputItem item(String status) {
        String id = idSuffix + "_" + closed.size();
        if (openCall != TEXT) {
            return new OutputItem.FunctionCall("fc_" + id, "function_call", status, callId, name, open.toString());
        }
        List<OutputItem.Text> content = status.equals(OutputItem.IN_PROGRESS)
                ? List.of()
                : List.of(OutputItem.Text.of(open.toString(), List.copyOf(logprobs)));
        return new OutputItem.Message("msg_" + id, "message", status, "assistant", content);
    }
}
