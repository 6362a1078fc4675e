package dev.luq.engine;

import dev.luq.llama.FiniteTap;

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

    /** The prompt leaves no room in the context. */
    public static final class ContextLengthExceeded extends EngineException {
        ContextLengthExceeded(int promptTokens, int contextSize) {
            this(promptTokens + " tokens", contextSize);
        }

        private ContextLengthExceeded(String prompt, int contextSize) {
            super("context_length_exceeded", "messages", "The prompt has " + prompt + ", but the context holds "
                    + contextSize + " including the answer. Shorten the messages, or send fewer or smaller images.", null);
        }
    }

    /** The first part of the prompt alone leaves no room. */
    static ContextLengthExceeded atLeast(int tokens, int contextSize) {
        return new ContextLengthExceeded("more than " + tokens + " tokens", contextSize);
    }

    /** Images for a model that only reads text. */
    public static final class UnsupportedModality extends EngineException {
        UnsupportedModality() {
            super("unsupported_modality", "messages",
                    "This model understands no images. Send text only, or choose a model with vision.", null);
        }
    }

    /** A field that the model or its template cannot use. */
    public static final class InvalidRequest extends EngineException {
        InvalidRequest(String param, String message, Throwable cause) {
            super("invalid_request", param, message, cause);
        }
    }

    /** A valid schema or tool whose grammar costs more than one may. */
    public static final class SchemaTooComplex extends EngineException {
        SchemaTooComplex(String param, String message, Throwable cause) {
            super("schema_too_complex", param, message, cause);
        }
    }

    /** An image that the vision encoder refuses. */
    public static final class InvalidImage extends EngineException {
        InvalidImage(String message, Throwable cause) {
            super("invalid_image", "messages", message, cause);
        }
    }

    /** An image of a model that must decode it at once, with more tokens than a step holds. */
    public static final class ImageTooLarge extends EngineException {
        ImageTooLarge(int tokens, int most) {
            super("image_too_large", "messages", "The image has " + tokens + " tokens, but this model takes at most "
                    + most + " at once. Send a smaller image.", null);
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
    public static final class NotFinite extends EngineException {

        /** Its code. */
        public static final String CODE = "non_finite_output";

        private final String what;

        NotFinite(String what) {
            super(CODE, null, what + " are not finite numbers.", null);
            this.what = what;
        }

        private NotFinite(String what, FiniteTap.Place place) {
            super(CODE, null, what + " are not finite numbers, first at " + place + ".", null);
            this.what = what;
        }

        NotFinite at(FiniteTap.Place place) {
            return new NotFinite(what, place);
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
        return cause instanceof EngineException e ? e : new Internal("The model failed on this request.", cause);
    }
}
