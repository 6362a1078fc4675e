package dev.luq.engine;

import dev.luq.prompt.Prompt;

/**
 * How far back a model looks. Where some layers look at the latest positions alone (Gemma, gpt-oss, Llama 4), what lies
 * further back is lost in time: llama.cpp gives these cells to others. A sequence goes on at its end in any case, and
 * before it only where all is left that the next token looks at.
 */
record Window(Effects effects) {

    /** Whether all is left that a token at this position of a sequence looks at. */
    boolean reaches(int sequence, int position) {
        return isEndless() || effects.firstPosition(sequence) <= Math.max(0, position - effects.window() + 1);
    }

    /** Whether nothing of a prompt is lost, so that it goes on anywhere. */
    boolean holds(Prompt evaluated) {
        return isEndless() || end(evaluated) < effects.window();
    }

    /** Whether a prompt that was just evaluated goes on behind its first units: just before its end nothing is lost yet. */
    boolean holds(Prompt evaluated, int units) {
        return holds(evaluated) || evaluated.positions(units) >= end(evaluated) - 1;
    }

    private boolean isEndless() {
        return effects.window() == Integer.MAX_VALUE;
    }

    private static int end(Prompt prompt) {
        return prompt.positions(prompt.units().size());
    }
}
