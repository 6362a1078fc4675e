package dev.luq.requant.pipeline;

import dev.luq.requant.plan.Budget;
import dev.luq.requant.plan.Candidate;
import dev.luq.requant.plan.PlanException;
import java.util.List;
import java.util.function.Function;
import java.util.function.IntFunction;

/** The plans that a method may give, from the smallest to the largest. */
final class PlansBySize {

    /** Sizes between the smallest and the largest plan that are looked at. */
    private static final int STEPS = 32;

    private final int count;
    private final IntFunction<Candidate> at;
    private final Function<Budget, Candidate> ofSize;

    private PlansBySize(int count, IntFunction<Candidate> at, Function<Budget, Candidate> ofSize) {
        this.count = count;
        this.at = at;
        this.ofSize = ofSize;
    }

    /**
     * A few plans.
     *
     * @param plans from the smallest to the largest
     * @param ofSize which of them a budget of size gets
     */
    static PlansBySize of(List<Candidate> plans, Function<Budget, Candidate> ofSize) {
        return new PlansBySize(plans.size(), plans::get, ofSize);
    }

    /**
     * Plans of any size between two.
     *
     * @param ofSize what a budget of size gets
     */
    static PlansBySize between(Candidate smallest, Candidate largest, Function<Budget, Candidate> ofSize) {
        long least = smallest.weightBytes();
        long more = largest.weightBytes() - least;
        return new PlansBySize(
                STEPS + 1, step -> ofSize.apply(new Budget.Weights(least + more * step / STEPS)), ofSize);
    }

    /** How many there are to look at. */
    int count() {
        return count;
    }

    /** One of those, from 0 on. */
    Candidate at(int place) {
        return at.apply(place);
    }

    /**
     * The plan for a budget.
     *
     * @param size budget of size
     * @throws PlanException.Impossible when all are larger
     */
    Candidate of(Budget size) {
        return ofSize.apply(size);
    }
}
