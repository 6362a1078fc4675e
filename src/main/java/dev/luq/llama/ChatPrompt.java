package dev.luq.llama;

import java.util.ArrayList;
import java.util.List;

/**
 * A conversation as the model's template renders it, and what goes with it.
 *
 * @param prompt text with the template's special tokens in it
 * @param grammar GBNF that tool calls or the response have to follow; empty for none
 * @param grammarLazy whether the grammar waits for a trigger
 * @param triggersJson what starts a lazy grammar: the shim's JSON array
 * @param preservedTokens texts of control tokens that must appear in the generated text for tool calls to be recognized
 * @param stops texts that end the generation
 * @param grammarPrefix text at the end of the prompt that the grammar begins with
 * @param parserState what {@link ChatTemplates#parser} needs: the shim's JSON
 * @param thinking what thoughts stand between; null where the template knows none
 */
public record ChatPrompt(
        String prompt,
        String grammar,
        boolean grammarLazy,
        String triggersJson,
        List<String> preservedTokens,
        List<String> stops,
        String grammarPrefix,
        String parserState,
        ThinkingTags thinking) {

    /** A prompt by itself: whatever the model answers is text. */
    public static ChatPrompt of(String prompt) {
        return new ChatPrompt(prompt, "", false, "[]", List.of(), List.of(), "", "", null);
    }

    /** The same with this mark left out of everything but the prompt. */
    public ChatPrompt without(String mark) {
        return new ChatPrompt(
                prompt,
                grammar.replace(mark, ""),
                grammarLazy,
                triggersJson,
                preservedTokens,
                stops,
                grammarPrefix,
                parserState.replace(mark, ""),
                thinking);
    }

    /** The same with this constraint in place of the template's own. */
    public ChatPrompt with(GrammarOptions constraint) {
        List<String> preserved = new ArrayList<>(preservedTokens);
        preserved.addAll(constraint.preservedTokens());
        return new ChatPrompt(
                prompt,
                constraint.grammar(),
                constraint.lazy(),
                constraint.triggersJson(),
                List.copyOf(preserved),
                stops,
                constraint.prefix(),
                parserState,
                thinking);
    }

    /** The same with this text behind the prompt. */
    public ChatPrompt followedBy(String text) {
        return new ChatPrompt(
                prompt + text,
                grammar,
                grammarLazy,
                triggersJson,
                preservedTokens,
                stops,
                grammarPrefix,
                parserState,
                thinking);
    }

    /** The same whose answer has thoughts that can be found: their tags are kept in its text. */
    public ChatPrompt withThoughts() {
        List<String> preserved = new ArrayList<>(preservedTokens);
        preserved.add(thinking.start());
        preserved.addAll(thinking.ends());
        return new ChatPrompt(
                prompt,
                grammar,
                grammarLazy,
                triggersJson,
                List.copyOf(preserved),
                stops,
                grammarPrefix,
                parserState,
                thinking);
    }

    /** Whether the answer begins within thoughts. */
    public boolean endsWithinThoughts() {
        return !openThoughts().isEmpty();
    }

    /** The tag of thoughts that the answer goes on within, as the prompt ends with it; empty for none. */
    public String openThoughts() {
        String text = prompt.stripTrailing();
        return text.endsWith(thinking.start())
                ? prompt.substring(text.length() - thinking.start().length())
                : "";
    }

    /** The constraint for the sampler, or null when the generation is free. */
    public GrammarOptions grammarOptions() {
        return grammar.isEmpty()
                ? null
                : new GrammarOptions(grammar, grammarLazy, triggersJson, preservedTokens, grammarPrefix);
    }
}
