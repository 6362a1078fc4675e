package dev.luq.engine;

import dev.luq.llama.MessageDelta;
import dev.luq.llama.Vocabulary;
import dev.luq.prompt.tools.AnswerParser;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * The way of one generation from tokens to deltas: bytes, complete characters, text before a stop string, thoughts,
 * content and tool calls. For one thread.
 */
final class OutputProcessor {

    /** Receives the pieces of the answer, in order. Log probabilities are null unless asked for. */
    interface Sink {

        /** @param content null where there are only log probabilities */
        void content(String content, List<GenerationEvent.TokenLogprob> logprobs);

        void thought(String thought, List<GenerationEvent.TokenLogprob> logprobs);

        void toolCall(GenerationEvent.ToolCall toolCall, List<GenerationEvent.TokenLogprob> logprobs);
    }

    /**
     * A token's log probabilities, waiting for its text.
     *
     * @param start where that begins, in characters
     */
    private record Pending(int start, GenerationEvent.TokenLogprob logprob) {}

    private final Vocabulary vocabulary;
    private final AnswerParser parser;
    private final int topLogprobs;
    private final Sink sink;
    private final Set<Integer> preserved = new HashSet<>();
    private final Utf8Decoder decoder = new Utf8Decoder();
    private final StopMatcher stops;
    private final List<Pending> pending = new ArrayList<>();
    private int decodedChars;
    /** Characters before a stop string and before what may become one. */
    private int safeChars;

    private boolean calledTools;

    /**
     * @param stops of the request and of the template
     * @param preservedTokens texts of control tokens that are part of the text
     * @param parser null when there is only content; stays the caller's
     * @param topLogprobs -1 for no log probabilities
     */
    OutputProcessor(
            Vocabulary vocabulary,
            List<String> stops,
            List<String> preservedTokens,
            AnswerParser parser,
            int topLogprobs,
            Sink sink) {
        this.vocabulary = vocabulary;
        this.parser = parser;
        this.topLogprobs = topLogprobs;
        this.sink = sink;
        this.stops = new StopMatcher(stops);
        for (String token : preservedTokens) {
            int[] ids = vocabulary.tokenize(token, false, true);
            if (ids.length == 1) {
                preserved.add(ids[0]);
            }
        }
    }

    /**
     * @param logprobs of the place where this token was chosen; null when not asked for
     * @return whether a stop string is complete, or the only call that may come, so that the answer ends here
     */
    boolean append(int token, TopLogprobs logprobs) {
        byte[] piece = vocabulary.piece(token, preserved.contains(token));
        if (logprobs != null) {
            List<GenerationEvent.TokenLogprob> top = logprobs.top(topLogprobs).stream()
                    .map(e -> logprob(e.token(), e.logprob(), List.of()))
                    .toList();
            pending.add(new Pending(decodedChars, logprob(token, logprobs.of(token), top)));
        }
        String decoded = decoder.decode(piece);
        decodedChars += decoded.length();
        String safe = stops.append(decoded);
        if (!safe.isEmpty()) {
            safeChars += safe.length();
            if (parser == null) {
                sink.content(safe, takePending());
            } else {
                show(parser.append(safe));
            }
        }
        return stops.matched() || parser != null && parser.complete();
    }

    /**
     * Shows what was held back.
     *
     * @return the reason that the client is told
     */
    FinishReason finish(FinishReason reason) {
        boolean cutOff = reason == FinishReason.LENGTH;
        String rest = stops.matched() ? "" : stops.append(decoder.finish()) + stops.finish();
        safeChars += rest.length();
        if (parser != null) {
            show(parser.finish(rest, cutOff));
        } else if (!rest.isEmpty()) {
            sink.content(rest, takePending());
        }
        if (stops.matched()) {
            // The stop string itself is not part of the answer, nor are tokens that belong to it alone.
            pending.removeIf(p -> p.start >= safeChars);
        }
        if (!pending.isEmpty()) {
            sink.content(null, takePending());
        }
        return calledTools && !cutOff ? FinishReason.TOOL_CALLS : reason;
    }

    /** The stop string that ended the answer; null while none did. */
    String stop() {
        return stops.match();
    }

    private void show(List<MessageDelta> deltas) {
        for (MessageDelta delta : deltas) {
            if (delta instanceof MessageDelta.Content content) {
                sink.content(content.text(), takePending());
            } else if (delta instanceof MessageDelta.Thought thought) {
                sink.thought(thought.text(), takePending());
            } else if (delta instanceof MessageDelta.ToolCall call) {
                calledTools = true;
                sink.toolCall(
                        new GenerationEvent.ToolCall(call.index(), call.id(), call.name(), call.arguments()),
                        takePending());
            }
        }
    }

    /** The log probabilities of the tokens whose text has begun to show. */
    private List<GenerationEvent.TokenLogprob> takePending() {
        if (topLogprobs < 0) {
            return null;
        }
        List<GenerationEvent.TokenLogprob> shown = new ArrayList<>();
        while (!pending.isEmpty() && pending.get(0).start < safeChars) {
            shown.add(pending.remove(0).logprob);
        }
        return shown;
    }

    private GenerationEvent.TokenLogprob logprob(int token, double logprob, List<GenerationEvent.TokenLogprob> top) {
        byte[] piece = vocabulary.piece(token, true);
        List<Integer> bytes = new ArrayList<>(piece.length);
        for (byte b : piece) {
            bytes.add(b & 0xff);
        }
        return new GenerationEvent.TokenLogprob(token, new String(piece, StandardCharsets.UTF_8), logprob, bytes, top);
    }
}
