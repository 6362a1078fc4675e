package dev.luq.decoder;

/** Why there is no answer about an image. The message is for clients. */
public final class DecoderException extends RuntimeException {

    /** What happened. */
    public enum Reason {
        /** The image took more time than it may. */
        TIME,
        /** The image took more memory than it may. */
        MEMORY,
        /** The image ended its decoder. */
        CRASH,
        /** The system does not start a decoder, or none that works. */
        START,
        /** Too many images wait for a decoder. */
        BUSY,
        /** Nobody waits for the image any more. */
        GONE
    }

    private final Reason reason;

    DecoderException(Reason reason) {
        super(
                switch (reason) {
                    case TIME -> "The image took too long to decode: scale it down, or save it in another format";
                    case MEMORY ->
                        "The image took too much memory to decode: scale it down, or save it in another format";
                    case CRASH -> "The image cannot be decoded: save it in another format";
                    case START -> "Images cannot be decoded at this moment";
                    case BUSY -> "The server is busy decoding other images";
                    case GONE -> "Nobody waits for the image";
                },
                null,
                false,
                false);
        this.reason = reason;
    }

    public Reason reason() {
        return reason;
    }
}
