package dev.luq.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.FloatBuffer;
import java.util.List;
import org.junit.jupiter.api.Test;

class TopLogprobsTest {

    private static final FloatBuffer LOGITS = FloatBuffer.wrap(
            new float[] {(float) Math.log(1), (float) Math.log(4), (float) Math.log(2), (float) Math.log(1)});

    @Test
    void probabilitiesAreTheSoftmaxOfTheLogits() {
        TopLogprobs logprobs = new TopLogprobs(LOGITS);
        assertEquals(Math.log(0.5), logprobs.of(1), 1e-6);
        assertEquals(Math.log(0.125), logprobs.of(0), 1e-6);
    }

    @Test
    void largeLogitsDoNotOverflow() {
        TopLogprobs logprobs = new TopLogprobs(FloatBuffer.wrap(new float[] {10000f, 10000f}));
        assertEquals(Math.log(0.5), logprobs.of(0), 1e-6);
    }

    @Test
    void theLikeliestComeFirst() {
        TopLogprobs logprobs = new TopLogprobs(LOGITS);
        assertEquals(
                List.of(1, 2, 0),
                logprobs.top(3).stream().map(TopLogprobs.Entry::token).toList());
        assertEquals(
                List.of(1, 2, 0, 3),
                logprobs.top(20).stream().map(TopLogprobs.Entry::token).toList());
        assertEquals(List.of(), logprobs.top(0));
    }
}
