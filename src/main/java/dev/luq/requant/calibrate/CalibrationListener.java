package dev.luq.requant.calibrate;

import java.time.Duration;

/** Hears how far a pass is; called on its thread. */
@FunctionalInterface
public interface CalibrationListener {

    /**
     * @param done examples
     * @param of examples in all
     * @param left time until the end, by the pace so far of this run
     */
    void examples(int done, int of, Duration left);
}
