package dev.luq.openai.generation;

import dev.luq.protocol.WorkerFrame.Accepted;
import dev.luq.protocol.WorkerFrame.Delta;
import dev.luq.protocol.WorkerFrame.Finished;
import dev.luq.protocol.WorkerFrame.OfRequest;
import dev.luq.protocol.WorkerFrame.TokenLogprob;
import dev.luq.protocol.WorkerFrame.ToolCallDelta;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/** What came of one choice so far. Not thread-safe. */
public final class ChoiceDraft {

    private final StringBuilder content = new StringBuilder();
    private final StringBuilder thoughts = new StringBuilder();
    private final Map<Integer, CallDraft> calls = new TreeMap<>();
    private final List<TokenLogprob> logprobs = new ArrayList<>();
    private Accepted accepted;
    private Finished finished;

    /**
     * A tool call.
     *
     * @param arguments JSON text
     */
    public record Call(String id, String name, String arguments) {}

    /** One for each choice of a request. */
    public static List<ChoiceDraft> of(int choices) {
        return Stream.generate(ChoiceDraft::new).limit(choices).toList();
    }

    /** Takes the next frame of the choice. */
    public void add(OfRequest frame) {
        if (frame instanceof Accepted first) {
            accepted = first;
        } else if (frame instanceof Delta delta) {
            add(delta);
        } else if (frame instanceof Finished last) {
            finished = last;
        }
    }

    private void add(Delta delta) {
        if (delta.content() != null) {
            content.append(delta.content());
        }
        if (delta.thought() != null) {
            thoughts.append(delta.thought());
        }
        if (delta.toolCall() != null) {
            calls.computeIfAbsent(delta.toolCall().index(), index -> new CallDraft())
                    .add(delta.toolCall());
        }
        if (delta.logprobs() != null) {
            logprobs.addAll(delta.logprobs());
        }
    }

    /** Empty where the answer is tool calls only. */
    public String content() {
        return content.toString();
    }

    /** Empty where there are none, or they are not told from the content. */
    public String thoughts() {
        return thoughts.toString();
    }

    /** In the order of their indices. */
    public List<Call> calls() {
        return calls.values().stream().map(CallDraft::call).toList();
    }

    /** Empty where none were asked for. */
    public List<TokenLogprob> logprobs() {
        return logprobs;
    }

    /** @return null before it came */
    public Accepted accepted() {
        return accepted;
    }

    /** @return null before it came */
    public Finished finished() {
        return finished;
    }

    private static final class CallDraft {
        private final StringBuilder arguments = new StringBuilder();
        private String id;
        private String name;

        void add(ToolCallDelta delta) {
            id = delta.id() == null ? id : delta.id();
            name = delta.name() == null ? name : delta.name();
            if (delta.argumentsDelta() != null) {
                arguments.append(delta.argumentsDelta());
            }
        }

        Call call() {
            return new Call(id, name, arguments.toString());
        }
    }
}
