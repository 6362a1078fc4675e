package dev.luq.openai.generation;

import dev.luq.protocol.WorkerFrame.Accepted;
import dev.luq.protocol.WorkerFrame.Delta;
import dev.luq.protocol.WorkerFrame.Finished;
import java.util.function.LongConsumer;

/**
 * Charges one request for the tokens that it used, as its usage counts them: a choice that does not come to its end for
 * those that its latest piece says. Thread-safe.
 */
final class TokenCharge implements AutoCloseable {

    private final LongConsumer account;
    // guarded by this
    private final int[] generated;
    private boolean prompted;

    /** @param account takes tokens */
    TokenCharge(int choices, LongConsumer account) {
        this.generated = new int[choices];
        this.account = account;
    }

    synchronized void add(ChoiceFrame choice) {
        if (choice.frame() instanceof Accepted accepted && !prompted) {
            prompted = true;
            account.accept(accepted.promptTokens());
        } else if (choice.frame() instanceof Delta delta) {
            generated[choice.choice()] = delta.tokens();
        } else if (choice.frame() instanceof Finished finished) {
            generated[choice.choice()] = 0;
            account.accept(finished.completionTokens());
        }
    }

    /** The request is over; closing it twice does no harm. */
    @Override
    public synchronized void close() {
        for (int i = 0; i < generated.length; i++) {
            if (generated[i] > 0) {
                account.accept(generated[i]);
                generated[i] = 0;
            }
        }
    }
}
