package dev.luq.openai.generation;

import java.util.HashMap;
import java.util.Map;

/** Where the fields of a request come from that was made of another one; for {@link Addressed#fields}. */
public final class FieldNames {

    private final Map<String, String> origins = new HashMap<>();

    /**
     * A field and all that is in it, unless more is said of a part of it.
     *
     * @param field such as {@code messages[2].content[0]}
     * @param origin such as {@code input[1].content[0]}
     */
    public void put(String field, String origin) {
        origins.put(field, origin);
    }

    /** The field's origin; the field itself where nothing is said of it. */
    public String of(String field) {
        for (int end = field.length();
                end > 0;
                end = Math.max(field.lastIndexOf('.', end - 1), field.lastIndexOf('[', end - 1))) {
            String origin = origins.get(field.substring(0, end));
            if (origin != null) {
                return origin + field.substring(end);
            }
        }
        return field;
    }
}
