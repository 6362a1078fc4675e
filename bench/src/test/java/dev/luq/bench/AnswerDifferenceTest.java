package dev.luq.bench;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.luq.protocol.WorkerFrame.TokenLogprob;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class AnswerDifferenceTest {

    private static final TokenLogprob LARGE = token("large", -0.1, Map.of("small", -3.1, "red", -5.1));
    private static final TokenLogprob RED = token("red", -0.70, Map.of("pink", -0.75, "blue", -4.7));
    private static final TokenLogprob PINK = token("pink", -0.71, Map.of("red", -0.72, "blue", -4.5));
    private static final TokenLogprob RING = token("ring", -0.2, Map.of("heart", -2.2, "red", -5.2));

    @Test
    void equalAnswersDoNotDiffer() {
        assertEquals(Optional.empty(), AnswerDifference.between(List.of(LARGE, RED), List.of(LARGE, RED)));
        assertEquals(Optional.empty(), AnswerDifference.between(List.of(), List.of()));
    }

    /** What follows it differs for that reason, if it does. */
    @Test
    void theFirstTokenThatDiffersCounts() {
        AnswerDifference difference = difference(List.of(LARGE, RED, RING), List.of(LARGE, PINK, LARGE));
        assertEquals(2, difference.position());
        assertEquals(Optional.of("red"), difference.stock());
        assertEquals(Optional.of("pink"), difference.ours());
    }

    @Test
    void theGapIsBetweenBothTokensAsLlamaCppSeesThem() {
        AnswerDifference tie = difference(List.of(RED), List.of(PINK));
        assertEquals(0.05, tie.gap(), 1e-9);
        assertTrue(tie.isTie());
        AnswerDifference other = difference(List.of(RED), List.of(token("blue", -0.5, Map.of("red", -0.6))));
        assertEquals(4.0, other.gap(), 1e-9);
        assertFalse(other.isTie());
    }

    @Test
    void aTokenThatIsNoAlternativeIsAtLeastAsFarAwayAsTheLast() {
        assertEquals(4.0, difference(List.of(RED), List.of(RING)).gap(), 1e-9);
    }

    @Test
    void whereOneAnswerEndsTheOtherTellsTheMargin() {
        AnswerDifference longer = difference(List.of(LARGE), List.of(LARGE, PINK));
        assertEquals(2, longer.position());
        assertEquals(Optional.empty(), longer.stock());
        assertEquals(0.01, longer.gap(), 1e-9);
        AnswerDifference shorter = difference(List.of(LARGE, RING), List.of(LARGE));
        assertEquals(Optional.empty(), shorter.ours());
        assertEquals(2.0, shorter.gap(), 1e-9);
    }

    @Test
    void equalTokensShiftByTheirLogProbabilities() {
        TokenLogprob likelier = token("large", -0.09, Map.of("small", -3.2));
        assertArrayEquals(
                new double[] {0.01},
                AnswerDifference.shifts(List.of(LARGE, RED, RING), List.of(likelier, PINK, RING)),
                1e-9);
    }

    private static AnswerDifference difference(List<TokenLogprob> stock, List<TokenLogprob> ours) {
        return AnswerDifference.between(stock, ours).orElseThrow();
    }

    /** @param others less likely ones */
    private static TokenLogprob token(String text, double logprob, Map<String, Double> others) {
        List<TokenLogprob> top = new ArrayList<>(List.of(alone(text, logprob)));
        others.forEach((other, value) -> top.add(alone(other, value)));
        top.sort(Comparator.comparingDouble(TokenLogprob::logprob).reversed());
        return new TokenLogprob(-1, text, logprob, alone(text, logprob).bytes(), top);
    }

    private static TokenLogprob alone(String text, double logprob) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        return new TokenLogprob(
                -1,
                text,
                logprob,
                IntStream.range(0, bytes.length).mapToObj(i -> (int) bytes[i]).toList(),
                null);
    }
}
