package dev.luq.serving;

import dev.luq.protocol.PromptInput;
import dev.luq.protocol.PromptInput.Piece;
import dev.luq.protocol.Sampling;
import dev.luq.protocol.ServerFrame;
import dev.luq.protocol.WorkerFrame;
import io.smallrye.mutiny.TimeoutException;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.Executor;
import java.util.function.Supplier;
import org.jboss.logging.Logger;

/**
 * Puts another worker behind a model's route without a request that fails: those that run end where they are, the
 * others are served by the next worker once it has answered a question. A next one that does not serve is given up,
 * and the one before goes on.
 */
final class Swap {

    private static final Logger LOG = Logger.getLogger(Swap.class);

    private static final String QUESTION = "{\"messages\":[{\"role\":\"user\",\"content\":\"Hello\"}]}";
    private static final GenerationListener NO_LISTENER = new GenerationListener() {};

    private final ModelRoute route;
    private final Supplier<SupervisedWorker> next;
    private final Supplier<SupervisedWorker> again;
    private final Duration deadline;
    private final Executor background;

    /**
     * @param next makes the worker that is to serve
     * @param again makes one like the present one, for the case that the next one does not serve
     * @param deadline longest time of a request
     * @param background waits for the requests of a replaced worker
     */
    Swap(
            ModelRoute route,
            Supplier<SupervisedWorker> next,
            Supplier<SupervisedWorker> again,
            Duration deadline,
            Executor background) {
        this.route = route;
        this.next = next;
        this.again = again;
        this.deadline = deadline;
        this.background = background;
    }

    /**
     * Returns when the next worker serves; the one before may still be ending its requests.
     *
     * @throws ModelOperationException.Failed when it does not
     */
    void overlap() throws InterruptedException {
        SupervisedWorker candidate = answering(next.get());
        SupervisedWorker before = route.replace(candidate);
        if (before != null) {
            try {
                background.execute(() -> retire(before));
            } catch (OutOfMemoryError e) { // as the system says that it gives no further thread
                retire(before);
            }
        }
    }

    private void retire(SupervisedWorker worker) {
        try {
            route.retire(worker);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /**
     * The same with never more than one process: requests wait from now on until the next one serves.
     *
     * @throws ModelOperationException.Failed when it does not; the one before does again, if it can
     */
    void pause() throws InterruptedException {
        route.pause();
        SupervisedWorker serving = null;
        try {
            SupervisedWorker before = route.replace(null);
            if (before != null) {
                route.retire(before);
            }
            try {
                serving = answering(next.get());
            } catch (RuntimeException e) {
                LOG.errorf("Model %s: %s The files before are served again", route.modelId(), e.getMessage());
                serving = again(e);
                if (serving != null) {
                    serving.start();
                    serving.awaitReady();
                }
                throw e;
            }
        } finally {
            route.resume(serving);
        }
    }

    /** @return a worker as it was before, not started; null when none can be made */
    private SupervisedWorker again(RuntimeException cause) {
        try {
            return again.get();
        } catch (RuntimeException e) {
            LOG.errorf(e, "Model %s: the files before cannot be served either", route.modelId());
            cause.addSuppressed(e);
            return null;
        }
    }

    private SupervisedWorker answering(SupervisedWorker candidate) throws InterruptedException {
        boolean answers = false;
        try {
            candidate.start();
            if (!candidate.awaitReady()) {
                throw new ModelOperationException.Failed(
                        "The model's new process does not serve: " + candidate.whyNotReady());
            }
            probe(candidate);
            answers = true;
            return candidate;
        } finally {
            if (!answers) {
                candidate.drain();
                candidate.end(System.nanoTime());
            }
        }
    }

    /** A model may load and yet fail on its first token. */
    private void probe(SupervisedWorker candidate) {
        WorkerFrame.ModelInfo info = candidate.info().orElseThrow();
        try {
            if (info.generates()) {
                generate(candidate);
            } else {
                embed(candidate, info.ranks() ? new Piece.Pair("Hello", "Hello") : new Piece.Text("Hello"));
            }
        } catch (WorkerException | TimeoutException e) {
            throw new ModelOperationException.Failed("The model's new process does not answer: " + e.getMessage());
        }
    }

    private void embed(SupervisedWorker candidate, Piece piece) {
        candidate
                .query(
                        new ServerFrame.Embed(
                                "probe-" + UUID.randomUUID(),
                                List.of(new PromptInput.Raw(List.of(piece), null)),
                                List.of(),
                                null,
                                null),
                        NO_LISTENER)
                .await()
                .atMost(deadline.plusSeconds(5));
    }

    private void generate(SupervisedWorker candidate) {
        candidate
                .generate(
                        new ServerFrame.Generate(
                                "probe-" + UUID.randomUUID(),
                                QUESTION,
                                List.of(),
                                Sampling.GREEDY,
                                1,
                                List.of(),
                                -1,
                                false),
                        NO_LISTENER)
                .filter(frame -> frame instanceof WorkerFrame.Finished)
                .collect()
                .last()
                .await()
                .atMost(deadline.plusSeconds(5));
    }
}
