package dev.luq.benchmarks.scoring;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.MathContext;
import java.math.RoundingMode;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.regex.Pattern;

/** Numbers in text as Python reads and writes them. */
final class PythonNumber {

    /** Possessive: a loop that may go back needs stack for each of its rounds. */
    private static final String DIGITS = "\\d(?:_?\\d)*+";

    private static final Pattern INTEGER = Pattern.compile("[+-]?" + DIGITS);
    private static final Pattern DECIMAL = Pattern.compile(
            "[+-]?(?:" + DIGITS + "\\.?(?:" + DIGITS + ")?|\\." + DIGITS + ")(?:[eE][+-]?" + DIGITS + ")?");
    private static final Pattern INFINITE = Pattern.compile("[+-]?inf(?:inity)?");
    private static final Pattern NOT_A_NUMBER = Pattern.compile("[+-]?nan");

    /** Digits that a double may need to be told from its neighbours. */
    private static final int MOST_DIGITS = 17;
    /** {@code repr} writes an exponent below this power of ten, and from {@link #LARGEST_PLAIN} on. */
    private static final int SMALLEST_PLAIN = -4;

    private static final int LARGEST_PLAIN = 16;

    private PythonNumber() {}

    /** {@code float(text)}; empty where Python throws. */
    static OptionalDouble parseFloat(String text) {
        String number = digits(PythonText.strip(text));
        if (DECIMAL.matcher(number).matches()) {
            return OptionalDouble.of(Double.parseDouble(number.replace("_", "")));
        }
        String name = number.toLowerCase(Locale.ROOT);
        if (INFINITE.matcher(name).matches()) {
            return OptionalDouble.of(name.startsWith("-") ? Double.NEGATIVE_INFINITY : Double.POSITIVE_INFINITY);
        }
        return NOT_A_NUMBER.matcher(name).matches() ? OptionalDouble.of(Double.NaN) : OptionalDouble.empty();
    }

    /** {@code int(text)}; empty where Python throws. */
    static Optional<BigInteger> parseInt(String text) {
        String number = digits(PythonText.strip(text));
        return INTEGER.matcher(number).matches()
                ? Optional.of(new BigInteger(number.replace("_", "")))
                : Optional.empty();
    }

    /** Python reads digits of every script. */
    private static String digits(String text) {
        StringBuilder digits = new StringBuilder(text.length());
        text.codePoints().forEach(c -> digits.appendCodePoint(Character.isDigit(c) ? '0' + Character.digit(c, 10) : c));
        return digits.toString();
    }

    /** {@code int(value)}; empty for what is not finite. */
    static Optional<BigInteger> truncate(double value) {
        return Double.isFinite(value) ? Optional.of(new BigDecimal(value).toBigInteger()) : Optional.empty();
    }

    /** {@code round(value, places)}: of the exact binary value, halves to the even digit. */
    static double round(double value, int places) {
        if (!Double.isFinite(value)) {
            return value;
        }
        double rounded =
                new BigDecimal(value).setScale(places, RoundingMode.HALF_EVEN).doubleValue();
        return Math.copySign(rounded, value);
    }

    /** {@code str(value)}: the fewest digits that mean this number. */
    static String text(double value) {
        if (Double.isNaN(value)) {
            return "nan";
        }
        if (Double.isInfinite(value)) {
            return value > 0 ? "inf" : "-inf";
        }
        String sign = Math.copySign(1, value) < 0 ? "-" : "";
        if (value == 0) {
            return sign + "0.0";
        }
        BigDecimal shortest = shortest(Math.abs(value)).stripTrailingZeros();
        int exponent = shortest.precision() - shortest.scale() - 1;
        if (exponent >= SMALLEST_PLAIN && exponent < LARGEST_PLAIN) {
            String plain = shortest.toPlainString();
            return sign + (plain.contains(".") ? plain : plain + ".0");
        }
        String digits = shortest.unscaledValue().toString();
        String mantissa = digits.length() == 1 ? digits : digits.charAt(0) + "." + digits.substring(1);
        return String.format(Locale.ROOT, "%s%se%s%02d", sign, mantissa, exponent < 0 ? "-" : "+", Math.abs(exponent));
    }

    private static BigDecimal shortest(double value) {
        BigDecimal exact = new BigDecimal(value);
        for (int digits = 1; digits < MOST_DIGITS; digits++) {
            BigDecimal candidate = exact.round(new MathContext(digits, RoundingMode.HALF_EVEN));
            if (candidate.doubleValue() == value) {
                return candidate;
            }
        }
        return exact.round(new MathContext(MOST_DIGITS, RoundingMode.HALF_EVEN));
    }
}
