package dev.luq.benchmarks.data;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;

/**
 * A form in which a benchmark is published.
 *
 * @param name of its files, for people
 * @param files the paths of all its files, relative to the folder, with {@code /} between names
 * @param most how many there may be
 */
record Layout(String name, Pattern files, int most, Opener opener) {

    /** Opens the questions of a folder. */
    interface Opener {
        /** @param files all that match, sorted; at least one */
        Questions open(Path folder, List<Path> files) throws IOException;
    }
}
