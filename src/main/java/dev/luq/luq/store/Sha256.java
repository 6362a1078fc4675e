package dev.luq.luq.store;

import dev.luq.gguf.GgufException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/** SHA-256 of files and of parts of them. */
final class Sha256 {

    private static final int BUFFER_BYTES = 1 << 20;

    private Sha256() {
    }

    static MessageDigest create() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }

    /** @return hexadecimal digits */
    static String of(ByteBuffer bytes) {
        MessageDigest digest = create();
        digest.update(bytes);
        return HexFormat.of().formatHex(digest.digest());
    }

    /** @return hexadecimal digits */
    static String of(Path file) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            return of(channel, 0, channel.size());
        }
    }

    /**
     * @return hexadecimal digits
     * @throws GgufException.Truncated when the file ends before {@code offset + bytes}
     */
    static String of(FileChannel channel, long offset, long bytes) throws IOException {
        MessageDigest digest = create();
        ByteBuffer buffer = ByteBuffer.allocateDirect((int) Math.min(BUFFER_BYTES, Math.max(1, bytes)));
        long done = 0;
        while (done < bytes) {
            buffer.clear().limit((int) Math.min(buffer.capacity(), bytes - done));
            int read = channel.read(buffer, offset + done);
            if (read < 0) {
                throw new GgufException.Truncated("The file became shorter while it was read.");
            }
            digest.update(buffer.flip());
            done += read;
        }
        return HexFormat.of().formatHex(digest.digest());
    }
}
