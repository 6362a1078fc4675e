package dev.luq.benchmarks.scoring;

/** Counts the answers to one benchmark. Holds no answer. Not thread-safe. */
public interface Scorer {

    /**
     * Counts an answer, a refused one as wrong; the order of answers does not matter.
     *
     * @throws ScoringException the reference is none of this benchmark
     */
    void add(Reference reference, Answer answer);

    /**
     * What all answers so far amount to.
     *
     * @throws ScoringException a group lacks questions
     */
    Scores scores();
}
