package dev.luq.requant.feed;

import dev.luq.requant.data.Example;

/** Why an example cannot be fed. Messages begin with the example's {@code file:line} and say what to do. */
public abstract sealed class FeedException extends RuntimeException {

    private FeedException(Example example, String message, Throwable cause) {
        super(example.id() + ": " + message, cause);
    }

    /** The example has more tokens than the context holds. */
    public static final class TooLong extends FeedException {
        TooLong(Example example, int tokens, int contextSize) {
            super(
                    example,
                    "the example has " + tokens + " tokens, but the context holds " + contextSize
                            + "; shorten it, use a smaller picture or a larger context.",
                    null);
        }
    }

    /** The image or the text cannot be used with this model. */
    public static final class Unusable extends FeedException {
        Unusable(Example example, String message, Throwable cause) {
            super(example, message, cause);
        }
    }
}
