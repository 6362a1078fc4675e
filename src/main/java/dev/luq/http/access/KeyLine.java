package dev.luq.http.access;

import java.time.DateTimeException;
import java.time.Instant;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * A line of a key file:
 * <pre>
 * [user:|admin:]KEY [name=NAME] [expires=INSTANT] [requests-per-minute=N] [tokens-per-minute=N] [models=ID,ID...]
 * </pre>
 * KEY is the key itself, 16 characters or more without spaces, or {@code sha256:} and the 64 hexadecimal digits of its
 * digest. No message quotes a line: it could contain the key.
 */
final class KeyLine {

    private static final int SHORTEST_KEY = 16;
    private static final long LARGEST_RATE = 1_000_000_000_000L;
    private static final Pattern DIGEST = Pattern.compile("sha256:[0-9a-fA-F]{64}");
    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._@-]{0,63}");
    private static final List<String> ATTRIBUTES =
            List.of("name", "expires", "requests-per-minute", "tokens-per-minute", "models");

    private Role role = Role.USER;
    private byte[] digest;
    private String name;
    private Optional<Instant> expires = Optional.empty();
    private OptionalLong requests = OptionalLong.empty();
    private OptionalLong tokens = OptionalLong.empty();
    private Set<String> models = Set.of();

    private KeyLine() {}

    /**
     * @param line not blank and no comment
     * @throws IllegalArgumentException what is wrong with it
     */
    static ApiKey parse(String line) {
        KeyLine parsed = new KeyLine();
        parsed.read(line.strip());
        String name = parsed.name != null
                ? parsed.name
                : parsed.role.text() + "-" + HexFormat.of().formatHex(parsed.digest, 0, 4);
        return new ApiKey(
                name, parsed.role, parsed.digest, parsed.expires, parsed.requests, parsed.tokens, parsed.models);
    }

    private void read(String line) {
        String rest = line;
        for (Role named : Role.values()) {
            String prefix = named.text() + ":";
            if (line.startsWith(prefix)) {
                role = named;
                rest = line.substring(prefix.length()).strip();
            }
        }
        String[] words = rest.split("\\s+");
        digest = digest(words[0]);
        Set<String> seen = new LinkedHashSet<>();
        for (int i = 1; i < words.length; i++) {
            int equals = words[i].indexOf('=');
            String attribute = equals < 0 ? "" : words[i].substring(0, equals);
            if (!ATTRIBUTES.contains(attribute)) {
                throw new IllegalArgumentException("word " + (i + 1) + " is none of the attributes "
                        + String.join("=, ", ATTRIBUTES) + "=; a key has no spaces");
            }
            if (!seen.add(attribute)) {
                throw new IllegalArgumentException(attribute + " is given twice");
            }
            set(attribute, words[i].substring(equals + 1));
        }
    }

    private static byte[] digest(String key) {
        if (DIGEST.matcher(key).matches()) {
            return HexFormat.of().parseHex(key.substring(key.indexOf(':') + 1));
        }
        if (key.length() < SHORTEST_KEY) {
            throw new IllegalArgumentException("the key is shorter than " + SHORTEST_KEY + " characters");
        }
        return ApiKey.digest(key);
    }

    private void set(String attribute, String value) {
        switch (attribute) {
            case "name" -> {
                if (!NAME.matcher(value).matches()) {
                    throw new IllegalArgumentException(
                            "name must be 1 to 64 letters, digits, dots, dashes, underscores and"
                                    + " @, and begin with a letter or digit");
                }
                name = value;
            }
            case "expires" -> expires = Optional.of(instant(value));
            case "requests-per-minute" -> requests = OptionalLong.of(rate(attribute, value));
            case "tokens-per-minute" -> tokens = OptionalLong.of(rate(attribute, value));
            default -> models = models(value);
        }
    }

    private static Instant instant(String value) {
        try {
            return Instant.parse(value);
        } catch (DateTimeException e) {
            throw new IllegalArgumentException("expires must be a time such as 2027-01-01T00:00:00Z");
        }
    }

    private static long rate(String attribute, String value) {
        if (value.matches("\\d{1,13}")) {
            long rate = Long.parseLong(value);
            if (rate > 0 && rate <= LARGEST_RATE) {
                return rate;
            }
        }
        throw new IllegalArgumentException(attribute + " must be a whole number from 1 to " + LARGEST_RATE);
    }

    private static Set<String> models(String value) {
        List<String> ids = Arrays.asList(value.split(",", -1));
        if (ids.contains("")) {
            throw new IllegalArgumentException("models must be names of models with commas between them");
        }
        return Set.copyOf(new LinkedHashSet<>(ids));
    }
}
