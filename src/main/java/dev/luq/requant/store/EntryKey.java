package dev.luq.requant.store;

import dev.luq.files.Sha256;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.List;

/**
 * Names an entry by what it was made from, so that equal work is done once.
 *
 * @param hex SHA-256, 64 lower-case hexadecimal digits
 */
public record EntryKey(String hex) {

    public EntryKey {
        if (!hex.matches("[0-9a-f]{64}")) {
            throw new IllegalArgumentException("not a SHA-256 in hexadecimal digits");
        }
    }

    /**
     * The key of a list of facts.
     *
     * @param facts everything that decides the content: digests of the sources, types, importances, versions
     */
    public static EntryKey of(List<String> facts) {
        MessageDigest digest = Sha256.create();
        for (String fact : facts) {
            byte[] bytes = fact.getBytes(StandardCharsets.UTF_8);
            // The length first: no two lists run into the same bytes.
            digest.update((bytes.length + ":").getBytes(StandardCharsets.UTF_8));
            digest.update(bytes);
        }
        return new EntryKey(Sha256.hex(digest));
    }

    /** The key of some bytes, consumed up to their limit. */
    public static EntryKey of(ByteBuffer bytes) {
        return new EntryKey(Sha256.hex(bytes));
    }
}
