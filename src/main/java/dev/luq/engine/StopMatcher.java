package dev.luq.engine;

import java.util.List;

/**
 * Cuts text that comes in pieces off before the first stop string. Text that could be the beginning of a stop string
 * is held back until that is decided.
 */
final class StopMatcher {

    private final List<String> stops;
    private final StringBuilder held = new StringBuilder();
    /** Null until one is complete. */
    private String match;

    /** @param stops empty ones are ignored */
    StopMatcher(List<String> stops) {
        this.stops = stops.stream().filter(stop -> !stop.isEmpty()).toList();
    }

    /** The text that is safe to show now. After a match nothing comes any more. */
    String append(String text) {
        if (match != null) {
            return "";
        }
        held.append(text);
        int cut = findFirst();
        if (match != null) {
            String safe = held.substring(0, cut);
            held.setLength(0);
            return safe;
        }
        int safe = held.length() - beginningOfStop();
        String shown = held.substring(0, safe);
        held.delete(0, safe);
        return shown;
    }

    /** The end came without a stop string: what was held back. */
    String finish() {
        String text = held.toString();
        held.setLength(0);
        return text;
    }

    boolean matched() {
        return match != null;
    }

    /** The stop string that ended the text; null while none did. */
    String match() {
        return match;
    }

    /** @return where the first stop string begins that is complete; -1 if none is */
    private int findFirst() {
        int first = -1;
        for (String stop : stops) {
            int at = held.indexOf(stop);
            if (at >= 0 && (first < 0 || at < first)) {
                first = at;
                match = stop;
            }
        }
        return first;
    }

    /** Length of the longest end of the held text that a stop string begins with. */
    private int beginningOfStop() {
        int longest = 0;
        for (String stop : stops) {
            for (int n = Math.min(stop.length() - 1, held.length()); n > longest; n--) {
                if (stop.startsWith(held.substring(held.length() - n))) {
                    longest = n;
                }
            }
        }
        return longest;
    }
}
