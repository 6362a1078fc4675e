package dev.luq.benchmarks.data;

import dev.luq.benchmarks.scoring.Reference;

/**
 * A question about a picture, not yet in the words of a prompt. Options are in the reference.
 *
 * @param id unique in the benchmark, the same each time its files are read
 * @param text of the question
 * @param hint of {@code mmbench}, else null
 * @param query of {@code mathvista}: the question with its options and a hint about the form of the answer; else null
 * @param unit of {@code mathvista}, else null
 */
public record Question(
        String id, String text, String hint, String query, String unit, Reference reference, Picture picture) {

    Question(String id, String text, Reference reference, Picture picture) {
        this(id, text, null, null, null, reference, picture);
    }
}
