package dev.luq.decoder.protocol;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;

/**
 * What the server sends to a decoder:
 * <pre>
 * stream  = *request
 * request = every maxPixels length data      ; three uint31, big-endian, then length bytes
 * </pre>
 * One is answered before the next is sent.
 *
 * @param data the image's file; not copied
 * @param every reads every so-manieth row and column, 1 or more
 * @param maxPixels of the result, 1 or more
 */
public record DecodeRequest(byte[] data, int every, int maxPixels) {

    /** Writes and flushes. */
    public void write(DataOutputStream out) throws IOException {
        out.writeInt(every);
        out.writeInt(maxPixels);
        out.writeInt(data.length);
        out.write(data);
        out.flush();
    }

    /**
     * Waits for the next request.
     *
     * @return null when the stream ended between two
     * @throws IOException it is none, or the stream ended inside
     */
    public static DecodeRequest read(DataInputStream in) throws IOException {
        int first = in.read();
        if (first < 0) {
            return null;
        }
        int every = first << 24 | in.readUnsignedByte() << 16 | in.readUnsignedShort();
        int maxPixels = in.readInt();
        int length = in.readInt();
        if (every < 1 || maxPixels < 1 || length < 0) {
            throw new IOException("This is no request");
        }
        byte[] data = new byte[length];
        if (in.readNBytes(data, 0, length) < length) {
            throw new EOFException();
        }
        return new DecodeRequest(data, every, maxPixels);
    }
}
