package dev.luq.serving;

import dev.luq.files.Units;
import dev.luq.protocol.WorkerFrame;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.function.Predicate;

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

    /** The model takes more memory than others that stay loaded leave it. */
    public static final class DoesNotFit extends WorkerException {
        private final String said;
        private final Map<String, Long> pinned;

        private DoesNotFit(String said, Map<String, Long> pinned, String message) {
            super(message);
            this.said = said;
            this.pinned = pinned;
        }

        /**
         * Names no other model.
         *
         * @param bytes that the model takes
         * @param limit bytes that all models may take together
         * @param pinned ids and bytes of the models that stay loaded
         */
        static DoesNotFit of(String modelId, long bytes, long limit, Map<String, Long> pinned) {
            String said = "The model " + modelId + " needs " + mib(bytes)
                    + " of memory, and all models together may take " + mib(limit);
            long taken = pinned.values().stream().mapToLong(Long::longValue).sum();
            return new DoesNotFit(
                    said, pinned, said + (taken == 0 ? "" : "; models that stay loaded take " + mib(taken)));
        }

        /**
         * The same that names models.
         *
         * @param known whether the client may know of the model with this id
         */
        public DoesNotFit naming(Predicate<String> known) {
            List<String> named = pinned.entrySet().stream()
                    .filter(model -> known.test(model.getKey()))
                    .map(model -> model.getKey() + " (" + mib(model.getValue()) + ")")
                    .toList();
            return named.isEmpty()
                    ? this
                    : new DoesNotFit(
                            said,
                            pinned,
                            said + "; of those that stay loaded, some would have to be unloaded or not be pinned: "
                                    + String.join(", ", named));
        }

        private static String mib(long bytes) {
            return (long) Math.ceil(bytes / Units.MIB) + " MiB";
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
