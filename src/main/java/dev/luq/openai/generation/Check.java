package dev.luq.openai.generation;

import com.fasterxml.jackson.databind.JsonNode;
import dev.luq.catalog.KeepAlive;
import dev.luq.http.errors.ApiException.InvalidRequest;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.Optional;

/** Checks of single values; every refusal names the field. Null is always the default. */
public final class Check {

    private static final int MOST_DECIMALS = 30;

    private Check() {}

    public static float inRange(String field, Double value, double min, double max, double absent) {
        if (value == null) {
            return (float) absent;
        }
        // Written so that NaN fails.
        if (!(value >= min && value <= max)) {
            throw new InvalidRequest(field, field + " must be between " + plain(min) + " and " + plain(max));
        }
        return value.floatValue();
    }

    public static long integer(String field, BigDecimal value, long min, long max, long absent) {
        if (value == null) {
            return absent;
        }
        // The comparison comes first: scaling 1e999999999 would fill the memory with zeros.
        boolean inRange =
                value.compareTo(BigDecimal.valueOf(min)) >= 0 && value.compareTo(BigDecimal.valueOf(max)) <= 0;
        // and so would rounding 1e-999999999.
        if (!inRange
                || value.scale() > MOST_DECIMALS
                || value.setScale(0, RoundingMode.DOWN).compareTo(value) != 0) {
            throw new InvalidRequest(field, field + " must be an integer between " + min + " and " + max);
        }
        return value.longValue();
    }

    public static boolean flag(Boolean value, boolean absent) {
        return value == null ? absent : value;
    }

    public static <T> T present(String field, T value) {
        if (value == null) {
            throw new InvalidRequest(field, field + " is missing");
        }
        return value;
    }

    /** Whether the value is absent or JSON's null. */
    public static boolean isNull(JsonNode value) {
        return value == null || value.isNull() || value.isMissingNode();
    }

    public static String text(String field, JsonNode value) {
        if (isNull(value)) {
            throw new InvalidRequest(field, field + " is missing");
        }
        if (!value.isTextual()) {
            throw new InvalidRequest(field, field + " must be a string");
        }
        return value.textValue();
    }

    public static JsonNode object(String field, JsonNode value) {
        if (isNull(value)) {
            throw new InvalidRequest(field, field + " is missing");
        }
        if (!value.isObject()) {
            throw new InvalidRequest(field, field + " must be an object");
        }
        return value;
    }

    /**
     * Half of a surrogate pair is no character and has no UTF-8: it becomes U+FFFD, as in every conforming encoder.
     */
    public static String wellFormed(String text) {
        StringBuilder repaired = null;
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (!Character.isSurrogate(c)) {
                continue;
            }
            if (Character.isHighSurrogate(c) && i + 1 < text.length() && Character.isLowSurrogate(text.charAt(i + 1))) {
                i++;
                continue;
            }
            repaired = repaired == null ? new StringBuilder(text) : repaired;
            repaired.setCharAt(i, '\ufffd');
        }
        return repaired == null ? text : repaired.toString();
    }

    private static String plain(double number) {
        return BigDecimal.valueOf(number).stripTrailingZeros().toPlainString();
    }

    /** A number of seconds, or a text as {@link KeepAlive#of} takes it. */
    public static Optional<KeepAlive> keepAlive(String field, JsonNode value) {
        if (isNull(value)) {
            return Optional.empty();
        }
        try {
            return Optional.of(KeepAlive.ofJson(value));
        } catch (IllegalArgumentException e) {
            throw new InvalidRequest(field, field + " " + KeepAlive.FORM);
        }
    }
}
