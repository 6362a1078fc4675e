package dev.luq.worker;

/** The model cannot be served. The message is for operators and clients: it names no path. */
final class LoadException extends Exception {

    private final String code;

    /** @param code {@code invalid_model}, {@code invalid_mmproj}, {@code invalid_configuration} or {@code unsupported_machine} */
    LoadException(String code, String message, Throwable cause) {
        super(message, cause);
        this.code = code;
    }

    String code() {
        return code;
    }
}
