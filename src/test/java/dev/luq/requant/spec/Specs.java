package dev.luq.requant.spec;

import dev.luq.requant.plan.Budget;
import java.util.Optional;

/** Specifications made of others. */
public final class Specs {

    private Specs() {}

    /** The same, but so many tokens per second within a budget. */
    public static RequantizationSpec at(double speed, RequantizationSpec spec, String budget) {
        return with(spec.source(), Budget.parse(budget), Optional.of(speed), spec);
    }

    /** The same, but of another model. */
    public static RequantizationSpec of(RequantizationSpec.Source source, RequantizationSpec spec) {
        return with(source, spec.budget(), spec.speed(), spec);
    }

    private static RequantizationSpec with(
            RequantizationSpec.Source source, Budget budget, Optional<Double> speed, RequantizationSpec spec) {
        return new RequantizationSpec(
                spec.version(),
                source,
                spec.sets(),
                budget,
                speed,
                spec.method(),
                spec.levels(),
                spec.calibration(),
                spec.search(),
                spec.serving(),
                spec.threads(),
                spec.output());
    }
}
