package dev.luq.requant.measure;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.FloatBuffer;
import java.util.Random;
import org.junit.jupiter.api.Test;

class BaseOutputTest {

    private static LogProbabilities logs(double... probabilities) {
        float[] logits = new float[probabilities.length];
        for (int i = 0; i < logits.length; i++) {
            logits[i] = (float) (Math.log(probabilities[i]) + 7); // a constant added to all logits changes nothing
        }
        return LogProbabilities.of(FloatBuffer.wrap(logits));
    }

    private static LogProbabilities random(Random random, int size) {
        float[] logits = new float[size];
        for (int i = 0; i < size; i++) {
            logits[i] = (float) (4 * random.nextGaussian());
        }
        return LogProbabilities.of(FloatBuffer.wrap(logits));
    }

    @Test
    void divergenceIsTheSumOfPLogPOverQInNats() {
        BaseOutput base = BaseOutput.of(0, 0, logs(0.5, 0.25, 0.25), 3);
        double expected = 0.5 * Math.log(0.5 / 0.25) + 0.25 * Math.log(0.25 / 0.5) + 0.25 * Math.log(0.25 / 0.25);
        assertEquals(expected, base.divergence(logs(0.25, 0.5, 0.25)), 1e-6);
    }

    @Test
    void aModelIsAtDistanceZeroOfItself() {
        LogProbabilities model = random(new Random(1), 600);
        assertEquals(0.0, BaseOutput.of(0, 0, model, 600).divergence(model));
        assertEquals(0.0, BaseOutput.of(0, 0, model, 16).divergence(model));
    }

    @Test
    void impossibleTokensOfTheBaseCountNothing() {
        BaseOutput base = BaseOutput.of(0, 0, logs(1, 0), 2);
        assertEquals(Math.log(2), base.divergence(logs(0.5, 0.5)), 1e-6);
    }

    @Test
    void whatTheCandidateRulesOutIsInfinitelyFar() {
        assertEquals(
                Double.POSITIVE_INFINITY, BaseOutput.of(0, 0, logs(0.5, 0.5), 2).divergence(logs(1, 0)));
    }

    @Test
    void theLikeliestTokensWithTheRestAsOneBoundTheDivergenceFromBelow() {
        Random random = new Random(2);
        for (int i = 0; i < 50; i++) {
            LogProbabilities base = random(random, 500);
            LogProbabilities candidate = random(random, 500);
            double full = BaseOutput.of(0, 0, base, 500).divergence(candidate);
            double few = BaseOutput.of(0, 0, base, 8).divergence(candidate);
            double many = BaseOutput.of(0, 0, base, 200).divergence(candidate);
            assertTrue(few <= many + 1e-6 && many <= full + 1e-6, few + " " + many + " " + full);
            assertTrue(few >= 0 && full - many < 0.05 * full, many + " of " + full);
        }
    }

    @Test
    void ofEqualTokensThoseWithLowerIdsAreKept() {
        LogProbabilities base = logs(0.1, 0.2, 0.2, 0.3, 0.2);
        assertEquals(3, base.best());
        assertArrayEquals(new int[] {1, 3}, BaseOutput.of(0, 0, base, 2).tokens());
        assertArrayEquals(new int[] {1, 2, 3}, BaseOutput.of(0, 0, base, 3).tokens());
        assertEquals(1, logs(0.2, 0.4, 0.4).best(), "the lowest id of equal ones");
    }

    @Test
    void anotherVocabularyCannotBeCompared() {
        assertThrows(MeasureException.Incomparable.class, () -> BaseOutput.of(0, 0, logs(0.5, 0.5), 2)
                .divergence(logs(0.2, 0.3, 0.5)));
    }

    @Test
    void logitsThatAreNoNumbersAreRefused() {
        for (float bad : new float[] {Float.NaN, Float.POSITIVE_INFINITY}) {
            assertThrows(
                    MeasureException.Undefined.class,
                    () -> LogProbabilities.of(FloatBuffer.wrap(new float[] {0, bad, 1})));
        }
        assertThrows(
                MeasureException.Undefined.class,
                () -> LogProbabilities.of(FloatBuffer.wrap(new float[] {Float.NEGATIVE_INFINITY})));
    }

    @Test
    void hugeLogitsDoNotOverflow() {
        LogProbabilities huge = LogProbabilities.of(FloatBuffer.wrap(new float[] {1e30f, 0, -1e30f}));
        assertEquals(0, huge.of(0));
        assertEquals(0, huge.best());
    }
}
