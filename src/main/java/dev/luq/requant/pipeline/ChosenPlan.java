package dev.luq.requant.pipeline;

import dev.luq.requant.plan.Candidate;
import dev.luq.requant.report.Report;
import io.quarkus.runtime.annotations.RegisterForReflection;
import java.util.List;
import java.util.Optional;

/**
 * The plan that a job chose: {@code plan.json} of its folder. Once written it is kept, so that a job that goes on later
 * makes the same model.
 *
 * @param chosen the method that gave it
 * @param why a sentence for people
 * @param candidate the plan and its sizes
 * @param choices the plans that were compared, the chosen one included
 * @param basis identity of the model and the sets that it was chosen for; absent in older ones
 * @param speed that was asked for and measured; empty where none was asked for
 * @param pace what is expected of other plans, after what was measured; empty where no speed was asked for
 */
@RegisterForReflection
record ChosenPlan(
        String chosen,
        String why,
        Candidate candidate,
        List<Report.Choice> choices,
        Optional<String> basis,
        Optional<Report.Speed> speed,
        Optional<Expected> pace) {

    /**
     * How long plans are expected to take.
     *
     * @param bytesPerSecond that all threads read
     * @param fixed seconds that every token takes
     * @param factor times what its matrices take by the machine's kernels
     */
    @RegisterForReflection
    record Expected(double bytesPerSecond, double fixed, double factor) {}

    static final String FILE = "plan.json";

    ChosenPlan {
        choices = List.copyOf(choices);
        basis = basis == null ? Optional.empty() : basis;
        speed = speed == null ? Optional.empty() : speed;
        pace = pace == null ? Optional.empty() : pace;
    }

    ChosenPlan(String chosen, String why, Candidate candidate, List<Report.Choice> choices) {
        this(chosen, why, candidate, choices, Optional.empty(), Optional.empty(), Optional.empty());
    }

    /** The same plan, measured. */
    ChosenPlan at(Report.Speed measured, Expected others) {
        return new ChosenPlan(chosen, why, candidate, choices, basis, Optional.of(measured), Optional.of(others));
    }

    /** The same plan, of a model and sets. */
    ChosenPlan of(String modelAndSets) {
        return new ChosenPlan(chosen, why, candidate, choices, Optional.of(modelAndSets), speed, pace);
    }
}
