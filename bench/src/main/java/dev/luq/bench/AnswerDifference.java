package dev.luq.bench;

import dev.luq.protocol.WorkerFrame.TokenLogprob;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * Where the likeliest answers to one question part that llama.cpp's kernels and ours gave.
 *
 * @param position of the first token that differs, from 1
 * @param stock llama.cpp's token there; empty where its answer had ended
 * @param ours the same of ours
 * @param gap nats by which llama.cpp holds its own token likelier than ours. Where ours is not among the alternatives, at
 *     least so many. Where one of the answers had ended, between the likeliest two tokens of the other: what ends an answer
 *     is not told
 */
public record AnswerDifference(int position, Optional<String> stock, Optional<String> ours, double gap) {

    /** Nats. Sums of floats come in another order, so either of two tokens that are as good as equal may be the likeliest. */
    private static final double AS_GOOD_AS_EQUAL = 0.1;

    /**
     * Compares two answers of likeliest tokens.
     *
     * @param stock llama.cpp's tokens, each with two alternatives or more, the likeliest first
     * @param ours the same of ours
     * @return empty when they are the same
     */
    public static Optional<AnswerDifference> between(List<TokenLogprob> stock, List<TokenLogprob> ours) {
        int same = same(stock, ours);
        if (same == Math.max(stock.size(), ours.size())) {
            return Optional.empty();
        }
        Optional<TokenLogprob> theirs = token(stock, same);
        Optional<TokenLogprob> own = token(ours, same);
        double gap = theirs.isPresent() && own.isPresent()
                ? gap(theirs.get(), own.get())
                : margin(theirs.or(() -> own).orElseThrow());
        return Optional.of(
                new AnswerDifference(same + 1, theirs.map(TokenLogprob::token), own.map(TokenLogprob::token), gap));
    }

    /** By how many nats the log probabilities of the tokens differ that come before the first difference. */
    static double[] shifts(List<TokenLogprob> stock, List<TokenLogprob> ours) {
        return IntStream.range(0, same(stock, ours))
                .mapToDouble(i -> Math.abs(stock.get(i).logprob() - ours.get(i).logprob()))
                .toArray();
    }

    /** @return tokens that both begin with */
    private static int same(List<TokenLogprob> stock, List<TokenLogprob> ours) {
        int same = 0;
        while (same < Math.min(stock.size(), ours.size())
                && stock.get(same).bytes().equals(ours.get(same).bytes())) {
            same++;
        }
        return same;
    }

    private static Optional<TokenLogprob> token(List<TokenLogprob> answer, int index) {
        return index < answer.size() ? Optional.of(answer.get(index)) : Optional.empty();
    }

    private static double gap(TokenLogprob stock, TokenLogprob ours) {
        List<TokenLogprob> top = stock.top();
        return stock.logprob()
                - top.stream()
                        .filter(token -> token.bytes().equals(ours.bytes()))
                        .findFirst()
                        .orElse(top.get(top.size() - 1))
                        .logprob();
    }

    private static double margin(TokenLogprob token) {
        return token.top().get(0).logprob() - token.top().get(1).logprob();
    }

    /** Whether nothing but rounding chose between the two. */
    public boolean isTie() {
        return gap < AS_GOOD_AS_EQUAL;
    }
}
