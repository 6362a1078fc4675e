package dev.luq.requant.report;

import java.math.BigDecimal;
import java.math.MathContext;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.DoubleStream;

/**
 * One axis of a chart: from data to the unit interval, with round ticks.
 *
 * @param label what is measured, with its unit
 * @param logarithmic whether equal distances are equal ratios
 * @param low of the visible range; above 0 when logarithmic
 * @param high of the visible range, above low
 */
public record Axis(String label, boolean logarithmic, double low, double high) {

    /** A linear axis that shows these values and a little more; round values where it is cut. */
    public static Axis linear(String label, DoubleStream values) {
        double[] range = range(values);
        double step = step(range[1] - range[0]);
        double low = Math.floor(range[0] / step) * step;
        double high = Math.ceil(range[1] / step) * step;
        return new Axis(label, false, low, high > low ? high : low + step);
    }

    /** A linear axis from 0. */
    public static Axis fromZero(String label, DoubleStream values) {
        return linear(label, DoubleStream.concat(values, DoubleStream.of(0)));
    }

    /** A logarithmic axis that shows the positive ones of these values; what is 0 lies on its edge. */
    public static Axis logarithmic(String label, DoubleStream values) {
        double[] range = range(values.filter(value -> value > 0 && Double.isFinite(value)));
        double low = range[0] > 0 ? range[0] : 0.001;
        double high = Math.max(range[1], low * 1.0001);
        return new Axis(label, true, low / 1.15, high * 1.15);
    }

    private static double[] range(DoubleStream values) {
        double[] sorted = values.filter(Double::isFinite).sorted().toArray();
        return sorted.length == 0 ? new double[] {0, 1} : new double[] {sorted[0], sorted[sorted.length - 1]};
    }

    /** Where a value lies, 0 (low) to 1 (high); outside of the range at the nearer edge. */
    double place(double value) {
        double share = logarithmic
                ? Math.log(Math.max(value, low) / low) / Math.log(high / low)
                : (value - low) / (high - low);
        return Math.max(0, Math.min(1, share));
    }

    /** Values that get a line and a number. */
    List<Double> ticks() {
        List<Double> ticks = logarithmic ? oneTwoFive() : List.of();
        // A range such as 0.021 to 0.048 has none of them: two models that are alike.
        return ticks.size() > 1 ? ticks : steps();
    }

    private List<Double> steps() {
        List<Double> ticks = new ArrayList<>();
        double step = step(high - low);
        for (long i = Math.round(Math.ceil(low / step - 1e-9)); i * step <= high + step * 1e-9; i++) {
            ticks.add(round(i * step));
        }
        return ticks;
    }

    private List<Double> oneTwoFive() {
        List<Double> ticks = new ArrayList<>();
        boolean wide = high / low > 300;
        for (int exponent = (int) Math.floor(Math.log10(low)); exponent <= Math.log10(high); exponent++) {
            for (int digit : wide ? new int[] {1} : new int[] {1, 2, 5}) {
                double tick = round(digit * Math.pow(10, exponent));
                if (tick >= low && tick <= high) {
                    ticks.add(tick);
                }
            }
        }
        return ticks;
    }

    /** 1, 2 or 5 times a power of ten, 4 to 8 of them in a range. */
    private static double step(double range) {
        double raw = range > 0 ? range / 6 : 1;
        double power = Math.pow(10, Math.floor(Math.log10(raw)));
        double digit = raw / power;
        return power * (digit < 1.5 ? 1 : digit < 3 ? 2 : digit < 7.5 ? 5 : 10);
    }

    private static double round(double value) {
        return new BigDecimal(value).round(new MathContext(10)).doubleValue();
    }

    /** A number without needless digits. */
    static String text(double value) {
        if (value != 0 && (Math.abs(value) < 1e-4 || Math.abs(value) >= 1e7)) {
            // Neighbouring ticks can differ in the third digit.
            int digits = new BigDecimal(value)
                    .round(new MathContext(3))
                    .stripTrailingZeros()
                    .precision();
            return String.format(Locale.ROOT, "%." + Math.max(1, digits - 1) + "e", value);
        }
        return new BigDecimal(value)
                .round(new MathContext(6))
                .stripTrailingZeros()
                .toPlainString();
    }
}
