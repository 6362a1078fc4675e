package dev.luq.engine;

import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;

/** Natural logarithms of the model's own probabilities: log-softmax of the raw logits, before any sampling option. */
final class TopLogprobs {

    /** A token of the vocabulary and its log probability. */
    record Entry(int token, double logprob) {}

    private final FloatBuffer logits;
    private final double logSum;

    /** @param logits one per token of the vocabulary; read while this object is used */
    TopLogprobs(FloatBuffer logits) {
        this.logits = logits;
        double max = Double.NEGATIVE_INFINITY;
        for (int i = 0; i < logits.limit(); i++) {
            max = Math.max(max, logits.get(i));
        }
        double sum = 0;
        for (int i = 0; i < logits.limit(); i++) {
            sum += Math.exp(logits.get(i) - max);
        }
        this.logSum = max + Math.log(sum);
    }

    double of(int token) {
        return logits.get(token) - logSum;
    }

    /** The likeliest tokens, the likeliest first; of equal ones the lower id. */
    List<Entry> top(int count) {
        Comparator<Integer> likeliestFirst =
                Comparator.<Integer>comparingDouble(i -> -logits.get(i)).thenComparingInt(i -> i);
        PriorityQueue<Integer> best = new PriorityQueue<>(likeliestFirst.reversed());
        for (int i = 0; count > 0 && i < logits.limit(); i++) {
            if (best.size() < count) {
                best.add(i);
            } else if (logits.get(i) > logits.get(best.peek())) {
                best.poll();
                best.add(i);
            }
        }
        List<Integer> sorted = new ArrayList<>(best);
        sorted.sort(likeliestFirst);
        return sorted.stream().map(i -> new Entry(i, of(i))).toList();
    }
}
