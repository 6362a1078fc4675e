package dev.luq.http.access;

import dev.luq.files.Sha256;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.time.Instant;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;

/**
 * An API key, of which only the digest is kept, and what its holder may do. Immutable.
 *
 * @param name in the audit log and wherever keys are told apart
 * @param digest SHA-256 of the key's UTF-8 bytes
 * @param expires time from which it is refused; empty for never
 * @param requestsPerMinute empty for no limit
 * @param tokensPerMinute of prompts and answers together; empty for no limit
 * @param models names of the models it may use; empty for all
 */
public record ApiKey(
        String name,
        Role role,
        byte[] digest,
        Optional<Instant> expires,
        OptionalLong requestsPerMinute,
        OptionalLong tokensPerMinute,
        Set<String> models) {

    static byte[] digest(String key) {
        return Sha256.bytes(key.getBytes(StandardCharsets.UTF_8));
    }

    /** Takes the same time for every key of a length. */
    boolean hasDigest(byte[] other) {
        return MessageDigest.isEqual(digest, other);
    }

    boolean isExpired(Instant now) {
        return expires.isPresent() && !now.isBefore(expires.get());
    }
}
