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

    /** No plan is as small as the budget. The message says what the smallest plan takes. */
    public static sealed class Impossible extends PlanException permits TooSlow {
        private final long smallestBytes;

        Impossible(String message, long smallestBytes) {
            super(message);
            this.smallestBytes = smallestBytes;
        }

        /** What the smallest plan takes, in bytes of that which the budget bounds: the weights or the whole deployment. */
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

    /** The file is no language model whose layers could be told apart. */
    public static final class UnsupportedModel extends PlanException {
        UnsupportedModel(String message) {
            super(message);
        }
    }
}
