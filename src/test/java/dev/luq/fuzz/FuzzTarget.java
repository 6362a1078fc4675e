package dev.luq.fuzz;

import java.util.List;

/**
 * Code that reads foreign bytes, and what it promises whatever they are. See docs/fuzzing.md.
 */
public interface FuzzTarget {

    /** Lower case with dashes: the name for {@code ./luq fuzz} and of the folder with inputs that once broke a promise. */
    String name();

    /** Well-formed inputs that mutations start from, and some that are just not. */
    List<byte[]> seeds();

    /**
     * Reads one input.
     *
     * @throws Throwable a promise is broken; refusals that the code documents are caught here
     */
    void run(byte[] input) throws Throwable;
}
