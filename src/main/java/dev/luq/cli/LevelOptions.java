package dev.luq.cli;

import dev.luq.requant.plan.Precision;
import dev.luq.requant.spec.RequantizationSpec.Levels;
import dev.luq.requant.spec.SpecException;
import picocli.CommandLine.Option;

/** The precisions of a two-level plan. */
final class LevelOptions {

    @Option(
            names = "--low",
            paramLabel = "TYPE",
            defaultValue = "IQ1_M",
            description = "Precision of the low layers (default: ${DEFAULT-VALUE}).")
    private Precision low;

    @Option(
            names = "--high",
            paramLabel = "TYPE",
            defaultValue = "Q4_K_M",
            description = "Precision of the rest (default: ${DEFAULT-VALUE}).")
    private Precision high;

    @Option(
            names = "--mmproj-type",
            paramLabel = "TYPE",
            defaultValue = "F16",
            description =
                    "The projector: F16 as it is, or Q8_0 (default: ${DEFAULT-VALUE}). A budget for everything may choose"
                            + " Q8_0 by itself.")
    private Precision projector;

    /** @throws SpecException.Invalid when there is no plan of these */
    Levels levels() {
        return new Levels(low, high, projector);
    }
}
