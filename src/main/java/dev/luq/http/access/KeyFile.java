package dev.luq.http.access;

import dev.luq.files.Sha256;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;

/** The file of API keys. Its content decides whether it has changed: a link may lead elsewhere while times stay the same. */
final class KeyFile {

    private static final int LARGEST = 1 << 20;

    private final Path path;
    /** Digest of what was read last, valid or not; null when it could not be read. */
    private byte[] seen = new byte[0];

    KeyFile(Path path) {
        this.path = path;
    }

    /**
     * @return null when it is as it was the last time
     * @throws IllegalArgumentException if it cannot be used; not thrown again while it stays the same
     */
    ApiKeys readIfChanged() {
        byte[] bytes = bytes();
        byte[] digest = bytes == null ? null : Sha256.bytes(bytes);
        if (Arrays.equals(seen, digest)) {
            return null;
        }
        seen = digest;
        if (bytes == null) {
            throw new IllegalArgumentException("The file of luq.api.keys-file cannot be read: " + path);
        }
        if (bytes.length > LARGEST) {
            throw new IllegalArgumentException("The file of luq.api.keys-file is larger than " + LARGEST + " bytes");
        }
        ApiKeys keys =
                ApiKeys.parse("luq.api.keys-file, line", text(bytes).lines().toList());
        if (keys.isEmpty()) {
            throw new IllegalArgumentException("The file of luq.api.keys-file has no key in it");
        }
        return keys;
    }

    private byte[] bytes() {
        try (InputStream in = Files.newInputStream(path)) {
            return in.readNBytes(LARGEST + 1);
        } catch (IOException e) {
            return null;
        }
    }

    private static String text(byte[] bytes) {
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes))
                    .toString();
        } catch (CharacterCodingException e) {
            throw new IllegalArgumentException("The file of luq.api.keys-file is not UTF-8");
        }
    }
}
