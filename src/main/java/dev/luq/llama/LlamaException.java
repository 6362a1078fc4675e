package dev.luq.llama;

/**
 * Why llama.cpp could not do something. Messages carry llama.cpp's own reason; they name no path and no address, so
 * that they may be shown to clients.
 */
public abstract sealed class LlamaException extends RuntimeException {

    private LlamaException(String message) {
        super(message);
    }

    /** The model file is damaged, of an unknown kind, or loading was cancelled; or no context fits into memory. */
    public static final class ModelLoad extends LlamaException {
        ModelLoad(String message) {
            super(message);
        }
    }

    /** The projector file is damaged, has no vision part, or belongs to another model. */
    public static final class VisionLoad extends LlamaException {
        VisionLoad(String message) {
            super(message);
        }
    }

    /** Our kernels cannot be put into llama.cpp's CPU backend. */
    public static final class KernelsUnavailable extends LlamaException {
        KernelsUnavailable(String message) {
            super(message);
        }
    }

    /** The chat template is not valid, or does not accept these messages. */
    public static final class InvalidTemplate extends LlamaException {
        InvalidTemplate(String message) {
            super(message);
        }
    }

    /** The grammar, JSON schema or sampling parameters are not valid. */
    public static final class InvalidGrammar extends LlamaException {
        InvalidGrammar(String message) {
            super(message);
        }
    }

    /** The grammar is valid, but costs more than one may. */
    public static final class TooComplex extends LlamaException {
        TooComplex(String message) {
            super(message);
        }
    }

    /** The image cannot be preprocessed or encoded. */
    public static final class InvalidImage extends LlamaException {
        InvalidImage(String message) {
            super(message);
        }
    }

    /** An image was not encoded to its end: its {@link EncodingListener} did not want that. */
    public static final class EncodingStopped extends LlamaException {
        EncodingStopped() {
            super("the encoding was stopped");
        }
    }

    /** The KV cache has no room for the batch; nothing of it was evaluated. Remove tokens and try again. */
    public static final class NoKvSpace extends LlamaException {
        NoKvSpace(String message) {
            super(message);
        }
    }

    /** Evaluation failed. What the context holds of the batch's sequences is undefined. */
    public static final class DecodeFailed extends LlamaException {
        DecodeFailed(String message) {
            super(message);
        }
    }

    /** llama.cpp would not quantize the model, or could not write the result. */
    public static final class Quantization extends LlamaException {
        Quantization(String message) {
            super(message);
        }
    }
}
