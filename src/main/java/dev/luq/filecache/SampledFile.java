package dev.luq.filecache;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.luq.files.Sha256;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.security.MessageDigest;

/**
 * What tells a model's file from others, without reading all of it, which takes too long at every start. A file counts by
 * its name, size and time of change, its first {@value #HEADER_BYTES} bytes and {@value #SAMPLES} blocks of
 * {@value #SAMPLE_BYTES} bytes evenly spread over all of it. Whoever writes a file changes its time; a copy that was given
 * an older time has other metadata, and where even that is the same, as in two trainings of one architecture, other
 * weights in each block.
 */
public final class SampledFile {

    private static final int HEADER_BYTES = 1 << 20;
    private static final int SAMPLES = 16;
    private static final int SAMPLE_BYTES = 4096;

    private SampledFile() {}

    /**
     * Feeds a digest with a file.
     *
     * @throws IOException it cannot be read
     */
    public static void update(MessageDigest digest, Path file) throws IOException {
        FileStamp stamp = FileStamp.of(file);
        String name = file.getFileName() + " " + stamp.size() + " " + stamp.modified();
        digest.update(Sha256.bytes(name.getBytes(UTF_8)));
        digest.update(samples(file));
    }

    private static byte[] samples(Path file) throws IOException {
        MessageDigest digest = Sha256.create();
        try (FileChannel channel = FileChannel.open(file)) {
            update(digest, channel, 0, HEADER_BYTES);
            for (int i = 0; i < SAMPLES; i++) {
                update(digest, channel, channel.size() / SAMPLES * i, SAMPLE_BYTES);
            }
        }
        return digest.digest();
    }

    /** @param bytes fewer at the end of the file */
    private static void update(MessageDigest digest, FileChannel channel, long from, int bytes) throws IOException {
        ByteBuffer block = ByteBuffer.allocate(bytes);
        while (block.hasRemaining() && channel.read(block, from + block.position()) >= 0) {
            // goes on until the block is full or the file ends
        }
        digest.update(block.flip());
    }
}
