package dev.luq.engine;

import dev.luq.prompt.Prompt;
import dev.luq.prompt.PromptUnit;

/** Drafts the next tokens of one request. Not thread-safe. */
final class Speculation {

    private final PromptLookup lookup;
    private final DraftLength length = new DraftLength();
    /** Of the latest draft. */
    private int matched;

    /** @param contextSize see {@link PromptLookup} */
    Speculation(Prompt prompt, int contextSize) {
        lookup = new PromptLookup(contextSize);
        for (PromptUnit unit : prompt.units()) {
            if (unit instanceof PromptUnit.Text text) {
                lookup.append(text.token());
            } else {
                lookup.appendOther();
            }
        }
    }

    /** The answer goes on with this token. */
    void append(int token) {
        lookup.append(token);
    }

    /** @return tokens that may come next, at most so many, possibly none */
    int[] draft(int most) {
        matched = lookup.matched();
        return lookup.draft(matched == 0 ? 0 : length.of(matched, most));
    }

    /** How many of the latest draft's tokens were right. */
    void verified(int drafted, int right) {
        length.verified(matched, drafted, right);
    }
}
