package dev.luq.serving;

/** Why a model was not loaded, unloaded or swapped. Messages are for people: no path. */
public abstract sealed class ModelOperationException extends RuntimeException {

    private ModelOperationException(String message) {
        super(message);
    }

    /** Something else is being done with this model. Worth a retry. */
    public static final class InProgress extends ModelOperationException {
        public InProgress(String modelId) {
            super("The model " + modelId + " is being loaded, unloaded or swapped already");
        }
    }

    /** The new process does not serve; whoever served before goes on, unless the message says otherwise. */
    public static final class Failed extends ModelOperationException {
        Failed(String message) {
            super(message);
        }
    }

    /** There is not enough memory for it. */
    public static final class DoesNotFit extends ModelOperationException {
        DoesNotFit(String message) {
            super(message);
        }
    }

    /** It takes longer than a call may wait; it goes on. */
    public static final class Late extends ModelOperationException {
        Late(String message) {
            super(message);
        }
    }

    /** The server stops. */
    public static final class Stopping extends ModelOperationException {
        public Stopping() {
            super("The server is stopping");
        }
    }
}
