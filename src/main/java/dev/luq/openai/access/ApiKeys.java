package dev.luq.openai.access;

import dev.luq.files.Sha256;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * The configured API keys. Only digests are kept; a lookup compares with every key and each comparison takes the same
 * time, so that answers do not reveal how much of a key was right. Immutable.
 */
public final class ApiKeys {

    private static final int SHORTEST_KEY = 16;

    private record Entry(byte[] digest, Role role) {
    }

    private final List<Entry> entries;

    private ApiKeys(List<Entry> entries) {
        this.entries = List.copyOf(entries);
    }

    /**
     * @param lines each {@code key}, {@code user:key} or {@code admin:key}; blank lines and lines starting with # are
     *        skipped
     * @throws IllegalArgumentException if a key is too short; the message does not repeat it
     */
    public static ApiKeys parse(List<String> lines) {
        List<Entry> entries = new ArrayList<>();
        for (int i = 0; i < lines.size(); i++) {
            String line = lines.get(i).strip();
            if (line.isEmpty() || line.startsWith("#")) {
                continue;
            }
            Role role = Role.USER;
            String key = line;
            for (Role named : Role.values()) {
                String prefix = named.name().toLowerCase(Locale.ROOT) + ":";
                if (line.startsWith(prefix)) {
                    role = named;
                    key = line.substring(prefix.length()).strip();
                }
            }
            if (key.length() < SHORTEST_KEY) {
                throw new IllegalArgumentException(
                        "API key number " + (i + 1) + " is shorter than " + SHORTEST_KEY + " characters");
            }
            entries.add(new Entry(digest(key), role));
        }
        return new ApiKeys(entries);
    }

    public boolean isEmpty() {
        return entries.isEmpty();
    }

    /** The role of this key; empty for an unknown one. */
    public Optional<Role> role(String key) {
        byte[] digest = digest(key);
        Role found = null;
        for (Entry entry : entries) {
            if (MessageDigest.isEqual(entry.digest(), digest)) {
                found = entry.role();
            }
        }
        return Optional.ofNullable(found);
    }

    private static byte[] digest(String key) {
        return Sha256.bytes(key.getBytes(StandardCharsets.UTF_8));
    }
}
