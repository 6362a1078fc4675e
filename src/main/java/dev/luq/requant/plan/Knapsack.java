package dev.luq.requant.plan;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/**
 * The multiple-choice knapsack: one option for each item, so that the costs add up to the least within a number of bytes.
 * Exact. The linear relaxation gives a price of a byte, a lower bound and a first solution; every option has a reduced
 * cost, by which it is dearer at that price than its item's cheapest. A solution exceeds the bound by the sum of its
 * reduced costs and the price of the bytes that it leaves. So dynamic programming over undominated states, in bytes and
 * cost, need only look at states whose reduced costs add up to less than a solution that is known: by a small excess
 * first, doubled until a solution within it is found, which no other can beat. (Pisinger, "A minimal algorithm for the
 * multiple-choice knapsack problem", EJOR 83, 1995, has the same bounds and another order.)
 *
 * @param <T> what an option stands for
 */
final class Knapsack<T> {

    /** Of the distance between the bound and the first solution, what is looked at first. */
    private static final double FIRST_EXCESS = 1.0 / 1024;
    /** What sums in another order may differ by. */
    private static final double ROUNDING = 1e-12;

    /** One way to have an item. */
    record Option<T>(T choice, long bytes, double cost) {}

    /** An option that no other one beats, with what it is dearer by than the cheapest at the price. */
    private record Priced<T>(Option<T> option, double reduced) {}

    /** Options taken for the items so far, the last first. */
    private record State<T>(State<T> before, Option<T> option, long bytes, double cost, double reduced) {}

    /** A step from one option to the next larger one, on the lower hull. */
    private record Step(int item, int option, double saving, long bytes) {
        double savingPerByte() {
            return saving / bytes;
        }
    }

    private final List<List<Option<T>>> items;
    private final long limit;
    private final List<Option<T>> first = new ArrayList<>();
    private double price;

    private Knapsack(List<List<Option<T>>> items, long limit) {
        this.items = items;
        this.limit = limit;
    }

    /**
     * @param items with at least one option each
     * @return a choice for each item; empty when nothing fits
     */
    static <T> Optional<List<T>> cheapest(List<List<Option<T>>> items, long limit) {
        List<List<Option<T>>> undominated =
                items.stream().map(Knapsack::undominated).toList();
        long least = undominated.stream().mapToLong(o -> o.get(0).bytes()).sum();
        return least > limit
                ? Optional.empty()
                : Optional.of(new Knapsack<>(undominated, limit)
                        .solve().stream().map(Option::choice).toList());
    }

    /** The smallest option of each item. */
    static <T> List<T> smallest(List<List<Option<T>>> items) {
        return items.stream().map(o -> undominated(o).get(0).choice()).toList();
    }

    /** By ascending bytes and descending cost. */
    private static <T> List<Option<T>> undominated(List<Option<T>> options) {
        if (options.isEmpty()) {
            throw new IllegalArgumentException("an item has no option");
        }
        List<Option<T>> kept = new ArrayList<>();
        options.stream()
                .sorted(Comparator.<Option<T>>comparingLong(Option::bytes).thenComparingDouble(Option::cost))
                .forEach(option -> {
                    if (kept.isEmpty()
                            || option.cost() < kept.get(kept.size() - 1).cost()) {
                        kept.add(option);
                    }
                });
        return kept;
    }

    private List<Option<T>> solve() {
        relax();
        double known = cost(first);
        double bound = bound();
        double gap = known - bound;
        double rounding = ROUNDING * Math.abs(known);
        double excess = gap * FIRST_EXCESS;
        while (excess < gap) {
            Optional<List<Option<T>>> found = search(excess + rounding);
            if (found.isPresent() && cost(found.get()) - bound <= excess + rounding) {
                return found.get();
            }
            excess *= 2;
        }
        return search(gap + rounding).orElse(first);
    }

    /** Takes steps of the lower hulls, the most saving by byte first, as far as they go; then whatever still fits. */
    private void relax() {
        List<Step> steps = new ArrayList<>();
        long bytes = 0;
        for (int item = 0; item < items.size(); item++) {
            steps.addAll(hull(item));
            first.add(items.get(item).get(0));
            bytes += items.get(item).get(0).bytes();
        }
        steps.sort(Comparator.comparingDouble(Step::savingPerByte).reversed());
        price = 0;
        boolean[] stopped = new boolean[items.size()];
        for (Step step : steps) {
            if (bytes + step.bytes() > limit || stopped[step.item()]) {
                price = price == 0 ? step.savingPerByte() : price;
                stopped[step.item()] = true;
            } else {
                bytes += step.bytes();
                first.set(step.item(), items.get(step.item()).get(step.option()));
            }
        }
    }

    /** Steps of descending saving per byte between the options of an item. */
    private List<Step> hull(int item) {
        List<Option<T>> options = items.get(item);
        List<Step> steps = new ArrayList<>();
        for (int at = 0; at < options.size() - 1; ) {
            Step best = null;
            for (int to = at + 1; to < options.size(); to++) {
                Step step = new Step(
                        item,
                        to,
                        options.get(at).cost() - options.get(to).cost(),
                        options.get(to).bytes() - options.get(at).bytes());
                best = best == null || step.savingPerByte() >= best.savingPerByte() ? step : best;
            }
            steps.add(best);
            at = best.option();
        }
        return steps;
    }

    private double priced(Option<T> option) {
        return option.cost() + price * option.bytes();
    }

    /** No solution costs less. */
    private double bound() {
        return items.stream()
                        .mapToDouble(options ->
                                options.stream().mapToDouble(this::priced).min().orElseThrow())
                        .sum()
                - price * limit;
    }

    /** The cheapest of all solutions whose reduced costs add up to no more than the excess. */
    private Optional<List<Option<T>>> search(double excess) {
        List<List<Priced<T>>> kept = items.stream()
                .map(options -> reduced(options).stream()
                        .filter(p -> p.reduced() <= excess)
                        .toList())
                .toList();
        long rest = kept.stream().mapToLong(Knapsack::least).sum();
        List<State<T>> states = List.of(new State<>(null, null, 0, 0, 0));
        for (List<Priced<T>> options : kept) {
            rest -= least(options);
            long most = limit - rest;
            List<State<T>> next = new ArrayList<>();
            for (State<T> state : states) {
                for (Priced<T> p : options) {
                    long bytes = state.bytes() + p.option().bytes();
                    double reduced = state.reduced() + p.reduced();
                    if (bytes <= most && reduced <= excess) {
                        next.add(new State<>(
                                state,
                                p.option(),
                                bytes,
                                state.cost() + p.option().cost(),
                                reduced));
                    }
                }
            }
            states = options.size() == 1 ? next : undominatedStates(next);
        }
        return states.stream().min(Comparator.comparingDouble(State::cost)).map(Knapsack::options);
    }

    private List<Priced<T>> reduced(List<Option<T>> options) {
        double least = options.stream().mapToDouble(this::priced).min().orElseThrow();
        return options.stream()
                .map(option -> new Priced<>(option, priced(option) - least))
                .toList();
    }

    private static <T> long least(List<Priced<T>> options) {
        return options.stream().mapToLong(p -> p.option().bytes()).min().orElseThrow();
    }

    private static <T> List<State<T>> undominatedStates(List<State<T>> states) {
        states.sort(Comparator.<State<T>>comparingLong(State::bytes).thenComparingDouble(State::cost));
        List<State<T>> kept = new ArrayList<>();
        for (State<T> state : states) {
            if (kept.isEmpty() || state.cost() < kept.get(kept.size() - 1).cost()) {
                kept.add(state);
            }
        }
        return kept;
    }

    private static <T> List<Option<T>> options(State<T> last) {
        List<Option<T>> options = new ArrayList<>();
        for (State<T> state = last; state.option() != null; state = state.before()) {
            options.add(0, state.option());
        }
        return options;
    }

    private static <T> double cost(List<Option<T>> options) {
        return options.stream().mapToDouble(Option::cost).sum();
    }
}
