package dev.luq.requant.quantize;

import dev.luq.gguf.GgmlType;

/** Why weights cannot be quantized. Messages are complete sentences for people and name no path. */
public abstract sealed class QuantizeException extends RuntimeException {

    private QuantizeException(String message) {
        super(message);
    }

    /** A type needs importances that are not there. */
    public static final class MissingImportance extends QuantizeException {
        MissingImportance(String tensor, GgmlType type) {
            super("Tensor " + tensor + " cannot become " + type
                    + " without importances: calibrate the model first, or give"
                    + " an importance matrix that covers it.");
        }

        MissingImportance(String tensor, int columns, int values) {
            super("The importance matrix is of another model: tensor " + tensor + " has " + columns
                    + " columns, the matrix" + " " + values + " values.");
        }
    }

    /** The base model is quantized already, or holds what is no number. */
    public static final class UnsuitableSource extends QuantizeException {
        UnsuitableSource(String message) {
            super(message);
        }
    }

    /** The plan is for another model. */
    public static final class WrongPlan extends QuantizeException {
        WrongPlan(String message) {
            super(message);
        }
    }

    /** The listener said so, or the thread was interrupted. What is complete is kept: the next call goes on from there. */
    public static final class Cancelled extends QuantizeException {
        Cancelled() {
            super("The quantization was cancelled.");
        }
    }
}
