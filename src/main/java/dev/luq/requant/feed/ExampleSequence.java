package dev.luq.requant.feed;

import dev.luq.prompt.PromptUnit;
import java.util.ArrayList;
import java.util.List;

/** A prompt and the answer that follows it, unit by unit. */
final class ExampleSequence {

    private final List<PromptUnit> units;
    private final int promptUnits;
    private final int firstImage;

    ExampleSequence(List<PromptUnit> prompt, int[] answer) {
        units = new ArrayList<>(prompt);
        promptUnits = prompt.size();
        for (int token : answer) {
            units.add(new PromptUnit.Text(token));
        }
        int image = 0;
        while (image < units.size() && !(units.get(image) instanceof PromptUnit.Image)) {
            image++;
        }
        firstImage = image;
    }

    int units() {
        return units.size();
    }

    /** From the beginning to the last image; empty without one. */
    List<PromptUnit> upToLastImage() {
        int end = units.size();
        while (end > 0 && !(units.get(end - 1) instanceof PromptUnit.Image)) {
            end--;
        }
        return List.copyOf(units.subList(0, end));
    }

    PromptUnit unit(int index) {
        return units.get(index);
    }

    /** Cells of the KV cache. */
    int tokens() {
        return units.stream().mapToInt(PromptUnit::cells).sum();
    }

    int positions() {
        return units.stream().mapToInt(PromptUnit::positions).sum();
    }

    /** Tokens of the largest picture that cannot be evaluated in several steps; 0 without one. */
    int mostAtOnce() {
        return units.stream()
                .filter(unit -> unit instanceof PromptUnit.Image image && !image.divisible())
                .mapToInt(PromptUnit::cells)
                .max()
                .orElse(0);
    }

    /** Whether what follows this unit belongs to the answer or ends it. */
    boolean predictsAnswer(int unit) {
        return unit >= promptUnits - 1;
    }

    boolean hasImageUpTo(int unit) {
        return unit >= firstImage;
    }

    /** The token after a unit: {@code end} after the last one, -1 before an image. */
    int target(int unit, int end) {
        if (unit + 1 == units.size()) {
            return end;
        }
        return units.get(unit + 1) instanceof PromptUnit.Text text ? text.token() : -1;
    }
}
