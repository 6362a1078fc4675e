package dev.luq.decoder.protocol;

import dev.luq.images.ImageException;
import dev.luq.images.Pixels;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;

/**
 * What a decoder sends to the server:
 * <pre>
 * stream  = %x01 *reply                      ; it is ready
 * reply   = %x02 width height rgb            ; two uint31, big-endian, then 3 * width * height bytes
 *         / %x03 tooLarge message            ; a boolean, then text as Java's DataOutput writes it
 * </pre>
 * Where its heap does not suffice, it ends with {@link #EXIT_OUT_OF_MEMORY} instead.
 */
public sealed interface DecodeReply {

    /** As a JVM with {@code -XX:+ExitOnOutOfMemoryError} has it. */
    int EXIT_OUT_OF_MEMORY = 3;

    int READY = 1;
    int DECODED = 2;
    int REFUSED = 3;

    /** The picture. */
    record Decoded(Pixels pixels) implements DecodeReply {}

    /** Why there is none, as an {@link ImageException} says it. */
    record Refused(String message, boolean tooLarge) implements DecodeReply {}

    /** Writes and flushes. */
    default void write(DataOutputStream out) throws IOException {
        if (this instanceof Decoded decoded) {
            out.write(DECODED);
            out.writeInt(decoded.pixels.width());
            out.writeInt(decoded.pixels.height());
            out.write(decoded.pixels.rgb());
        } else if (this instanceof Refused refused) {
            out.write(REFUSED);
            out.writeBoolean(refused.tooLarge);
            out.writeUTF(refused.message);
        }
        out.flush();
    }

    /**
     * Waits for a reply.
     *
     * @param maxPixels as in the request: more are not read
     * @throws IOException it is none, or the stream ended
     */
    static DecodeReply read(DataInputStream in, int maxPixels) throws IOException {
        switch (in.readUnsignedByte()) {
            case DECODED -> {
                int width = in.readInt();
                int height = in.readInt();
                if (width < 1 || height < 1 || (long) width * height > maxPixels) {
                    throw new IOException("This is no picture of the size that was asked for");
                }
                byte[] rgb = new byte[3 * width * height];
                if (in.readNBytes(rgb, 0, rgb.length) < rgb.length) {
                    throw new EOFException();
                }
                return new Decoded(new Pixels(width, height, rgb));
            }
            case REFUSED -> {
                boolean tooLarge = in.readBoolean();
                return new Refused(in.readUTF(), tooLarge);
            }
            default -> throw new IOException("This is no reply");
        }
    }
}
