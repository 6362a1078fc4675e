package dev.luq.benchmarks.data;

import java.io.IOException;

/** A picture, read when it is needed. */
@FunctionalInterface
public interface Picture {

    /** Bytes of a picture at most, as a chat request may have. */
    int LARGEST = 20 << 20;

    /**
     * The picture's file.
     *
     * @throws BenchmarkDataException it is larger than {@link #LARGEST} or empty
     */
    byte[] bytes() throws IOException;

    /** One that is in memory already. */
    static Picture of(byte[] bytes) {
        return () -> checked(bytes, "a picture");
    }

    /** @param name for the message */
    static byte[] checked(byte[] bytes, String name) {
        if (bytes.length == 0 || bytes.length > LARGEST) {
            throw new BenchmarkDataException(
                    name + " has " + bytes.length + " bytes; between 1 and " + LARGEST + " are read.");
        }
        return bytes;
    }
}
