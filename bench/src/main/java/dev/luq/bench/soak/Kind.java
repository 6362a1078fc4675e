package dev.luq.bench.soak;

import java.util.Set;

/** What a request is, and what may come of it. */
enum Kind {
    TEXT("text", 14, Set.of(200)),
    STREAM("text, streamed", 18, Set.of(200)),
    PICTURE("a picture", 10, Set.of(200)),
    TOOLS("tools", 5, Set.of(200)),
    SCHEMA("a schema", 5, Set.of(200)),
    LOOK("models, health, metrics", 6, Set.of(200)),
    BROKEN_JSON("broken JSON", 6, Set.of(400)),
    BAD_FIELD("a wrong field", 8, Set.of(400)),
    /** What is cut off may be shown as far as it goes. */
    BAD_PICTURE("a broken picture", 6, Set.of(200, 400)),
    TOO_LONG("too long a text", 3, Set.of(400, 413)),
    BAD_HTTP("not what HTTP allows here", 5, Set.of(400, 404, 405, 413, 414, 415, 431, 501)),
    DRIPPING("a body that drips", 4, Set.of(200, 408)),
    SLOW_READER("an answer read slowly", 4, Set.of(200)),
    UNFINISHED("a body that stops", 3, Set.of()),
    LEAVING("a client that leaves", 8, Set.of());

    private final String label;
    private final int weight;

    @SuppressWarnings("ImmutableEnumChecker") // Set.of
    private final Set<Integer> expected;

    Kind(String label, int weight, Set<Integer> expected) {
        this.label = label;
        this.weight = weight;
        this.expected = expected;
    }

    String label() {
        return label;
    }

    /** How often it comes beside the others. */
    int weight() {
        return weight;
    }

    /** Statuses of its answer when nobody else is in the way. */
    boolean expects(int status) {
        return expected.contains(status);
    }

    /** Whether the client goes before it is answered. */
    boolean leaves() {
        return expected.isEmpty();
    }

    /** Whether the server may close the connection instead of an answer: there was no request to answer. */
    boolean mayBeCut() {
        return this == BAD_HTTP || this == DRIPPING;
    }
}
