package dev.luq.engine;

import java.util.Arrays;

/**
 * Prompt lookup: guesses how a text goes on from where its latest tokens came before, in the prompt or in the answer.
 * Each token costs constant time; the index is bounded, and forgets n-grams where it is full. Not thread-safe.
 *
 * <p>A match goes on for as long as the tokens agree. Where they differ, the next one is looked for close behind,
 * since a copy with a change goes on there; then at the latest place of the last {@value #LONGEST} tokens, then of
 * the last {@value #SHORTEST}.
 */
final class PromptLookup {

    /** Matches are not counted beyond this many tokens. */
    static final int COUNTED = 8;

    static final int SHORTEST = 2;
    private static final int LONGEST = 3;
    /** Stands for what is no token; never drafted. */
    private static final int NO_TOKEN = -1;
    /** Entries of an index at most: 256 KiB. */
    private static final int MOST_ENTRIES = 1 << 16;
    /** Tokens that a copy skips or changes at most before it is looked for elsewhere alone. */
    private static final int CHANGED = 32;

    /** For n-grams of each length, by their hash, the index of the token after the latest one; 0 for none. */
    private final int[][] latest = new int[LONGEST + 1][];

    private int[] tokens = new int[256];
    private int size;
    /** Index of the token that is expected next; 0 for none. */
    private int expected;
    /** Tokens before {@link #expected} that agree with the end of the text. */
    private int matched;
    /** Where the last match of {@link #COUNTED} tokens broke off; 0 for none. */
    private int left;
    /** Size of the text at that moment. */
    private int leftAt;

    /** @param contextSize tokens of the text at most, as far as is known */
    PromptLookup(int contextSize) {
        int entries = Integer.highestOneBit(Math.max(16, Math.min(contextSize, MOST_ENTRIES / 2))) * 2;
        for (int n = SHORTEST; n <= LONGEST; n++) {
            latest[n] = new int[entries];
        }
    }

    /** The text goes on with something that is no token. */
    void appendOther() {
        append(NO_TOKEN);
    }

    void append(int token) {
        if (size == tokens.length) {
            tokens = Arrays.copyOf(tokens, 2 * size);
        }
        follow(token);
        tokens[size++] = token;
        if (expected == 0 && left > 0 && size - leftAt <= CHANGED) {
            resume();
        }
        for (int n = LONGEST; n >= SHORTEST; n--) {
            if (size >= n) {
                int entry = entry(n);
                int before = latest[n][entry];
                latest[n][entry] = size;
                if (expected == 0 && agree(before) >= n) {
                    expect(before);
                }
            }
        }
    }

    private void follow(int token) {
        if (expected == 0) {
            return;
        }
        if (tokens[expected] == token) {
            expected++;
            matched = Math.min(matched + 1, COUNTED);
            return;
        }
        if (matched == COUNTED) {
            left = expected;
            leftAt = size;
        }
        expected = 0;
        matched = 0;
    }

    /** Looks for the end of the text close behind where the last match broke off. */
    private void resume() {
        int end = Math.min(left + CHANGED, size - 1);
        for (int i = left + 1; i <= end; i++) {
            if (agree(i) >= SHORTEST) {
                expect(i);
                return;
            }
        }
    }

    private void expect(int index) {
        expected = index;
        matched = agree(index);
    }

    /** How many tokens before an index agree with the end of the text; 0 for the index 0. */
    private int agree(int index) {
        int n = 0;
        while (n < COUNTED && n < index && tokens[index - 1 - n] == tokens[size - 1 - n]) {
            n++;
        }
        return n;
    }

    private int entry(int n) {
        int hash = 0;
        for (int i = size - n; i < size; i++) {
            hash = (hash ^ tokens[i]) * 0x9E3779B1;
        }
        return (hash ^ hash >>> 16) & latest[n].length - 1;
    }

    /**
     * Tokens at the end of the text that came before, counted up to {@link #COUNTED}; 0 when there is nothing to
     * draft.
     */
    int matched() {
        return matched;
    }

    /**
     * What followed then, at most so many tokens. Where that reaches the end of the text, it is taken to repeat
     * itself.
     */
    int[] draft(int most) {
        if (expected == 0) {
            return new int[0];
        }
        int[] draft = new int[most];
        for (int i = 0; i < most; i++) {
            int index = expected + i;
            draft[i] = index < size ? tokens[index] : draft[index - size];
            if (draft[i] == NO_TOKEN) {
                return Arrays.copyOf(draft, i);
            }
        }
        return draft;
    }
}
