package dev.luq.requant.plan;

import dev.luq.gguf.GgufTensor;
import java.util.function.ToDoubleFunction;
import java.util.stream.Stream;

/**
 * How fast a model must generate on this machine.
 *
 * @param tokensPerSecond at least, of one answer alone
 * @param seconds what a tensor takes of the time of one token, as it would be in the file
 */
public record Pace(double tokensPerSecond, ToDoubleFunction<GgufTensor> seconds) {

    public Pace {
        if (!(tokensPerSecond > 0) || Double.isInfinite(tokensPerSecond)) {
            throw new IllegalArgumentException("a pace is more than 0, not " + tokensPerSecond);
        }
    }

    /** Tokens per second of a model with these tensors. */
    double expected(Stream<GgufTensor> tensors) {
        return 1 / tensors.mapToDouble(seconds).sum();
    }

    /** Another speed on the same machine. */
    public Pace of(double other) {
        return new Pace(other, seconds);
    }

    /** The same machine, where tokens were seen to take another time than expected. */
    public Pace slower(double factor) {
        return new Pace(tokensPerSecond, tensor -> factor * seconds.applyAsDouble(tensor));
    }
}
