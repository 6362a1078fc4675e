package dev.luq.admin;

import com.fasterxml.jackson.databind.JsonNode;
import dev.luq.catalog.KeepAlive;
import dev.luq.http.errors.ApiException.InvalidRequest;
import dev.luq.http.intake.JsonBody;
import dev.luq.requant.plan.Precision;
import dev.luq.requant.spec.RequantizationSpec.Levels;
import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Pattern;

/** Reads and checks what administrators send. */
final class AdminBody {

    /** Bytes of the largest body. */
    static final long LARGEST = 1 << 20;

    private static final Pattern ID = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,127}");
    private static final int MOST_ALIASES = 100;

    private AdminBody() {}

    static <T> T read(InputStream body, Class<T> type) throws IOException {
        return JsonBody.read(body, LARGEST, type);
    }

    /** @throws InvalidRequest when it is null */
    static <T> T required(T value, String param) {
        if (value == null) {
            throw new InvalidRequest(param, param + " is missing");
        }
        return value;
    }

    /** @throws InvalidRequest when it is no name of a model */
    static String id(String value, String param) {
        if (!ID.matcher(required(value, param)).matches()) {
            throw new InvalidRequest(
                    param,
                    param + " must be 1 to 128 letters, digits, dots, dashes and underscores, and"
                            + " begin with a letter or digit");
        }
        return value;
    }

    /** @return not null */
    static List<String> aliases(List<String> values) {
        if (values == null) {
            return List.of();
        }
        if (values.size() > MOST_ALIASES) {
            throw new InvalidRequest("aliases", "aliases must be at most " + MOST_ALIASES);
        }
        values.forEach(value -> id(value, "aliases"));
        return List.copyOf(values);
    }

    /**
     * @param otherwise what null means
     * @throws InvalidRequest when it is none of the values, which the message lists
     */
    static <E extends Enum<E>> E oneOf(Class<E> type, String value, E otherwise, String param) {
        if (value == null) {
            return otherwise;
        }
        return Arrays.stream(type.getEnumConstants())
                .filter(each -> text(each).equalsIgnoreCase(value))
                .findFirst()
                .orElseThrow(() -> new InvalidRequest(
                        param,
                        param + " must be one of "
                                + String.join(
                                        ", ",
                                        Arrays.stream(type.getEnumConstants())
                                                .map(AdminBody::text)
                                                .toList())));
    }

    /**
     * A number of seconds, or a text as {@link KeepAlive#of} takes it.
     *
     * @throws InvalidRequest when it is neither
     */
    static Optional<KeepAlive> keepAlive(JsonNode value, String param) {
        if (value == null || value.isNull()) {
            return Optional.empty();
        }
        try {
            return Optional.of(KeepAlive.ofJson(value));
        } catch (IllegalArgumentException e) {
            throw new InvalidRequest(param, param + " " + KeepAlive.FORM);
        }
    }

    /**
     * The precisions of a two-level plan; null means the default.
     *
     * @throws InvalidRequest naming the one that is none
     */
    static Levels levels(String low, String high, String mmproj) {
        return new Levels(
                oneOf(Precision.class, low, Levels.DEFAULT.low(), "low"),
                oneOf(Precision.class, high, Levels.DEFAULT.high(), "high"),
                oneOf(Precision.class, mmproj, Levels.DEFAULT.mmproj(), "mmproj"));
    }

    /** As in JSON. */
    static String text(Enum<?> value) {
        return value.name().toLowerCase(Locale.ROOT);
    }
}
