package dev.luq.openai.generation;

import dev.luq.protocol.WorkerFrame.Accepted;
import dev.luq.protocol.WorkerFrame.Delta;
import dev.luq.protocol.WorkerFrame.Finished;
import java.util.function.LongConsumer;

/**
 * Charges one request for the tokens that it used, as its usage counts them. A choice that does not come to its end does
 * not say how many it had: it is charged for each piece as many tokens as it has log probabilities, or one for four
 * characters, one at least. Thread-safe.
 */
final class TokenCharge implements AutoCloseable {

    private static final int CHARACTERS_PER_TOKEN = 4;

    private final LongConsumer account;
    // guarded by this
    private final long[] pieces;
    private boolean prompted;

    /** @param account takes tokens */
    TokenCharge(int choices, LongConsumer account) {
        this.pieces = new long[choices];
        this.account = account;
    }

    synchronized void add(ChoiceFrame choice) {
        if (choice.frame() instanceof Accepted accepted && !prompted) {
            prompted = true;
            account.accept(accepted.promptTokens());
        } else if (choice.frame() instanceof Delta delta) {
            pieces[choice.choice()] += tokens(delta);
        } else if (choice.frame() instanceof Finished finished) {
            pieces[choice.choice()] = 0;
            account.accept(finished.completionTokens());
        }
    }

    private static long tokens(Delta delta) {
        if (delta.logprobs() != null) {
            return delta.logprobs().size();
        }
        return Math.max(1, delta.content() == null ? 1 : delta.content().length() / CHARACTERS_PER_TOKEN);
    }

    /** The request is over; closing it twice does no harm. */
    @Override
    public synchronized void close() {
        for (int i = 0; i < pieces.length; i++) {
            if (pieces[i] > 0) {
                account.accept(pieces[i]);
                pieces[i] = 0;
            }
        }
    }
}
