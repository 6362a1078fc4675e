package dev.luq.requant.plan;

import dev.luq.gguf.GgufTensor;
import java.util.function.ToDoubleFunction;
import java.util.stream.Stream;

/**
 * How fast a model must generate on this machine.
 *
 * @param tokensPerSecond at least, of one answer alone
 * @param fixed seconds that one token takes with any plan
 * @param seconds what a tensor takes of the time of one token, as it would be in the file
 */
public record Pace(double tokensPerSecond, double fixed, ToDoubleFunction<GgufTensor> seconds) {

    public Pace {
        if (!(tokensPerSecond > 0) || Double.isInfinite(tokensPerSecond)) {
            throw new IllegalArgumentException("a pace is more than 0, not " + tokensPerSecond);
        }
        if (!(fixed >= 0)) {
            throw new IllegalArgumentException("a time is 0 or more, not " + fixed);
        }
    }

    /** Tokens per second of a model with these tensors. */
    double expected(Stream<GgufTensor> tensors) {
        return 1 / (fixed + tensors.mapToDouble(seconds).sum());
    }

    /** Another speed on the same machine. */
    public Pace of(double other) {
        return new Pace(other, fixed, seconds);
    }
}
