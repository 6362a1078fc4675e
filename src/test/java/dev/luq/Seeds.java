package dev.luq;

/** Seeds of tests that draw at random. */
public final class Seeds {

    private static final String PROPERTY = "test.seed";

    private Seeds() {}

    /** Another one for each run, printed; {@code -Dtest.seed=N} takes one again. */
    public static long draw(Class<?> test) {
        long seed = Long.getLong(PROPERTY, System.nanoTime() & Integer.MAX_VALUE);
        System.out.println(test.getSimpleName() + ": -D" + PROPERTY + "=" + seed);
        return seed;
    }
}
