package dev.luq.serving;

import dev.luq.protocol.WorkerFrame;
import java.time.Duration;
import java.util.OptionalInt;

/** Why a generation did not take place or did not end. Messages are for clients: no path, no address. */
public abstract sealed class WorkerException extends RuntimeException {

    private WorkerException(String message) {
        super(message);
    }

    /** The model is loading for the first time, or its process is being restarted. Worth a retry. */
    public static final class NotReady extends WorkerException {
        private final ModelWorker.State state;

        public NotReady(ModelWorker.State state, String message) {
            super(message);
            this.state = state;
        }

        static NotReady stopping() {
            return new NotReady(ModelWorker.State.DRAINING, "The server is stopping");
        }

        public ModelWorker.State state() {
            return state;
        }
    }

    /** All permits of the model are taken. Worth a retry. */
    public static final class QueueFull extends WorkerException {
        public QueueFull(String message) {
            super(message);
        }
    }

    /** The process died while it worked on this request. */
    public static final class Died extends WorkerException {
        public Died(String message) {
            super(message);
        }
    }

    /** The request took longer than it may. */
    public static final class DeadlineExceeded extends WorkerException {
        public DeadlineExceeded(String message) {
            super(message);
        }

        static DeadlineExceeded after(Duration deadline) {
            return new DeadlineExceeded("The request took longer than " + deadline.toSeconds() + " seconds");
        }
    }

    /** This input killed a worker that worked on nothing else. */
    public static final class Quarantined extends WorkerException {
        public Quarantined(String message) {
            super(message);
        }
    }

    /** The stream was not read fast enough. */
    public static final class SlowReader extends WorkerException {
        public SlowReader(String message) {
            super(message);
        }
    }

    /** The worker refused the request or failed on it. */
    public static final class Rejected extends WorkerException {
        private final String code;
        private final String param;
        private final WorkerFrame.Overflow overflow;

        /** What a worker said. */
        public Rejected(WorkerFrame.Failed failed) {
            this(failed.code(), failed.message(), failed.param(), failed.overflow());
        }

        /**
         * @param code as in {@link dev.luq.protocol.WorkerFrame.Failed}
         * @param param the request field at fault, or null
         */
        public Rejected(String code, String message, String param) {
            this(code, message, param, null);
        }

        private Rejected(String code, String message, String param, WorkerFrame.Overflow overflow) {
            super(message);
            this.code = code;
            this.param = param;
            this.overflow = overflow;
        }

        public String code() {
            return code;
        }

        public String param() {
            return param;
        }

        /** Tokens of a prompt that is too long, or as many as were counted; empty for any other failure. */
        public OptionalInt promptTokens() {
            return overflow == null ? OptionalInt.empty() : OptionalInt.of(overflow.promptTokens());
        }

        /** Tokens of the context that it is too long for; empty for any other failure. */
        public OptionalInt contextSize() {
            return overflow == null ? OptionalInt.empty() : OptionalInt.of(overflow.contextSize());
        }
    }
}
