package dev.luq.http.access;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The API keys. A lookup compares with every key and each comparison takes the same time, so that answers do not reveal
 * how much of a key was right. Immutable.
 */
public final class ApiKeys {

    public static final ApiKeys NONE = new ApiKeys(List.of());

    private final List<ApiKey> keys;

    private ApiKeys(List<ApiKey> keys) {
        this.keys = List.copyOf(keys);
    }

    /**
     * @param where what the lines are of, and their unit: {@code luq.api.keys-file, line}
     * @param lines as {@link KeyLine} has them; blank ones and those starting with # are skipped
     * @throws IllegalArgumentException if one is wrong; the message has its number and nothing of its content
     */
    static ApiKeys parse(String where, List<String> lines) {
        List<ApiKey> keys = new ArrayList<>();
        for (int i = 0; i < lines.size(); i++) {
            String line = lines.get(i).strip();
            if (line.isEmpty() || line.startsWith("#")) {
                continue;
            }
            try {
                ApiKey key = KeyLine.parse(line);
                refuseDuplicate(keys, key);
                keys.add(key);
            } catch (IllegalArgumentException e) {
                throw new IllegalArgumentException(where + " " + (i + 1) + ": " + e.getMessage());
            }
        }
        return new ApiKeys(keys);
    }

    private static void refuseDuplicate(List<ApiKey> keys, ApiKey key) {
        for (ApiKey other : keys) {
            if (other.hasDigest(key.digest())) {
                throw new IllegalArgumentException("the same key is there before");
            }
            if (other.name().equals(key.name())) {
                throw new IllegalArgumentException("another key has the same name");
            }
        }
    }

    /** @throws IllegalArgumentException if a key or a name is in both */
    ApiKeys and(ApiKeys others) {
        List<ApiKey> all = new ArrayList<>(keys);
        for (ApiKey key : others.keys) {
            refuseDuplicate(all, key);
            all.add(key);
        }
        return new ApiKeys(all);
    }

    public boolean isEmpty() {
        return keys.isEmpty();
    }

    public int size() {
        return keys.size();
    }

    boolean hasName(String name) {
        return keys.stream().anyMatch(key -> key.name().equals(name));
    }

    /** Empty for an unknown one; an expired one is found. */
    public Optional<ApiKey> find(String key) {
        byte[] digest = ApiKey.digest(key);
        ApiKey found = null;
        for (ApiKey each : keys) {
            if (each.hasDigest(digest)) {
                found = each;
            }
        }
        return Optional.ofNullable(found);
    }
}
