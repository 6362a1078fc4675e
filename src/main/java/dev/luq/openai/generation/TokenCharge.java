package dev.luq.openai.generation;

import dev.luq.protocol.WorkerFrame.Accepted;
import dev.luq.protocol.WorkerFrame.Delta;
import dev.luq.protocol.WorkerFrame.Finished;
import dev.luq.protocol.WorkerFrame.Progress;
import java.util.BitSet;
import java.util.function.LongConsumer;

/**
 * Charges one request for the tokens that it used, as its usage counts them: a choice that does not come to its end for
 * those that its latest piece says, a prompt for what was evaluated of it. Thread-safe.
 */
final class TokenCharge implements AutoCloseable {

    private final LongConsumer account;
    // guarded by this
    private final int[] generated;
    /** Of prompts that were not charged yet. */
    private final int[] evaluated;
    /** Prompts that were charged. */
    private final BitSet prompted = new BitSet();

    private final int choicesPerPrompt;

    /** @param account takes tokens */
    TokenCharge(int choices, int choicesPerPrompt, LongConsumer account) {
        this.generated = new int[choices];
        this.evaluated = new int[(choices + choicesPerPrompt - 1) / choicesPerPrompt];
        this.choicesPerPrompt = choicesPerPrompt;
        this.account = account;
    }

    synchronized void add(ChoiceFrame choice) {
        int prompt = choice.choice() / choicesPerPrompt;
        if (choice.frame() instanceof Accepted accepted && !prompted.get(prompt)) {
            prompted.set(prompt);
            evaluated[prompt] = 0;
            account.accept(accepted.promptTokens());
        } else if (choice.frame() instanceof Progress progress && !prompted.get(prompt)) {
            evaluated[prompt] = Math.max(evaluated[prompt], progress.evaluatedTokens());
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
        charge(evaluated);
        charge(generated);
    }

    private void charge(int[] tokens) {
        for (int i = 0; i < tokens.length; i++) {
            if (tokens[i] > 0) {
                account.accept(tokens[i]);
                tokens[i] = 0;
            }
        }
    }
}
