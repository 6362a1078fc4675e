package dev.luq.images;

import javax.imageio.IIOException;
import javax.imageio.stream.ImageInputStreamImpl;

/**
 * Bytes in memory whose end is a fault of the file. The decoder of lossless WEBP takes an EOFException for bits that it has
 * already: it then reads the last ones again and again, as often as the file says that there are codes.
 */
final class CompleteStream extends ImageInputStreamImpl {

    private final byte[] data;
    private final int end;

    /** @param data from its beginning to the end; not copied */
    CompleteStream(byte[] data, int end) {
        this.data = data;
        this.end = end;
    }

    /** @throws IIOException behind the end */
    @Override
    public int read() throws IIOException {
        requireRest();
        bitOffset = 0;
        return data[(int) streamPos++] & 0xff;
    }

    /** @throws IIOException behind the end */
    @Override
    public int read(byte[] target, int at, int length) throws IIOException {
        requireRest();
        bitOffset = 0;
        int count = (int) Math.min(length, end - streamPos);
        System.arraycopy(data, (int) streamPos, target, at, count);
        streamPos += count;
        return count;
    }

    /**
     * As much as no image exceeds: from the file's length, the decoder guesses what a sound image may unpack to, too little
     * for one of a single colour. {@link ImageHeader} has judged that.
     */
    @Override
    public long length() {
        return Long.MAX_VALUE;
    }

    private void requireRest() throws IIOException {
        if (streamPos >= end) {
            throw new IIOException("cut off");
        }
    }
}
