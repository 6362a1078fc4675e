package dev.luq.engine;

import dev.luq.llama.FiniteTap;
import dev.luq.prompt.PromptException;

/** Why a request failed. Messages are for clients: they say what to do and carry no path. */
public abstract sealed class EngineException extends RuntimeException {

    private final String code;
    private final String param;

    private EngineException(String code, String param, String message, Throwable cause) {
        super(message, cause);
        this.code = code;
        this.param = param;
    }

    /** Code of the serving contract. */
    public String code() {
        return code;
    }

    /** The request field at fault, or null. */
    public String param() {
        return param;
    }

    /** By how much the prompt is too long; null for any other failure. */
    GenerationEvent.Overflow overflow() {
        return getCause() instanceof PromptException.ContextLengthExceeded tooLong
                ? new GenerationEvent.Overflow(tooLong.promptTokens(), tooLong.contextSize())
                : null;
    }

    /** The request itself is at fault. */
    public static final class Refused extends EngineException {
        Refused(PromptException cause) {
            super(cause.code(), cause.param(), cause.getMessage(), cause);
        }
    }

    /** The client is gone or the engine closes. */
    public static final class Cancelled extends EngineException {
        Cancelled() {
            super("cancelled", null, "The request was cancelled.", null);
        }
    }

    /** The KV cache could not hold the request although it should. */
    public static final class OutOfCells extends EngineException {
        OutOfCells() {
            super("internal_error", null, "The model's context is exhausted. Try again with a shorter prompt.", null);
        }
    }

    /** The model computed what are no numbers: its kernels are wrong, or its weights. */
    public static final class NonFiniteOutput extends EngineException {

        /** Its code. */
        public static final String CODE = "non_finite_output";

        private final String what;

        NonFiniteOutput(String what) {
            super(CODE, null, what + " are not finite numbers.", null);
            this.what = what;
        }

        private NonFiniteOutput(String what, FiniteTap.Location location) {
            super(CODE, null, what + " are not finite numbers, first at " + location + ".", null);
            this.what = what;
        }

        NonFiniteOutput at(FiniteTap.Location location) {
            return new NonFiniteOutput(what, location);
        }
    }

    /** A defect of ours or of llama.cpp. */
    public static final class Internal extends EngineException {
        Internal(String message, Throwable cause) {
            super("internal_error", null, message, cause);
        }
    }

    /** Whatever went wrong, as something a client may see. */
    static EngineException of(Throwable cause) {
        if (cause instanceof EngineException e) {
            return e;
        }
        return cause instanceof PromptException e
                ? new Refused(e)
                : new Internal("The model failed on this request.", cause);
    }
}
