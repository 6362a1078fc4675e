package dev.luq.prompt;

import java.util.List;
import java.util.Objects;

/**
 * A tokenized prompt.
 *
 * @param units not empty
 * @param tokens text and image tokens: the cells it fills
 * @param imageTokens of these, tokens of images
 * @param salt prompts with another one share nothing with it; null is one too
 */
public record Prompt(List<PromptUnit> units, int tokens, int imageTokens, String salt) {

    /** @throws IllegalArgumentException there are no units */
    public static Prompt of(List<PromptUnit> units, String salt) {
        if (units.isEmpty()) {
            throw new IllegalArgumentException("a prompt needs at least one token");
        }
        int tokens = 0;
        int images = 0;
        for (PromptUnit unit : units) {
            tokens += unit.cells();
            images += unit instanceof PromptUnit.Image ? unit.cells() : 0;
        }
        return new Prompt(List.copyOf(units), tokens, images, salt);
    }

    /**
     * The first units.
     *
     * @param units 1 or more
     */
    public Prompt prefix(int units) {
        return of(this.units.subList(0, units), salt);
    }

    /** Units up to and with the last image; 0 when there is none. */
    public int unitsWithImages() {
        int last = units.size();
        while (last > 0 && !(units.get(last - 1) instanceof PromptUnit.Image)) {
            last--;
        }
        return last;
    }

    /** Cells of the first units. */
    public int cells(int units) {
        return this.units.subList(0, units).stream().mapToInt(PromptUnit::cells).sum();
    }

    /** Positions that the first units take. */
    public int positions(int units) {
        return this.units.subList(0, units).stream()
                .mapToInt(PromptUnit::positions)
                .sum();
    }

    /** Length of the longest common prefix with another prompt, in units. */
    public int common(Prompt other) {
        if (!Objects.equals(salt, other.salt)) {
            return 0;
        }
        int limit = Math.min(units.size(), other.units.size());
        int n = 0;
        while (n < limit && units.get(n).equals(other.units.get(n))) {
            n++;
        }
        return n;
    }
}
