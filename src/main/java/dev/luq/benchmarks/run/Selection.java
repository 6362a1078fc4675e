package dev.luq.benchmarks.run;

import dev.luq.benchmarks.data.Question;
import java.util.HashSet;
import java.util.OptionalInt;
import java.util.Set;

/** The first questions of a benchmark, where those of a group count as one and are all taken. Not thread-safe. */
final class Selection {

    private final OptionalInt limit;
    private final Set<String> groups = new HashSet<>();
    private int singles;

    Selection(OptionalInt limit) {
        this.limit = limit;
    }

    /** Whether the next question is one of them. */
    boolean takes(Question question) {
        if (limit.isEmpty()) {
            return true;
        }
        String group = question.reference().group();
        if (group == null) {
            return singles++ < limit.getAsInt();
        }
        String name = question.reference().category() + "/" + group;
        return groups.contains(name) || groups.size() < limit.getAsInt() && groups.add(name);
    }

    /** Whether no later question can be one of them. */
    boolean isComplete() {
        return limit.isPresent() && singles >= limit.getAsInt();
    }
}
