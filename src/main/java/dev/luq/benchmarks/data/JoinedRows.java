package dev.luq.benchmarks.data;

import java.io.IOException;
import java.util.Optional;

/** Rows of two files in the same order, each with the fields of both. */
final class JoinedRows implements Rows {

    private final Rows first;
    private final Rows second;
    private final String key;

    /** @param key the field that says which row belongs to which */
    JoinedRows(Rows first, Rows second, String key) {
        this.first = first;
        this.second = second;
        this.key = key;
    }

    @Override
    public Optional<Row> next() throws IOException {
        Optional<Row> row = first.next();
        Optional<Row> more = second.next();
        if (row.isPresent() != more.isPresent()) {
            Row longer = row.or(() -> more).orElseThrow();
            throw longer.fault("the other file ends before it; take both of the same split.");
        }
        if (row.isPresent()) {
            if (!row.get().text(key).equals(more.get().text(key))) {
                throw more.get()
                        .fault("its " + key + " is not that of the same row of "
                                + row.get().file() + "; take both as they are published.");
            }
            more.get().json().properties().forEach(field -> row.get()
                    .json()
                    .putIfAbsent(field.getKey(), field.getValue()));
        }
        return row;
    }

    @Override
    public void close() throws IOException {
        try (first;
                second) {
            // Both are closed, also when one of them fails.
        }
    }
}
