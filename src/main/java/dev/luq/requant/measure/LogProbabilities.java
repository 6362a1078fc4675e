package dev.luq.requant.measure;

import java.nio.FloatBuffer;

/**
 * The distribution of the next token, as natural logarithms: log-softmax of raw logits, computed in double and rounded
 * to float, which is how base outputs are stored: a model compared with itself is at distance 0 exactly.
 */
final class LogProbabilities {

    private final float[] values;
    private final int best;

    private LogProbabilities(float[] values, int best) {
        this.values = values;
        this.best = best;
    }

    /**
     * @param logits one per token of the vocabulary, from the buffer's start to its limit
     * @throws MeasureException.Undefined a logit is not a number or infinitely large, or all are negative infinity
     */
    static LogProbabilities of(FloatBuffer logits) {
        int size = logits.limit();
        int best = 0;
        for (int i = 0; i < size; i++) {
            if (Float.isNaN(logits.get(i))) {
                throw new MeasureException.Undefined();
            }
            if (logits.get(i) > logits.get(best)) {
                best = i;
            }
        }
        double max = size == 0 ? Double.NEGATIVE_INFINITY : logits.get(best);
        if (Double.isInfinite(max)) {
            throw new MeasureException.Undefined();
        }
        double sum = 0;
        for (int i = 0; i < size; i++) {
            sum += Math.exp(logits.get(i) - max);
        }
        double logSum = max + Math.log(sum);
        float[] values = new float[size];
        for (int i = 0; i < size; i++) {
            values[i] = (float) (logits.get(i) - logSum);
        }
        return new LogProbabilities(values, best);
    }

    int size() {
        return values.length;
    }

    float of(int token) {
        return values[token];
    }

    /** The likeliest token; of equal ones the lowest id. */
    int best() {
        return best;
    }

    /** The values themselves, not a copy. */
    float[] values() {
        return values;
    }
}
