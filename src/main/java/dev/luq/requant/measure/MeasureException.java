package dev.luq.requant.measure;

/** A measurement that cannot be made. Messages are for people and name no paths. */
public abstract sealed class MeasureException extends RuntimeException {

    private MeasureException(String message, Throwable cause) {
        super(message, cause);
    }

    /** The model's logits are no distribution: they are not finite. */
    public static final class Undefined extends MeasureException {
        Undefined() {
            this("The model's output is not finite.");
        }

        /** @param message where that begins, and why */
        Undefined(String message) {
            super(message, null);
        }
    }

    /** No example is short enough to be fed: there is nothing to compare. */
    public static final class NothingFits extends MeasureException {
        NothingFits(int examples) {
            super(
                    "None of the " + examples
                            + " examples is short enough to be fed, its pictures included; use shorter"
                            + " texts, or smaller pictures.",
                    null);
        }
    }

    /** The cached base outputs are damaged or of other data; delete the cache. */
    public static final class BadBaseOutputs extends MeasureException {
        BadBaseOutputs(String what, Throwable cause) {
            super(
                    "The cached outputs of the base model cannot be used: " + what
                            + ". Remove them from the cache, they are computed again.",
                    cause);
        }
    }

    /** Base and candidate do not answer the same questions. */
    public static final class Incomparable extends MeasureException {
        Incomparable(String what) {
            super("The model cannot be compared with its base: " + what + ".", null);
        }
    }

    /** The listener or an interrupt ended the measurement. */
    public static final class Cancelled extends MeasureException {
        Cancelled() {
            super("The measurement was cancelled.", null);
        }
    }
}
