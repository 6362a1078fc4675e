package dev.luq.requant.plan;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class LadderTest {

    private static final List<Precision> PRECISIONS =
            List.of(Precision.IQ1_M, Precision.IQ2_S, Precision.IQ3_S, Precision.Q4_K);

    private final SplittableRandom random = new SplittableRandom(1);

    @Test
    void isAsGoodAsTryingEverything() {
        for (int trial = 0; trial < 200; trial++) {
            List<List<Ladder.Option>> layers = layers(6, 50);
            long limit = random.nextLong(60, 320);

            Optional<List<Precision>> chosen = Ladder.cheapest(layers, limit);

            double best = exhaustive(layers, 0, limit);
            assertEquals(Double.isInfinite(best), chosen.isEmpty());
            if (chosen.isPresent()) {
                assertTrue(bytes(layers, chosen.get()) <= limit);
                assertEquals(best, cost(layers, chosen.get()), 1e-9);
            }
        }
    }

    @Test
    void largeCasesFitAndComeCloseToTheBound() {
        List<List<Ladder.Option>> layers = layers(80, 1_000_000_007);
        long limit =
                layers.stream().mapToLong(options -> options.get(1).bytes()).sum();

        List<Precision> chosen = Ladder.cheapest(layers, limit).orElseThrow();

        assertTrue(bytes(layers, chosen) <= limit);
        double cost = cost(layers, chosen);
        double bound = lagrangianBound(layers, limit);
        assertTrue(cost <= bound * 1.005, cost + " against a lower bound of " + bound);
    }

    @Test
    void nothingFitsWhereTheSmallestDoesNot() {
        List<List<Ladder.Option>> layers = layers(3, 10);
        long least = bytes(layers, Ladder.smallest(layers));
        assertEquals(Optional.empty(), Ladder.cheapest(layers, least - 1));
        assertEquals(least, bytes(layers, Ladder.cheapest(layers, least).orElseThrow()));
    }

    /** Larger precisions take more bytes and mostly cost less. */
    private List<List<Ladder.Option>> layers(int count, long unit) {
        List<List<Ladder.Option>> layers = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            List<Ladder.Option> options = new ArrayList<>();
            long bytes = 0;
            for (Precision precision : PRECISIONS) {
                bytes += 1 + random.nextLong(unit);
                options.add(new Ladder.Option(precision, bytes, random.nextDouble() / bytes));
            }
            layers.add(options);
        }
        return layers;
    }

    private static double exhaustive(List<List<Ladder.Option>> layers, int layer, long limit) {
        if (limit < 0) {
            return Double.POSITIVE_INFINITY;
        }
        if (layer == layers.size()) {
            return 0;
        }
        return layers.get(layer).stream()
                .mapToDouble(option -> option.cost() + exhaustive(layers, layer + 1, limit - option.bytes()))
                .min()
                .orElseThrow();
    }

    /** No choice is cheaper: the dual of the problem, at the best multiplier that bisection finds. */
    private static double lagrangianBound(List<List<Ladder.Option>> layers, long limit) {
        double best = Double.NEGATIVE_INFINITY;
        for (double price = 1e-22; price < 1e-6; price *= 1.02) {
            double multiplier = price;
            double bound = layers.stream()
                            .mapToDouble(options -> options.stream()
                                    .mapToDouble(option -> option.cost() + multiplier * option.bytes())
                                    .min()
                                    .orElseThrow())
                            .sum()
                    - multiplier * limit;
            best = Math.max(best, bound);
        }
        return best;
    }

    private static long bytes(List<List<Ladder.Option>> layers, List<Precision> chosen) {
        long bytes = 0;
        for (int i = 0; i < layers.size(); i++) {
            bytes += option(layers.get(i), chosen.get(i)).bytes();
        }
        return bytes;
    }

    private static double cost(List<List<Ladder.Option>> layers, List<Precision> chosen) {
        double cost = 0;
        for (int i = 0; i < layers.size(); i++) {
            cost += option(layers.get(i), chosen.get(i)).cost();
        }
        return cost;
    }

    private static Ladder.Option option(List<Ladder.Option> options, Precision precision) {
        return options.stream()
                .filter(option -> option.precision() == precision)
                .findFirst()
                .orElseThrow();
    }
}
