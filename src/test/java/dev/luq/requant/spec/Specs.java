package dev.luq.requant.spec;

import dev.luq.requant.plan.Budget;
import java.util.Optional;

/** Specifications made of others. */
public final class Specs {

    private Specs() {}

    /** The same, but so many tokens per second within a budget. */
    public static RequantizationSpec at(double speed, RequantizationSpec spec, String budget) {
        return new RequantizationSpec(
                spec.version(),
                spec.source(),
                spec.sets(),
                Budget.parse(budget),
                Optional.of(speed),
                spec.method(),
                spec.levels(),
                spec.calibration(),
                spec.search(),
                spec.serving(),
                spec.threads(),
                spec.output());
    }
}
