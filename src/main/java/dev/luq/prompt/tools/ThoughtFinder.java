package dev.luq.prompt.tools;

import dev.luq.llama.MessageDelta;
import dev.luq.llama.ThinkingTags;
import java.util.List;

/**
 * Tells the thoughts at the beginning of an answer from what follows them. White space around both belongs to neither.
 * For one thread.
 */
final class ThoughtFinder {

    private enum State {
        /** Thoughts may begin, unless other text does. */
        BEFORE,
        WITHIN,
        /** What comes is the answer. */
        BEHIND
    }

    private final ThinkingTags tags;
    private final StringBuilder held = new StringBuilder();
    private State state;
    /** Whether the thoughts, or the answer behind them, have begun with something else than white space. */
    private boolean begun;

    /** @param within whether the prompt ends within thoughts */
    ThoughtFinder(ThinkingTags tags, boolean within) {
        this.tags = tags;
        this.state = within ? State.WITHIN : State.BEFORE;
    }

    /**
     * Takes the next piece of the text.
     *
     * @param thoughts receives thoughts
     * @return what of the answer came
     */
    String append(String text, List<MessageDelta> thoughts) {
        held.append(text);
        if (state == State.BEFORE) {
            begin();
        }
        if (state == State.WITHIN) {
            think(thoughts);
        }
        return state == State.BEHIND ? answer() : "";
    }

    /**
     * What was held back and will not be continued.
     *
     * @param thoughts receives thoughts
     */
    String finish(List<MessageDelta> thoughts) {
        String rest = held.toString();
        held.setLength(0);
        if (state == State.WITHIN) {
            show(rest.stripTrailing(), thoughts);
            return "";
        }
        return rest;
    }

    private void begin() {
        String text = held.toString().stripLeading();
        if (text.startsWith(tags.start())) {
            held.setLength(0);
            held.append(text, tags.start().length(), text.length());
            state = State.WITHIN;
        } else if (!tags.start().startsWith(text)) {
            state = State.BEHIND;
            begun = true; // it is the whole answer, as it is
        }
    }

    private void think(List<MessageDelta> thoughts) {
        int end = -1;
        int endLength = 0;
        for (String tag : tags.ends()) {
            int at = held.indexOf(tag);
            if (at >= 0 && (end < 0 || at < end)) {
                end = at;
                endLength = tag.length();
            }
        }
        int shown = end < 0 ? safe() : end;
        String thought = held.substring(0, shown);
        // White space comes with what follows it, if anything does.
        String whole = thought.stripTrailing();
        show(whole, thoughts);
        held.delete(0, end < 0 ? whole.length() : end + endLength);
        if (end >= 0) {
            state = State.BEHIND;
            begun = false;
        }
    }

    /** Characters before what may become the end of the thoughts. */
    private int safe() {
        for (int at = Math.max(0, held.length() - tags.longestEnd()); at < held.length(); at++) {
            String tail = held.substring(at);
            if (tags.ends().stream().anyMatch(tag -> tag.startsWith(tail))) {
                return at;
            }
        }
        return held.length();
    }

    private void show(String thought, List<MessageDelta> thoughts) {
        String text = begun ? thought : thought.stripLeading();
        if (!text.isEmpty()) {
            begun = true;
            thoughts.add(new MessageDelta.Thought(text));
        }
    }

    private String answer() {
        String text = begun ? held.toString() : held.toString().stripLeading();
        begun |= !text.isEmpty();
        held.setLength(0);
        return text;
    }
}
