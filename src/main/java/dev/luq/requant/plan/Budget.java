package dev.luq.requant.plan;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import java.math.BigDecimal;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What a model may take, or how good it must be. As text, also in JSON:
 *
 * <pre>
 * budget     := deployment | weights | bits | ratio | kld | accuracy
 * deployment := bytes              weights as resident, projector, KV cache, compute buffers and processes
 * weights    := "weights:" bytes   the language model's tensors
 * bits       := number "bpw"       bits per weight of the language model
 * ratio      := number "%"         weights in relation to those of Q4_K_M
 * kld        := "kld:" number      largest mean KL divergence from the base model, in nats
 * accuracy   := "accuracy:" number least share of exact matches on the evaluation set, 0 to 1
 * bytes      := number unit        unit: B, KiB, MiB, GiB, KB, MB, GB
 * </pre>
 *
 * The first four are met by sizes alone, the others by measuring candidates.
 */
public sealed interface Budget {

    /** @param bytes of everything that serving takes */
    record Deployment(long bytes) implements Budget {}

    /** @param bytes of the language model's tensors */
    record Weights(long bytes) implements Budget {}

    /** @param bits per weight of the language model */
    record BitsPerWeight(double bits) implements Budget {}

    /** @param ratio of the weights' bytes to those of Q4_K_M */
    record RatioToQ4KM(double ratio) implements Budget {}

    /** @param nats mean KL divergence at most */
    record MeanKld(double nats) implements Budget {}

    /** @param share of exact matches at least, 0 to 1 */
    record Accuracy(double share) implements Budget {}

    /** Whether sizes alone decide, without measuring a candidate. */
    default boolean isOfSize() {
        return !(this instanceof MeanKld || this instanceof Accuracy);
    }

    /** The text from which {@link #parse} makes an equal budget. */
    @JsonValue
    default String text() {
        if (this instanceof Deployment b) {
            return b.bytes() + "B";
        } else if (this instanceof Weights b) {
            return "weights:" + b.bytes() + "B";
        } else if (this instanceof BitsPerWeight b) {
            return Text.plain(b.bits()) + "bpw";
        } else if (this instanceof RatioToQ4KM b) {
            return Text.percent(b.ratio()) + "%";
        } else if (this instanceof MeanKld b) {
            return "kld:" + Text.plain(b.nats());
        } else if (this instanceof Accuracy b) {
            return "accuracy:" + Text.plain(b.share());
        }
        throw new IllegalStateException("no text for " + this);
    }

    /** @throws PlanException.InvalidBudget when the text is none, saying what a budget looks like */
    @JsonCreator
    static Budget parse(String text) {
        return Text.parse(text);
    }

    /** The grammar above. */
    final class Text {

        private static final Pattern BUDGET =
                Pattern.compile("(?:(weights|kld|accuracy):)?\\s*(\\d+(?:\\.\\d*)?|\\.\\d+)\\s*" + "(%|[a-z]*)");
        /** Of any unit. What is smaller is nobody's budget, and its text has hundreds of digits. */
        private static final double SMALLEST = 1e-12;

        private static final Map<String, Long> UNITS = Map.of(
                "b",
                1L,
                "kib",
                1L << 10,
                "mib",
                1L << 20,
                "gib",
                1L << 30,
                "kb",
                1_000L,
                "mb",
                1_000_000L,
                "gb",
                1_000_000_000L);

        private Text() {}

        private static Budget parse(String text) {
            Matcher parts = BUDGET.matcher(text.strip().toLowerCase(Locale.ROOT));
            if (!parts.matches()) {
                throw invalid(text);
            }
            double number = Double.parseDouble(parts.group(2));
            String unit = parts.group(3);
            if (number < SMALLEST || number > Long.MAX_VALUE / 4 / UNITS.getOrDefault(unit, 1L)) {
                throw new PlanException.InvalidBudget(
                        "A budget is more than 0 and fits a memory, unlike \"" + text + "\".");
            }
            String kind = parts.group(1) == null ? "" : parts.group(1);
            if (kind.equals("kld") && unit.isEmpty()) {
                return new MeanKld(number);
            } else if (kind.equals("accuracy") && unit.isEmpty() && number <= 1) {
                return new Accuracy(number);
            } else if (kind.equals("weights") && UNITS.containsKey(unit)) {
                return new Weights(Math.round(number * UNITS.get(unit)));
            } else if (kind.isEmpty() && unit.equals("%")) {
                return new RatioToQ4KM(
                        new BigDecimal(parts.group(2)).movePointLeft(2).doubleValue());
            } else if (kind.isEmpty() && unit.equals("bpw")) {
                return new BitsPerWeight(number);
            } else if (kind.isEmpty() && UNITS.containsKey(unit)) {
                return new Deployment(Math.round(number * UNITS.get(unit)));
            }
            throw invalid(text);
        }

        private static PlanException invalid(String text) {
            return new PlanException.InvalidBudget("\"" + text + "\" is no budget. Budgets look like 60% (of Q4_K_M's"
                    + " weights), 3GiB or 900MiB (for everything), weights:800MiB, 2.5bpw, kld:0.05 or accuracy:0.9.");
        }

        private static String plain(double number) {
            return new BigDecimal(Double.toString(number)).stripTrailingZeros().toPlainString();
        }

        private static String percent(double ratio) {
            return new BigDecimal(Double.toString(ratio))
                    .movePointRight(2)
                    .stripTrailingZeros()
                    .toPlainString();
        }
    }
}
