package dev.luq.files;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.util.Objects;

/** Some bytes of a file as a stream. Closing it leaves the file open. */
public final class ChannelSlice extends InputStream {

    private final FileChannel file;
    private long next;
    private long left;

    /**
     * A part of a file; where the file ends within it, so does the stream.
     *
     * @param offset of its first byte
     * @param bytes how many it has at most
     */
    public ChannelSlice(FileChannel file, long offset, long bytes) {
        this.file = file;
        this.next = offset;
        this.left = bytes;
    }

    @Override
    public int read() throws IOException {
        byte[] one = new byte[1];
        return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] buffer, int offset, int length) throws IOException {
        Objects.checkFromIndexSize(offset, length, buffer.length);
        if (length == 0) {
            return 0;
        }
        int read = left == 0 ? -1 : file.read(ByteBuffer.wrap(buffer, offset, (int) Math.min(length, left)), next);
        if (read > 0) {
            next += read;
            left -= read;
        }
        return read;
    }
}
