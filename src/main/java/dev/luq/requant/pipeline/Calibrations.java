package dev.luq.requant.pipeline;

import dev.luq.requant.calibrate.Activation;
import dev.luq.requant.calibrate.Calibration;
import dev.luq.requant.calibrate.CalibrationOptions;
import dev.luq.requant.calibrate.Calibrator;
import dev.luq.requant.data.Dataset;
import dev.luq.requant.spec.RequantizationSpec;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.List;

/** Calibration passes over the base model, each done once. */
final class Calibrations {

    private static final String VERSION = "2";

    private final JobInputs inputs;
    private final Cache cache;
    private final Threads threads;

    Calibrations(JobInputs inputs, Cache cache, Threads threads) {
        this.inputs = inputs;
        this.cache = cache;
        this.threads = threads;
    }

    /** The pass that the job's plan is made from. */
    CalibrationRun main(RequantizationSpec spec, JobProgress progress) {
        RequantizationSpec.Calibration settings = spec.calibration();
        return run(inputs.calibration(), settings.examples(), settings.seed(), settings.alpha(), progress);
    }

    /**
     * A pass.
     *
     * @param set examples
     * @param examples drawn from it by the seed, at most; 0 for all
     * @param seed of drawing and sampling
     * @param alpha of its importance matrix
     */
    CalibrationRun run(Dataset set, int examples, long seed, double alpha, JobProgress progress) {
        CalibrationOptions defaults = CalibrationOptions.DEFAULT;
        CalibrationOptions options = new CalibrationOptions(
                examples,
                defaults.vectors(),
                EnumSet.allOf(Activation.class),
                defaults.contextSize(),
                defaults.batchSize(),
                inputs.imageTokens(),
                inputs.chatTemplate(),
                threads.alone(),
                seed,
                defaults.checkpointInterval());
        List<String> facts = List.of(
                "calibration",
                VERSION,
                inputs.identity(),
                set.digest(),
                String.valueOf(examples),
                String.valueOf(seed),
                options.vectors() + " " + options.activations() + " " + options.contextSize() + " "
                        + options.batchSize() + " " + options.imageTokens());
        Path folder = cache.path("calibration", facts, "");
        Calibration calibration = Cancellable.run(
                progress::cancelled,
                () -> Calibrator.run(
                        inputs.model().paths(),
                        inputs.mmproj().map(mmproj -> mmproj.paths().get(0)),
                        inputs.identity(),
                        set,
                        options,
                        folder,
                        (done, of) -> progress.report((double) done / of)));
        return CalibrationRun.of(Cache.key(facts), calibration, seed, alpha);
    }
}
