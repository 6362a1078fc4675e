package dev.luq.catalog;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import com.fasterxml.jackson.databind.JsonNode;
import io.quarkus.runtime.annotations.RegisterForReflection;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.time.Duration;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * How long a model stays in memory after its last request, as Ollama's {@code keep_alive} says it.
 *
 * @param idle zero: it goes at once; null: it does not go for being idle
 */
@RegisterForReflection
public record KeepAlive(Duration idle) {

    /** A model is not unloaded for being idle. */
    public static final KeepAlive NEVER = new KeepAlive(null);

    /** What is said of a text that {@link #of} does not take. */
    public static final String FORM =
            "must be a number of seconds or a duration such as 30s, 5m or 1h30m, at most 365 days; -1 is for ever";

    private static final Duration LONGEST = Duration.ofDays(365);
    private static final Pattern SECONDS = Pattern.compile("-?\\d{1,18}");
    private static final Pattern PARTS =
            Pattern.compile("(-?)(?=\\d)(?:(\\d{1,9})h)?(?:(\\d{1,9})m(?!s))?(?:(\\d{1,9})s)?(?:(\\d{1,9})ms)?");

    /**
     * @param text a number of seconds, a duration such as {@code 1h30m}, or {@code never}; what is negative is never
     * @throws IllegalArgumentException when it is none of these, or longer than 365 days
     */
    @JsonCreator
    public static KeepAlive of(String text) {
        String lower = text.strip().toLowerCase(Locale.ROOT);
        if (lower.equals("never")) {
            return NEVER;
        }
        if (SECONDS.matcher(lower).matches()) {
            return ofSeconds(new BigDecimal(lower));
        }
        Matcher parts = PARTS.matcher(lower);
        if (!parts.matches()) {
            throw new IllegalArgumentException(FORM);
        }
        if (!parts.group(1).isEmpty()) {
            return NEVER;
        }
        return checked(Duration.ofHours(number(parts.group(2)))
                .plusMinutes(number(parts.group(3)))
                .plusSeconds(number(parts.group(4)))
                .plusMillis(number(parts.group(5))));
    }

    /**
     * As in JSON.
     *
     * @throws IllegalArgumentException when it is neither a number of seconds nor such a text, or longer than 365 days
     */
    public static KeepAlive ofJson(JsonNode value) {
        if (value.isNumber()) {
            return ofSeconds(value.decimalValue());
        }
        if (value.isTextual()) {
            return of(value.textValue());
        }
        throw new IllegalArgumentException(FORM);
    }

    /**
     * @param seconds what is negative is never
     * @throws IllegalArgumentException when it is longer than 365 days
     */
    static KeepAlive ofSeconds(BigDecimal seconds) {
        if (seconds.signum() < 0) {
            return NEVER;
        }
        if (seconds.compareTo(BigDecimal.valueOf(LONGEST.toSeconds())) > 0) {
            throw new IllegalArgumentException(FORM);
        }
        // Compared before it is scaled: 1e-999999999 would fill the memory with zeros.
        return seconds.compareTo(BigDecimal.valueOf(1, 3)) < 0
                ? new KeepAlive(Duration.ZERO)
                : new KeepAlive(Duration.ofMillis(
                        seconds.movePointRight(3).setScale(0, RoundingMode.DOWN).longValueExact()));
    }

    private static KeepAlive checked(Duration idle) {
        if (idle.compareTo(LONGEST) > 0) {
            throw new IllegalArgumentException(FORM);
        }
        return new KeepAlive(idle);
    }

    private static long number(String digits) {
        return digits == null ? 0 : Long.parseLong(digits);
    }

    /** Seconds as in JSON; -1 for never. */
    public double seconds() {
        return idle == null ? -1 : idle.toMillis() / 1000.0;
    }

    /** A text that {@link #of} takes. */
    @JsonValue
    @Override
    public String toString() {
        return idle == null ? "never" : idle.toMillis() % 1000 == 0 ? idle.toSeconds() + "s" : idle.toMillis() + "ms";
    }
}
