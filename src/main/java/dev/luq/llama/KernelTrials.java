package dev.luq.llama;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.luq.preset.global.llama;
import java.util.Optional;
import java.util.function.Consumer;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.DoublePointer;

/**
 * Every kernel that the weights of a model may meet on this processor, ours and llama.cpp's, each multiplied and compared
 * with plain C++. A kernel that the processor cannot run ends the process by its signal.
 */
public final class KernelTrials {

    private static final int NUMBERS = 3;

    /**
     * What came out.
     *
     * @param error the largest, as a part of what is allowed
     * @param one billions of products a second on one core with one column of activations
     * @param many the same with many columns
     */
    public record Verdict(double error, double one, double many) {

        /** Whether every product was what it has to be. */
        public boolean right() {
            return error <= 1;
        }
    }

    /**
     * Loads the libraries, with every kernel in use.
     *
     * @throws UnsatisfiedLinkError the libraries do not fit this machine
     */
    public KernelTrials(Consumer<LogLine> logSink) {
        Llama.init(logSink, true);
    }

    /**
     * The name of a trial: ggml's type, the set of kernels and our layouts, such as {@code q4_K avx2 both} or
     * {@code q4_0 AMX stock}.
     *
     * @param index from 0
     * @return empty after the last
     * @throws LlamaException.KernelsUnavailable llama.cpp's CPU backend is another one
     */
    public Optional<String> name(int index) {
        BytePointer name = llama.luq_kernel_trial_name(index);
        if (name == null || name.isNull()) {
            throw new LlamaException.KernelsUnavailable(Native.lastError());
        }
        return Optional.of(name.getString(UTF_8)).filter(text -> !text.isEmpty());
    }

    /**
     * Runs a trial, some ten milliseconds.
     *
     * @throws LlamaException.KernelsUnavailable it cannot be run
     */
    public Verdict run(int index) {
        try (DoublePointer verdict = new DoublePointer(NUMBERS)) {
            if (!llama.luq_kernel_trial(index, verdict)) {
                throw new LlamaException.KernelsUnavailable(Native.lastError());
            }
            return new Verdict(verdict.get(0), verdict.get(1), verdict.get(2));
        }
    }
}
