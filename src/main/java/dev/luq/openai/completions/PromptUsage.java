package dev.luq.openai.completions;

import dev.luq.openai.generation.ChoiceFrame;
import dev.luq.openai.generation.Usage;
import java.util.Arrays;

/** Tokens of an answer to several prompts: each prompt counts once. Not thread-safe. */
final class PromptUsage {

    private final int choicesPerPrompt;
    private final Usage[] prompts;

    PromptUsage(int prompts, int choicesPerPrompt) {
        this.choicesPerPrompt = choicesPerPrompt;
        this.prompts = new Usage[prompts];
        Arrays.fill(this.prompts, Usage.NONE);
    }

    void add(ChoiceFrame choice) {
        int prompt = choice.choice() / choicesPerPrompt;
        prompts[prompt] = prompts[prompt].plus(choice.frame());
    }

    Usage sum() {
        return Arrays.stream(prompts).reduce(Usage.NONE, Usage::plus);
    }
}
