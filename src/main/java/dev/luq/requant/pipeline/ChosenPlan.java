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
 * @param speed that was asked for and measured; empty where none was asked for
 */
@RegisterForReflection
record ChosenPlan(
        String chosen, String why, Candidate candidate, List<Report.Choice> choices, Optional<Report.Speed> speed) {

    static final String FILE = "plan.json";

    ChosenPlan {
        choices = List.copyOf(choices);
        speed = speed == null ? Optional.empty() : speed;
    }

    ChosenPlan(String chosen, String why, Candidate candidate, List<Report.Choice> choices) {
        this(chosen, why, candidate, choices, Optional.empty());
    }

    /** The same plan, measured. */
    ChosenPlan at(Report.Speed measured) {
        return new ChosenPlan(chosen, why, candidate, choices, Optional.of(measured));
    }
}
