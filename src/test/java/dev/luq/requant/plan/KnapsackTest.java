package dev.luq.requant.plan;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.luq.requant.plan.Knapsack.Option;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class KnapsackTest {

    private final SplittableRandom random = new SplittableRandom(1);

    @Test
    void isAsGoodAsTryingEverything() {
        for (int trial = 0; trial < 500; trial++) {
            List<List<Option<Integer>>> items = items(6, 4, 50);
            long limit = random.nextLong(60, 320);

            Optional<List<Integer>> chosen = Knapsack.cheapest(items, limit);

            double best = exhaustive(items, 0, limit);
            assertEquals(Double.isInfinite(best), chosen.isEmpty());
            if (chosen.isPresent()) {
                assertTrue(bytes(items, chosen.get()) <= limit);
                assertEquals(best, cost(items, chosen.get()), 1e-12);
            }
        }
    }

    /** The textbook's table: the least cost for every number of bytes. */
    @Test
    void isAsGoodAsATableOfAllBytes() {
        for (int trial = 0; trial < 20; trial++) {
            List<List<Option<Integer>>> items = items(40, 11, 30);
            int limit = random.nextInt(1500, 5000);
            double[] table = new double[limit + 1];
            for (List<Option<Integer>> options : items) {
                double[] next = new double[limit + 1];
                Arrays.fill(next, Double.POSITIVE_INFINITY);
                for (Option<Integer> option : options) {
                    for (int bytes = (int) option.bytes(); bytes <= limit; bytes++) {
                        next[bytes] = Math.min(next[bytes], table[bytes - (int) option.bytes()] + option.cost());
                    }
                }
                table = next;
            }

            List<Integer> chosen = Knapsack.cheapest(items, limit).orElseThrow();

            assertTrue(bytes(items, chosen) <= limit);
            assertEquals(table[limit], cost(items, chosen), 1e-12);
        }
    }

    /** As many matrices as a model of 48 layers has: beyond any table. No choice is cheaper than the dual's value. */
    @Test
    void largeCasesComeAsCloseToTheBoundAsOneStepOfOneItem() {
        List<List<Option<Integer>>> items = items(337, 11, 1_000_000_007);
        for (int option = 1; option < 10; option += 2) {
            int taken = option;
            long limit = items.stream().mapToLong(o -> o.get(taken).bytes()).sum();

            List<Integer> chosen = Knapsack.cheapest(items, limit).orElseThrow();

            assertTrue(bytes(items, chosen) <= limit);
            double cost = cost(items, chosen);
            double bound = lagrangianBound(items, limit);
            assertTrue(cost <= bound * 1.0005, cost + " against a lower bound of " + bound);
        }
    }

    @Test
    void everythingIsAtItsCheapestWhereThatFits() {
        List<List<Option<Integer>>> items = items(20, 5, 100);
        List<Integer> chosen = Knapsack.cheapest(items, Long.MAX_VALUE / 4).orElseThrow();
        for (int i = 0; i < items.size(); i++) {
            assertEquals(
                    items.get(i).stream().mapToDouble(Option::cost).min().orElseThrow(),
                    items.get(i).get(chosen.get(i)).cost());
        }
    }

    @Test
    void nothingFitsWhereTheSmallestDoesNot() {
        List<List<Option<Integer>>> items = items(3, 4, 10);
        long least = bytes(items, Knapsack.smallest(items));
        assertEquals(Optional.empty(), Knapsack.cheapest(items, least - 1));
        assertEquals(least, bytes(items, Knapsack.cheapest(items, least).orElseThrow()));
        assertThrows(IllegalArgumentException.class, () -> Knapsack.cheapest(List.of(List.<Option<Integer>>of()), 10));
    }

    /** Options that take more bytes mostly cost less. A choice is the option's index. */
    private List<List<Option<Integer>>> items(int count, int optionCount, long unit) {
        List<List<Option<Integer>>> items = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            List<Option<Integer>> options = new ArrayList<>();
            long bytes = 0;
            for (int option = 0; option < optionCount; option++) {
                bytes += 1 + random.nextLong(unit);
                options.add(new Option<>(option, bytes, random.nextDouble() * unit / bytes));
            }
            items.add(options);
        }
        return items;
    }

    private static double exhaustive(List<List<Option<Integer>>> items, int item, long limit) {
        if (limit < 0) {
            return Double.POSITIVE_INFINITY;
        }
        if (item == items.size()) {
            return 0;
        }
        return items.get(item).stream()
                .mapToDouble(option -> option.cost() + exhaustive(items, item + 1, limit - option.bytes()))
                .min()
                .orElseThrow();
    }

    /** The dual of the problem, at the best multiplier that bisection finds. */
    private static double lagrangianBound(List<List<Option<Integer>>> items, long limit) {
        double best = Double.NEGATIVE_INFINITY;
        for (double price = 1e-22; price < 1e-3; price *= 1.002) {
            double multiplier = price;
            double bound = items.stream()
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

    private static long bytes(List<List<Option<Integer>>> items, List<Integer> chosen) {
        long bytes = 0;
        for (int i = 0; i < items.size(); i++) {
            bytes += items.get(i).get(chosen.get(i)).bytes();
        }
        return bytes;
    }

    private static double cost(List<List<Option<Integer>>> items, List<Integer> chosen) {
        double cost = 0;
        for (int i = 0; i < items.size(); i++) {
            cost += items.get(i).get(chosen.get(i)).cost();
        }
        return cost;
    }
}
