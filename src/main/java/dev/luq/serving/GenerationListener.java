package dev.luq.serving;

import dev.luq.protocol.WorkerFrame;
import java.time.Duration;

/**
 * Told about generations as they happen; every CDI bean of this type is called, on the thread that delivers the
 * event, so implementations return at once and never throw.
 */
public interface GenerationListener {

    /**
     * A generation was refused before it reached the worker, for example {@code queue_full}, or its client left while the
     * model was loaded for it: {@code cancelled}.
     */
    default void rejected(String modelId, String reason) {}

    /** The first token of a generation came this long after its request had arrived. */
    default void firstToken(String modelId, Duration sinceArrival) {}

    /** A further token (or group of tokens) arrived this long after the previous one. */
    default void nextToken(String modelId, Duration sincePrevious) {}

    /**
     * A generation ended.
     *
     * @param finishReason {@code stop}, {@code length}, {@code tool_calls}, {@code cancelled} or {@code error}
     * @param total since its request had arrived
     * @param accepted null when the generation was not accepted
     * @param finished null unless it ended well
     */
    default void ended(
            String modelId,
            String finishReason,
            Duration total,
            WorkerFrame.Accepted accepted,
            WorkerFrame.Finished finished) {}

    /**
     * A worker process died.
     *
     * @param signal such as {@code SIGKILL}; {@code crash} or {@code exit} without one
     */
    default void workerDied(String modelId, String signal) {}
}
