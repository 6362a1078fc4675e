package dev.luq.files;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/** SHA-256, as 32 bytes or as 64 lower-case hexadecimal digits. */
public final class Sha256 {

    private static final int BUFFER_BYTES = 1 << 20;

    private Sha256() {}

    /** A digest to be fed part by part. */
    public static MessageDigest create() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }

    /** @return the digits of what a digest was fed; it starts anew */
    public static String hex(MessageDigest digest) {
        return HexFormat.of().formatHex(digest.digest());
    }

    /** @return the digits of what a digest was fed so far; it goes on */
    public static String hexSoFar(MessageDigest digest) {
        try {
            return HexFormat.of().formatHex(((MessageDigest) digest.clone()).digest());
        } catch (CloneNotSupportedException e) {
            throw new IllegalStateException("Java's own SHA-256 can be cloned", e);
        }
    }

    /** @return digits */
    public static String hex(byte[] content) {
        return HexFormat.of().formatHex(bytes(content));
    }

    /** @return digits; the buffer is consumed up to its limit */
    public static String hex(ByteBuffer content) {
        MessageDigest digest = create();
        digest.update(content);
        return hex(digest);
    }

    /** @return digits */
    public static String hex(Path file) throws IOException {
        return HexFormat.of().formatHex(bytes(file));
    }

    /** @return 32 bytes */
    public static byte[] bytes(byte[] content) {
        return create().digest(content);
    }

    /** @return 32 bytes */
    public static byte[] bytes(Path file) throws IOException {
        MessageDigest digest = create();
        byte[] buffer = new byte[(int) Math.min(BUFFER_BYTES, Math.max(1, Files.size(file)))];
        try (InputStream in = Files.newInputStream(file)) {
            for (int read = in.read(buffer); read >= 0; read = in.read(buffer)) {
                digest.update(buffer, 0, read);
            }
        }
        return digest.digest();
    }
}
