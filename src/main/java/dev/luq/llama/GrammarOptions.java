package dev.luq.llama;

import java.util.List;

/**
 * A constraint on what is generated, as {@link ChatPrompt#grammarOptions} gives it.
 *
 * @param grammar GBNF with the start symbol {@code root}
 * @param lazy whether the grammar waits for a trigger
 * @param triggersJson what starts a lazy grammar: the shim's JSON array
 * @param preservedTokens texts of tokens that a trigger needs
 * @param prefix text at the end of the prompt that the grammar begins with; empty for none
 */
public record GrammarOptions(
        String grammar, boolean lazy, String triggersJson, List<String> preservedTokens, String prefix) {

    public GrammarOptions {
        preservedTokens = List.copyOf(preservedTokens);
    }

    /** A grammar that holds from the first generated token on. */
    public static GrammarOptions of(String grammar) {
        return new GrammarOptions(grammar, false, "[]", List.of(), "");
    }
}
