package dev.luq.requant.plan;

/** Why there is no plan. Messages are complete sentences for people and name no path. */
public abstract sealed class PlanException extends RuntimeException {

    private PlanException(String message) {
        super(message);
    }

    /** The text is no budget. */
    public static final class InvalidBudget extends PlanException {
        InvalidBudget(String message) {
            super(message);
        }
    }

    /** No plan meets the budget. Of a budget of size the message says what the smallest plan takes. */
    public static sealed class Impossible extends PlanException permits TooSlow, NotGoodEnough {
        private final long smallestBytes;

        Impossible(String message, long smallestBytes) {
            super(message);
            this.smallestBytes = smallestBytes;
        }

        /**
         * What the smallest plan takes, in bytes of that which the budget bounds: the weights or the whole deployment; of
         * plans that are not good enough, what the largest takes.
         */
        public long smallestBytes() {
            return smallestBytes;
        }
    }

    /** No plan within the budget generates as fast as asked for. */
    public static final class TooSlow extends Impossible {
        private final double tokensPerSecond;

        TooSlow(String message, long bytes, double tokensPerSecond) {
            super(message, bytes);
            this.tokensPerSecond = tokensPerSecond;
        }

        /** What is expected of the fastest plan. */
        public double tokensPerSecond() {
            return tokensPerSecond;
        }
    }

    /** The largest plan of a method is not as good as the budget asks for. */
    public static final class NotGoodEnough extends Impossible {
        private final double missing;

        /** @param missing by how much the largest plan misses the budget, in what the budget counts; more than 0 */
        public NotGoodEnough(String message, long bytes, double missing) {
            super(message, bytes);
            this.missing = missing;
        }

        /** By how much the largest plan misses the budget. */
        public double missing() {
            return missing;
        }
    }

    /** The file is no language model whose layers could be told apart. */
    public static final class UnsupportedModel extends PlanException {
        public UnsupportedModel(String message) {
            super(message);
        }
    }
}
