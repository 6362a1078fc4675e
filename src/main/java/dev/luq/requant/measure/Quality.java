package dev.luq.requant.measure;

import io.quarkus.runtime.annotations.RegisterForReflection;
import java.util.Map;
import java.util.TreeMap;

/**
 * What an evaluation found.
 *
 * @param all every answer position
 * @param image positions of answers to questions with an image
 * @param text positions of answers to questions without one
 * @param exactMatch by category, in the categories' order; those of examples without a category are under "other".
 *     Empty when answers were not generated
 * @param skipped examples that are too long to be fed and count nowhere
 */
@RegisterForReflection
public record Quality(Agreement all, Agreement image, Agreement text, Map<String, Score> exactMatch, int skipped) {

    public Quality {
        exactMatch = new TreeMap<>(exactMatch);
    }

    /** Over all categories. */
    public Score exactMatchAll() {
        return exactMatch.values().stream()
                .reduce(new Score(0, 0), (a, b) -> new Score(a.right() + b.right(), a.asked() + b.asked()));
    }
}
