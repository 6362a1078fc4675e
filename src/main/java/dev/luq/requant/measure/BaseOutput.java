package dev.luq.requant.measure;

import java.util.Arrays;

/**
 * What the base model gave for one answer position.
 *
 * @param example index of the example in its data set
 * @param target the token that the right answer has here
 * @param best the base model's likeliest token, of equal ones the lowest id
 * @param tokens ids that the log probabilities belong to, ascending; null when they are the whole vocabulary
 * @param logs natural logarithms of the probabilities of these tokens
 * @param rest natural logarithm of the probability of all other tokens together; negative infinity without others
 */
record BaseOutput(int example, int target, int best, int[] tokens, float[] logs, float rest) {

    /**
     * Keeps a distribution, in full or its likeliest tokens.
     *
     * @param kept number of tokens kept; those of the vocabulary or more: all of them
     */
    static BaseOutput of(int example, int target, LogProbabilities base, int kept) {
        if (kept >= base.size()) {
            return new BaseOutput(example, target, base.best(), null, base.values(), Float.NEGATIVE_INFINITY);
        }
        int[] tokens = likeliest(base, kept);
        float[] logs = new float[kept];
        for (int i = 0; i < kept; i++) {
            logs[i] = base.of(tokens[i]);
        }
        return new BaseOutput(example, target, base.best(), tokens, logs, rest(base, tokens));
    }

    /**
     * Kullback-Leibler divergence of a candidate from the base model, D(base || candidate), in nats. Where only the
     * likeliest tokens are kept, all others count as one: that is a lower bound of the divergence (data-processing
     * inequality).
     *
     * @throws MeasureException.Incomparable the vocabularies differ
     */
    double divergence(LogProbabilities candidate) {
        if (tokens == null && logs.length != candidate.size()
                || tokens != null && tokens[tokens.length - 1] >= candidate.size()) {
            throw new MeasureException.Incomparable("their vocabularies differ");
        }
        double sum = 0;
        for (int i = 0; i < logs.length; i++) {
            sum += term(logs[i], candidate.of(tokens == null ? i : tokens[i]));
        }
        return tokens == null ? sum : sum + term(rest, rest(candidate, tokens));
    }

    private static double term(float base, float candidate) {
        double probability = Math.exp(base);
        return probability == 0 ? 0 : probability * ((double) base - candidate);
    }

    /** Natural logarithm of the probability outside the given ascending ids. */
    private static float rest(LogProbabilities all, int[] tokens) {
        double sum = 0;
        int next = 0;
        for (int i = 0; i < all.size(); i++) {
            if (next < tokens.length && tokens[next] == i) {
                next++;
            } else {
                sum += Math.exp(all.of(i));
            }
        }
        return (float) Math.log(sum);
    }

    /** The ids with the highest probabilities, ascending; of equal ones those with lower ids. */
    private static int[] likeliest(LogProbabilities all, int kept) {
        float[] sorted = all.values().clone();
        Arrays.sort(sorted);
        float least = sorted[sorted.length - kept];
        int above = 0;
        for (float value : sorted) {
            above += value > least ? 1 : 0;
        }
        int ties = kept - above;
        int[] tokens = new int[kept];
        int n = 0;
        for (int i = 0; i < all.size(); i++) {
            if (all.of(i) > least || all.of(i) == least && ties-- > 0) {
                tokens[n++] = i;
            }
        }
        return tokens;
    }
}
