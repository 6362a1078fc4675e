package dev.luq.openai.generation;

import dev.luq.protocol.ServerFrame;
import dev.luq.protocol.WorkerFrame;
import dev.luq.serving.InFlightAnswer;
import dev.luq.serving.ModelWorker;
import io.smallrye.mutiny.Multi;
import java.util.ArrayList;
import java.util.List;

/**
 * A frame of one of a request's choices.
 *
 * @param choice 0 or more
 */
public record ChoiceFrame(int choice, WorkerFrame.OfRequest frame) {

    /**
     * Runs one generation for each choice when subscribed to. Frames of one choice keep their order. The first failure
     * cancels the other choices; cancelling cancels all. They have one deadline.
     *
     * @param choices one or more
     * @param atOnce of these; the others are submitted when those have ended
     * @param answer what they have in common
     */
    static Multi<ChoiceFrame> generate(
            ModelWorker worker, List<ServerFrame.Generate> choices, int atOnce, InFlightAnswer answer) {
        return Multi.createFrom().deferred(() -> merged(worker, choices, atOnce, answer));
    }

    private static Multi<ChoiceFrame> merged(
            ModelWorker worker, List<ServerFrame.Generate> choices, int atOnce, InFlightAnswer answer) {
        List<Multi<ChoiceFrame>> streams = new ArrayList<>(choices.size());
        for (int i = 0; i < choices.size(); i++) {
            int choice = i;
            streams.add(worker.generate(choices.get(i), answer).map(frame -> new ChoiceFrame(choice, frame)));
        }
        return streams.size() == 1
                ? streams.get(0)
                : Multi.createBy()
                        .merging()
                        .withConcurrency(Math.min(streams.size(), atOnce))
                        .streams(streams);
    }
}
