package dev.luq.openai.generation;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.core.JsonGenerator;
import dev.luq.protocol.WorkerFrame.Accepted;
import dev.luq.protocol.WorkerFrame.Delta;
import dev.luq.protocol.WorkerFrame.Finished;
import dev.luq.protocol.WorkerFrame.Phase;
import dev.luq.protocol.WorkerFrame.Progress;
import io.quarkus.runtime.annotations.RegisterForReflection;
import java.io.IOException;
import java.util.List;
import org.eclipse.microprofile.openapi.annotations.media.Schema;

/**
 * What a stream tells beside its answer when it is asked to, in llama-server's words: {@code timings} so far with each
 * event, and {@code prompt_progress} before the first token. Times are those that the server sees, until the worker says
 * what it measured. Not thread-safe.
 */
public final class StreamReports {

    private static final double NANOS_PER_MILLI = 1e6;

    /**
     * How far a prompt is.
     *
     * @param total its tokens
     * @param cached of these, those that the cache held
     * @param processed of these, those that are done, cached ones included
     */
    @RegisterForReflection
    @Schema(name = "PromptProgress")
    public record PromptProgress(
            @JsonProperty("total") int total,
            @JsonProperty("cache") int cached,
            @JsonProperty("processed") int processed,
            @JsonProperty("time_ms") double millis) {}

    /** One choice until its end. */
    private static final class Choice {
        /** When its prompt began to be evaluated, {@link System#nanoTime()}. */
        private long began = System.nanoTime();

        private boolean reported;
        private Accepted accepted;
        private long acceptedAt;
        private ChoiceTimings timings;
    }

    private final boolean withTimings;
    private final boolean withProgress;
    private final Choice[] choices;

    public StreamReports(ValidRequest request) {
        withTimings = request.timingsPerToken();
        withProgress = request.promptProgress();
        choices = new Choice[request.choices()];
        for (int i = 0; i < choices.length; i++) {
            choices[i] = new Choice();
        }
    }

    /** Whether every event has timings. */
    public boolean withTimings() {
        return withTimings;
    }

    /** The frame with which the evaluation of a choice's prompt ended; null before it. */
    public Accepted accepted(int choice) {
        return choices[choice].accepted;
    }

    /**
     * Takes the next frame, before its events are written.
     *
     * @return what it says of its prompt, in order: of one that is evaluated before anything was said of it, where it began
     *     and that it is done. Empty unless it is asked for
     */
    public List<PromptProgress> take(ChoiceFrame frame) {
        Choice choice = choices[frame.choice()];
        if (frame.frame() instanceof Progress progress && progress.phase() == Phase.QUEUED) {
            choice.began = System.nanoTime();
        } else if (frame.frame() instanceof Accepted accepted) {
            choice.accepted = accepted;
            choice.acceptedAt = System.nanoTime();
        } else if (withTimings && frame.frame() instanceof Delta delta) {
            choice.timings = ChoiceTimings.soFar(
                    choice.accepted,
                    (choice.acceptedAt - choice.began) / NANOS_PER_MILLI,
                    delta.tokens(),
                    (System.nanoTime() - choice.acceptedAt) / NANOS_PER_MILLI);
        } else if (withTimings && frame.frame() instanceof Finished finished) {
            choice.timings = ChoiceTimings.of(choice.accepted, finished);
        }
        return withProgress ? progress(choice, frame) : List.of();
    }

    private static List<PromptProgress> progress(Choice choice, ChoiceFrame frame) {
        if (frame.frame() instanceof Progress progress && progress.phase() == Phase.PROMPT) {
            PromptProgress begins = first(choice, progress.promptTokens(), progress.cachedTokens());
            PromptProgress now = new PromptProgress(
                    progress.promptTokens(), progress.cachedTokens(), progress.evaluatedTokens(), sinceBegan(choice));
            return begins == null ? List.of(now) : List.of(begins, now);
        }
        if (frame.frame() instanceof Accepted accepted) {
            PromptProgress begins = first(choice, accepted.promptTokens(), accepted.cachedTokens());
            PromptProgress done = new PromptProgress(
                    accepted.promptTokens(), accepted.cachedTokens(), accepted.promptTokens(), sinceBegan(choice));
            return begins == null ? List.of(done) : List.of(begins, done);
        }
        return List.of();
    }

    private static PromptProgress first(Choice choice, int total, int cached) {
        if (choice.reported) {
            return null;
        }
        choice.reported = true;
        return new PromptProgress(total, cached, cached, 0);
    }

    private static double sinceBegan(Choice choice) {
        return (System.nanoTime() - choice.began) / NANOS_PER_MILLI;
    }

    /** Writes the fields of an event that says how far a prompt is. */
    public void write(JsonGenerator json, PromptProgress progress) throws IOException {
        json.writeObjectField("prompt_progress", progress);
        if (withTimings) {
            json.writeObjectField("timings", ChoiceTimings.ofPrompt(progress));
        }
    }

    /** Writes the field {@code timings} of an event, where it is asked for and the choice has begun to answer. */
    public void writeTimings(JsonGenerator json, int choice) throws IOException {
        if (withTimings && choices[choice].timings != null) {
            json.writeObjectField("timings", choices[choice].timings);
        }
    }
}
