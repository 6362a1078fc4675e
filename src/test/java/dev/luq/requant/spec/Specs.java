package dev.luq.requant.spec;

import dev.luq.requant.plan.Budget;
import java.util.Optional;

/** Specifications made of others. */
public final class Specs {

    private Specs() {}

    /** The same, but so many tokens per second within a budget. */
    public static RequantizationSpec at(double speed, RequantizationSpec spec, String budget) {
        return with(spec.source(), Budget.parse(budget), Optional.of(speed), spec.method(), spec.output(), spec);
    }

    /** The same, but of another model. */
    public static RequantizationSpec of(RequantizationSpec.Source source, RequantizationSpec spec) {
        return with(source, spec.budget(), spec.speed(), spec.method(), spec.output(), spec);
    }

    /** The same, but by another method, for another budget and with another report. */
    public static RequantizationSpec by(
            Method method, String budget, RequantizationSpec.Scope report, RequantizationSpec spec) {
        RequantizationSpec.Output output = spec.output();
        return with(
                spec.source(),
                Budget.parse(budget),
                spec.speed(),
                method,
                new RequantizationSpec.Output(output.manifestId(), output.created(), report),
                spec);
    }

    private static RequantizationSpec with(
            RequantizationSpec.Source source,
            Budget budget,
            Optional<Double> speed,
            Method method,
            RequantizationSpec.Output output,
            RequantizationSpec spec) {
        return new RequantizationSpec(
                spec.version(),
                source,
                spec.sets(),
                budget,
                speed,
                method,
                spec.levels(),
                spec.calibration(),
                spec.search(),
                spec.serving(),
                spec.threads(),
                output);
    }
}
