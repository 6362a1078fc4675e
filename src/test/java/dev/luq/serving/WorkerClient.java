package dev.luq.serving;

import static dev.luq.Until.until;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.luq.protocol.Sampling;
import dev.luq.protocol.ServerFrame;
import dev.luq.protocol.WorkerFrame;
import io.smallrye.mutiny.helpers.test.AssertSubscriber;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/** Requests to a worker, and its answers. */
public final class WorkerClient {

    private static final AtomicInteger IDS = new AtomicInteger();

    private WorkerClient() {}

    public static void ready(ModelWorker worker) {
        until("the model to be ready", () -> {
            assertTrue(worker.failure().isEmpty(), () -> worker.failure().get());
            return worker.state() == ModelWorker.State.READY;
        });
    }

    public static ServerFrame.Generate request(String chat, int maxTokens, ServerFrame.Image... images) {
        return new ServerFrame.Generate(
                "r" + IDS.incrementAndGet(), chat, List.of(images), Sampling.GREEDY, maxTokens, List.of(), -1, true);
    }

    public static AssertSubscriber<WorkerFrame.OfRequest> run(ModelWorker worker, ServerFrame.Generate request) {
        AssertSubscriber<WorkerFrame.OfRequest> subscriber = AssertSubscriber.create(Long.MAX_VALUE);
        worker.generate(request).subscribe().withSubscriber(subscriber);
        return subscriber;
    }

    /** @return the text of the whole answer */
    public static String answer(AssertSubscriber<WorkerFrame.OfRequest> answer) {
        until("the end of the answer", () -> ended(answer));
        return text(answer.assertCompleted());
    }

    /** @return the text that has arrived so far */
    public static String text(AssertSubscriber<WorkerFrame.OfRequest> answer) {
        StringBuilder text = new StringBuilder();
        for (WorkerFrame.OfRequest item : List.copyOf(answer.getItems())) {
            if (item instanceof WorkerFrame.Delta delta && delta.content() != null) {
                text.append(delta.content());
            }
        }
        return text.toString();
    }

    public static <T extends WorkerException> T failure(Class<T> type, AssertSubscriber<WorkerFrame.OfRequest> answer) {
        until("the failure of the answer", () -> ended(answer));
        return assertInstanceOf(type, answer.getFailure());
    }

    private static boolean ended(AssertSubscriber<WorkerFrame.OfRequest> answer) {
        return answer.hasCompleted() || answer.getFailure() != null;
    }
}
