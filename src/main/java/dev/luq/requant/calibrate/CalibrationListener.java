package dev.luq.requant.calibrate;

/** Hears how far a pass is; called on its thread. */
@FunctionalInterface
public interface CalibrationListener {

    /**
     * @param done examples
     * @param of examples in all
     */
    void examples(int done, int of);
}
