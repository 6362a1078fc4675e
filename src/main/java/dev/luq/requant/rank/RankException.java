package dev.luq.requant.rank;

/** Why layers cannot be ranked. Messages are for people and name no path. */
public abstract sealed class RankException extends RuntimeException {

    private RankException(String message) {
        super(message);
    }

    /** Fewer sampled vectors than clusters. */
    public static final class TooFewVectors extends RankException {
        TooFewVectors(int vectors, int clusters) {
            super("There are " + vectors + " sampled vectors for " + clusters
                    + " clusters; calibrate with more examples or" + " longer ones.");
        }
    }

    /** A layer's cost at the precision in question was not measured. */
    public static final class MissingCost extends RankException {
        MissingCost(int layer, Object precision) {
            super("The cost of layer " + layer + " at " + precision + " was not measured; measure it first.");
        }
    }

    /** Weights that errors are computed from are no finite numbers. */
    public static final class NonFiniteWeights extends RankException {
        NonFiniteWeights(String tensor) {
            super("The weights of tensor " + tensor
                    + ", of the base model or quantized, are not finite; fetch or convert the"
                    + " base again, and remove the quantized layers from the store.");
        }
    }

    /** The quantized model is not the base model's. */
    public static final class ForeignModel extends RankException {
        ForeignModel(String tensor) {
            super("The quantized model lacks tensor " + tensor + " of the base model, or has it in another shape.");
        }
    }
}
