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

/** Calibration passes of a subject, each done once. */
final class Calibrations {

    private static final String VERSION = "1";

    private final Subject subject;
    private final Cache cache;
    private final Threads threads;

    Calibrations(Subject subject, Cache cache, Threads threads) {
        this.subject = subject;
        this.cache = cache;
        this.threads = threads;
    }

    /** The pass that the job's plan is made from. */
    Calibrated main(RequantizationSpec spec, Stretch stretch) {
        RequantizationSpec.Calibration settings = spec.calibration();
        return run(subject.calibration(), settings.examples(), settings.seed(), settings.alpha(), stretch);
    }

    /**
     * A pass.
     *
     * @param set examples
     * @param examples drawn from it by the seed, at most; 0 for all
     * @param seed of drawing and sampling
     * @param alpha of its importance matrix
     */
    Calibrated run(Dataset set, int examples, long seed, double alpha, Stretch stretch) {
        CalibrationOptions defaults = CalibrationOptions.DEFAULT;
        CalibrationOptions options = new CalibrationOptions(examples, defaults.vectors(), EnumSet.allOf(Activation.class),
                defaults.contextSize(), defaults.batchSize(), subject.imageTokens(), threads.graph(), seed,
                defaults.checkpointInterval());
        List<String> facts = List.of("calibration", VERSION, subject.identity(), set.digest(), String.valueOf(examples),
                String.valueOf(seed), options.vectors() + " " + options.activations() + " " + options.contextSize() + " "
                + options.batchSize() + " " + options.imageTokens());
        Path folder = cache.path("calibration", facts, "");
        Calibration calibration = Interruptible.run(stretch::cancelled, () -> Calibrator.run(subject.model().paths(),
                subject.mmproj().map(mmproj -> mmproj.paths().get(0)), set, options, folder,
                (done, of, left) -> stretch.progress((double) done / of)));
        return withAlpha(new Calibrated(Cache.key(facts), calibration, null, seed, alpha), alpha);
    }

    /** The same pass with another share of images; no work. */
    Calibrated withAlpha(Calibrated calibrated, double alpha) {
        return new Calibrated(calibrated.key(), calibrated.calibration(), new Matrix(Cache.key(List.of(calibrated.key(),
                String.valueOf(alpha))), calibrated.calibration().importance(alpha)), calibrated.seed(), alpha);
    }
}
