package dev.luq.requant.calibrate;

/** Why a model cannot be calibrated with a set. Messages are for people and name no path. */
public abstract sealed class CalibrationException extends RuntimeException {

    private CalibrationException(String message, Throwable cause) {
        super(message, cause);
    }

    /** The set has nothing that this model could be calibrated with. */
    public static final class UnusableSet extends CalibrationException {
        UnusableSet(String message) {
            super(message, null);
        }
    }

    /** The model computes nonsense, or is of a kind that is not understood. */
    public static final class UnusableModel extends CalibrationException {
        UnusableModel(String message) {
            super(message, null);
        }
    }

    /** A folder of a pass is not complete or was changed. */
    public static final class Damaged extends CalibrationException {
        Damaged(String message, Throwable cause) {
            super(message, cause);
        }
    }
}
