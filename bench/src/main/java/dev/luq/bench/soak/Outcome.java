package dev.luq.bench.soak;

/**
 * What came of a request.
 *
 * @param problem of what is wrong, in few words: a kind of its own for each fault
 * @param detail for the reader, null where nothing is wrong
 */
record Outcome(Sort sort, String problem, String detail) {

    enum Sort {
        /** An answer of the model, or what was looked for. */
        ANSWERED,
        /** Refused, as it had to be. */
        REFUSED,
        /** The queue was full. */
        BUSY,
        /** A killed worker took it along, or it came while none was there. */
        DEAD,
        /** The client left. */
        LEFT,
        WRONG
    }

    static Outcome of(Sort sort) {
        return new Outcome(sort, null, null);
    }

    static Outcome wrong(String problem, String detail) {
        return new Outcome(Sort.WRONG, problem, detail);
    }
}
