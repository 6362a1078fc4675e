package dev.luq.engine;

/**
 * How many tokens are worth drafting, learned from how earlier drafts of the same request went. Not thread-safe.
 *
 * <p>The n-th token of a draft is of use when all before it are accepted too: with the probability p of one, in p^n
 * of the cases. A draft is as long as that is at least {@value #COST}, what a further token adds to the time of a
 * step that decodes one, at most. The probability is learned for each length of match by itself: text that copies
 * nothing has short matches by chance, which says nothing of the long ones.
 */
final class DraftLength {

    private static final double COST = 0.5;
    /** Weight of the latest token in the mean. */
    private static final double WEIGHT = 1 / 8.0;
    /** How fast what was given up is tried again: one token after a refusal, after about 15 steps with such a match. */
    private static final double RECOVERY = 1 / 128.0;
    /** So that what was right for long is given up soon. */
    private static final double SUREST = 0.98;

    /** Probability that a drafted token is accepted, by length of match. */
    private final double[] accepted = new double[PromptLookup.COUNTED + 1];

    DraftLength() {
        for (int matched = PromptLookup.SHORTEST; matched < accepted.length; matched++) {
            accepted[matched] = 1 - 1.0 / matched;
        }
    }

    /** @param matched see {@link PromptLookup#matched}, not 0 */
    int of(int matched, int most) {
        double p = accepted[matched];
        if (p < COST) {
            accepted[matched] += (1 - p) * RECOVERY;
            return 0;
        }
        double length = Math.log(COST) / Math.log(p);
        return length < most ? (int) length : most;
    }

    /** @param matched before the draft */
    void verified(int matched, int drafted, int right) {
        double p = Math.min(SUREST, 1 - (1 - accepted[matched]) * Math.pow(1 - WEIGHT, right));
        accepted[matched] = right < drafted ? p * (1 - WEIGHT) : p;
    }
}
