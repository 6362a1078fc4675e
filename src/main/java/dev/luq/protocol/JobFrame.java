package dev.luq.protocol;

import com.fasterxml.jackson.annotation.JsonSubTypes;
import com.fasterxml.jackson.annotation.JsonTypeInfo;
import dev.luq.requant.spec.Phase;

/**
 * What the process of a job sends to the server, framed as in {@link dev.luq.protocol.Frames}:
 * {@code (begun | progress | note)* (done | cancelled | failed)}. The server sends nothing: the end of the process's
 * input asks it to stop.
 */
@JsonTypeInfo(use = JsonTypeInfo.Id.NAME, property = "type")
@JsonSubTypes({
    @JsonSubTypes.Type(value = JobFrame.Begun.class, name = "begun"),
    @JsonSubTypes.Type(value = JobFrame.Progress.class, name = "progress"),
    @JsonSubTypes.Type(value = JobFrame.Note.class, name = "note"),
    @JsonSubTypes.Type(value = JobFrame.Done.class, name = "done"),
    @JsonSubTypes.Type(value = JobFrame.Cancelled.class, name = "cancelled"),
    @JsonSubTypes.Type(value = JobFrame.Failed.class, name = "failed")
})
public sealed interface JobFrame {

    /** A phase begins. */
    record Begun(Phase phase) implements JobFrame {}

    /**
     * @param share of the whole job, 0..1
     * @param secondsLeft null when nothing is known yet
     */
    record Progress(double share, Long secondsLeft) implements JobFrame {}

    /** What is being done, for people. */
    record Note(String message) implements JobFrame {}

    /** The result is published. */
    record Done() implements JobFrame {}

    /** The job stopped because it was asked to. */
    record Cancelled() implements JobFrame {}

    /** The job cannot go on. The message is for people and names no path. */
    record Failed(String message) implements JobFrame {}
}
