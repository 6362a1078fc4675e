package dev.luq.requant.data;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * One question and the answer that is right.
 *
 * @param file name of the JSON-lines file, for messages and provenance
 * @param line in that file, from 1
 * @param images absolute paths, in the order in which they precede the question; empty for text only
 * @param category what the question is about, for results by category
 */
public record Example(
        String file, int line, List<Path> images, String question, String answer, Optional<String> category) {

    public Example {
        images = List.copyOf(images);
    }

    /** {@code file:line}, unique in its set and independent of where the set lies. */
    public String id() {
        return file + ":" + line;
    }

    /** Whether it has an image. */
    public boolean isMultimodal() {
        return !images.isEmpty();
    }
}
