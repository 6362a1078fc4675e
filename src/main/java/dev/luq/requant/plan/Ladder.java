package dev.luq.requant.plan;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Chooses an option for each layer so that the costs add up to the least within a number of bytes: the multiple-choice
 * knapsack. Layer by layer it keeps the choices that no other choice beats in both bytes and cost. That is exact as long
 * as there are at most {@link #MAX_STATES} of them; more are thinned out evenly over the bytes, and the result then
 * misses the best by what one of so many steps is worth.
 */
final class Ladder {

    private static final int MAX_STATES = 1 << 15;

    /** A precision of one layer. */
    record Option(Precision precision, long bytes, double cost) {}

    /** Options taken for the layers so far, the last first. */
    private record State(State before, Option option, long bytes, double cost) {}

    private Ladder() {}

    /** @return a precision for each layer; empty when nothing fits */
    static Optional<List<Precision>> cheapest(List<List<Option>> layers, long limit) {
        List<State> states = List.of(new State(null, null, 0, 0));
        long rest = layers.stream().mapToLong(options -> least(options).bytes()).sum();
        for (List<Option> options : layers) {
            rest -= least(options).bytes();
            long spare = limit - rest;
            states = thinned(undominated(states.stream()
                    .flatMap(state -> extended(state, options))
                    .filter(state -> state.bytes() <= spare)
                    .toList()));
        }
        return states.isEmpty() ? Optional.empty() : Optional.of(choices(states.get(states.size() - 1)));
    }

    /** The smallest option of each layer. */
    static List<Precision> smallest(List<List<Option>> layers) {
        return layers.stream().map(options -> least(options).precision()).toList();
    }

    private static Option least(List<Option> options) {
        return options.stream()
                .min(Comparator.comparingLong(Option::bytes).thenComparingDouble(Option::cost))
                .orElseThrow(() -> new IllegalArgumentException("a layer has no measured precision"));
    }

    private static Stream<State> extended(State state, List<Option> options) {
        return options.stream()
                .map(option -> new State(state, option, state.bytes() + option.bytes(), state.cost() + option.cost()));
    }

    /** By ascending bytes and descending cost. */
    private static List<State> undominated(List<State> states) {
        List<State> sorted = new ArrayList<>(states);
        sorted.sort(Comparator.comparingLong(State::bytes).thenComparingDouble(State::cost));
        List<State> kept = new ArrayList<>();
        for (State state : sorted) {
            if (kept.isEmpty() || state.cost() < kept.get(kept.size() - 1).cost()) {
                kept.add(state);
            }
        }
        return kept;
    }

    /** Of each stretch of bytes the last and cheapest; the very smallest too. */
    private static List<State> thinned(List<State> states) {
        if (states.size() <= MAX_STATES) {
            return states;
        }
        long first = states.get(0).bytes();
        double step = (states.get(states.size() - 1).bytes() - first + 1.0) / MAX_STATES;
        List<State> kept = new ArrayList<>(List.of(states.get(0)));
        for (int i = 1; i < states.size(); i++) {
            boolean lastOfStretch = i + 1 == states.size()
                    || (long) ((states.get(i).bytes() - first) / step)
                            != (long) ((states.get(i + 1).bytes() - first) / step);
            if (lastOfStretch) {
                kept.add(states.get(i));
            }
        }
        return kept;
    }

    private static List<Precision> choices(State last) {
        List<Precision> choices = new ArrayList<>();
        for (State state = last; state.option() != null; state = state.before()) {
            choices.add(0, state.option().precision());
        }
        return choices;
    }
}
