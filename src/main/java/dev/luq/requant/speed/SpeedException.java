package dev.luq.requant.speed;

/** A speed cannot be measured; the message says why, for people. */
public final class SpeedException extends RuntimeException {

    SpeedException(String message) {
        super(message);
    }
}
