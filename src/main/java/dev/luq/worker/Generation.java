package dev.luq.worker;

import dev.luq.worker.protocol.ServerFrame;
import dev.luq.worker.protocol.WorkerFrame;
import io.smallrye.mutiny.subscription.MultiEmitter;
import java.time.Duration;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A generation that asks for or holds a permit. The times of its tokens belong to the worker's reading thread, the
 * deadline to the lock of its {@link SupervisedWorker}.
 */
final class Generation {

    final ServerFrame.Generate request;
    final MultiEmitter<? super WorkerFrame.OfRequest> stream;
    final String contentKey;
    final long imageBytes;

    /** Pieces given to the stream that its reader has not taken yet. */
    final AtomicInteger unread;

    private final long submitted = System.nanoTime();
    private long lastToken;
    private volatile WorkerFrame.Accepted accepted;
    private Future<?> deadline;

    Generation(ServerFrame.Generate request, MultiEmitter<? super WorkerFrame.OfRequest> stream, AtomicInteger unread) {
        this.request = request;
        this.stream = stream;
        this.unread = unread;
        this.contentKey = Quarantine.key(request);
        this.imageBytes = request.images().stream().mapToLong(image -> image.rgb().length).sum();
    }

    String id() {
        return request.id();
    }

    void deadline(Future<?> timer) {
        deadline = timer;
    }

    void stopDeadline() {
        deadline.cancel(false);
    }

    void accepted(WorkerFrame.Accepted frame) {
        accepted = frame;
    }

    /** @return null until it was accepted */
    WorkerFrame.Accepted accepted() {
        return accepted;
    }

    /** Tells the listener about a token that arrived now. */
    void token(String modelId, GenerationListener listener) {
        long now = System.nanoTime();
        if (lastToken == 0) {
            listener.firstToken(modelId, Duration.ofNanos(now - submitted));
        } else {
            listener.nextToken(modelId, Duration.ofNanos(now - lastToken));
        }
        lastToken = now;
    }

    Duration age() {
        return Duration.ofNanos(System.nanoTime() - submitted);
    }
}
