package dev.luq.prompt;

/** What a request asks of a model that it cannot do. Messages are for clients: they say what to do and carry no path. */
public abstract sealed class PromptException extends RuntimeException {

    private final String code;
    private final String param;

    private PromptException(String code, String param, String message, Throwable cause) {
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
    public static final class ContextLengthExceeded extends PromptException {

        private final int promptTokens;
        private final int contextSize;

        public ContextLengthExceeded(int promptTokens, int contextSize) {
            this("", promptTokens, contextSize);
        }

        // Gateways know this failure by the first words, which are OpenAI's.
        private ContextLengthExceeded(String more, int promptTokens, int contextSize) {
            this(
                    promptTokens,
                    contextSize,
                    "This model's maximum context length is " + contextSize
                            + " tokens, including the answer, but the prompt has " + more + promptTokens
                            + " tokens. Shorten the messages, or send fewer or smaller images.");
        }

        private ContextLengthExceeded(int promptTokens, int contextSize, String message) {
            super("context_length_exceeded", "messages", message, null);
            this.promptTokens = promptTokens;
            this.contextSize = contextSize;
        }

        /** Of a model that reads so many tokens at once, and no text in parts. */
        public static ContextLengthExceeded atOnce(int promptTokens, int most) {
            return new ContextLengthExceeded(
                    promptTokens,
                    most,
                    "This model's maximum context length is " + most + " tokens, but the text has " + promptTokens
                            + " tokens. Send it in parts.");
        }

        /** Tokens of the prompt, or of as much of it as was looked at. */
        public int promptTokens() {
            return promptTokens;
        }

        /** Tokens that the context holds. */
        public int contextSize() {
            return contextSize;
        }
    }

    /** The first part of the prompt alone leaves no room. */
    static ContextLengthExceeded atLeast(int tokens, int contextSize) {
        return new ContextLengthExceeded("more than ", tokens, contextSize);
    }

    /** Images for a model that only reads text. */
    public static final class UnsupportedModality extends PromptException {
        UnsupportedModality() {
            super(
                    "unsupported_modality",
                    "messages",
                    "This model understands no images. Send text only, or choose a model with vision.",
                    null);
        }
    }

    /** A field that the model or its template cannot use. */
    public static final class InvalidRequest extends PromptException {
        InvalidRequest(String param, String message, Throwable cause) {
            super("invalid_request", param, message, cause);
        }
    }

    /** A valid schema or tool whose grammar costs more than one may. */
    public static final class SchemaTooComplex extends PromptException {
        public SchemaTooComplex(String param, String message, Throwable cause) {
            super("schema_too_complex", param, message, cause);
        }
    }

    /** An image that the vision encoder refuses. */
    public static final class InvalidImage extends PromptException {
        public InvalidImage(String message, Throwable cause) {
            super("invalid_image", "messages", message, cause);
        }
    }

    /** An image of a model that must decode it at once, with more tokens than a step holds. */
    public static final class ImageTooLarge extends PromptException {
        public ImageTooLarge(int tokens, int most) {
            super(
                    "image_too_large",
                    "messages",
                    "The image has " + tokens + " tokens, but this model takes at most " + most
                            + " at once. Send a smaller image.",
                    null);
        }
    }
}
