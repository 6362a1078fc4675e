package dev.luq.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.luq.engine.GenerationEvent.TokenLogprob;
import dev.luq.engine.GenerationEvent.ToolCall;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Time is a number that the test sets. */
class DeltaBufferTest {

    private static final ToolCall CALL = new ToolCall(0, "call_0", "look", "{}");

    private final List<String> shown = new ArrayList<>();
    private final List<List<TokenLogprob>> logprobs = new ArrayList<>();
    private long now;
    private final DeltaBuffer deltas = new DeltaBuffer(
            new OutputProcessor.Sink() {
                @Override
                public void content(String content, List<TokenLogprob> probabilities) {
                    shown.add(content);
                    logprobs.add(probabilities);
                }

                @Override
                public void thought(String thought, List<TokenLogprob> probabilities) {
                    shown.add("(" + thought + ")");
                    logprobs.add(probabilities);
                }

                @Override
                public void toolCall(ToolCall call, List<TokenLogprob> probabilities) {
                    shown.add(call.name());
                    logprobs.add(probabilities);
                }
            },
            20,
            () -> now);

    private void at(long time, String content) {
        now = time;
        deltas.content(content, null);
    }

    private static TokenLogprob logprob(String token) {
        return new TokenLogprob(1, token, -1, List.of(), List.of());
    }

    @Test
    void theFirstPieceIsShownAtOnce() {
        at(0, "a");
        assertEquals(List.of("a"), shown);
    }

    @Test
    void piecesWithinTheIntervalAreShownWithTheFirstAfterIt() {
        at(0, "a");
        at(7, "b");
        at(14, "c");
        assertEquals(List.of("a"), shown);
        at(21, "d");
        assertEquals(List.of("a", "bcd"), shown);
        at(40, "e");
        at(41, "f");
        assertEquals(List.of("a", "bcd", "ef"), shown);
    }

    @Test
    void thoughtsAndContentAreNotJoined() {
        at(0, "a");
        deltas.thought("b", null);
        deltas.thought("c", null);
        at(1, "d");
        deltas.flush();
        assertEquals(List.of("a", "(bc)", "d"), shown);
    }

    @Test
    void slowPiecesAreShownOneByOne() {
        at(0, "a");
        at(20, "b");
        at(40, "c");
        assertEquals(List.of("a", "b", "c"), shown);
    }

    @Test
    void whatIsKeptBackIsShownWhenAskedFor() {
        at(0, "a");
        at(1, "b");
        deltas.flush();
        deltas.flush();
        assertEquals(List.of("a", "b"), shown);
    }

    @Test
    void aToolCallComesAtOnceAfterTheTextBeforeIt() {
        at(0, "a");
        at(1, "b");
        deltas.toolCall(CALL, null);
        assertEquals(List.of("a", "b", "look"), shown);
    }

    @Test
    void logProbabilitiesStayWithTheirText() {
        deltas.content("a", List.of(logprob("a")));
        deltas.content("b", List.of(logprob("b")));
        deltas.content("c", List.of());
        deltas.content(null, List.of(logprob("c")));
        deltas.flush();
        assertEquals(List.of("a", "bc"), shown);
        assertEquals(List.of(List.of(logprob("a")), List.of(logprob("b"), logprob("c"))), logprobs);
    }
}
