package dev.luq.files;

/** A file of ours does not hold what it should. The message is for people and names no path. */
public final class DamagedFileException extends RuntimeException {

    DamagedFileException(String message, Throwable cause) {
        super(message, cause);
    }
}
