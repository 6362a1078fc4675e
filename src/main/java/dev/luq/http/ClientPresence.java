package dev.luq.http;

import dev.luq.http.errors.ApiException.ClientGone;
import io.smallrye.mutiny.Uni;
import io.vertx.ext.web.RoutingContext;
import java.util.concurrent.CompletableFuture;

/**
 * Whether the client of a request is still there: its connection is open and, over HTTP/2, its stream not reset.
 * Watched from the first moment on, so that no client leaves unnoticed while its request is read, decoded or queued.
 * Lives and ends with the request; thread-safe.
 */
public final class ClientPresence {

    private static final String KEY = "luq.client-presence";

    private final CompletableFuture<Void> gone = new CompletableFuture<>();

    private ClientPresence() {}

    /** Begins to watch. Called on the request's event loop, where a connection cannot end in between. */
    static void watch(RoutingContext routing) {
        // A rerouted request comes by twice.
        if (routing.get(KEY) != null) {
            return;
        }
        ClientPresence presence = new ClientPresence();
        routing.put(KEY, presence);
        routing.addEndHandler(end -> {
            if (end.failed()) {
                // One event later: by then the framework has cancelled what it waits for, and need not be told of a
                // failure.
                routing.vertx().runOnContext(turn -> presence.gone.complete(null));
            }
        });
    }

    /** The client of a request that came through {@link HttpRoutes}. */
    public static ClientPresence of(RoutingContext routing) {
        return routing.get(KEY);
    }

    /**
     * @param action run once when the client leaves, on the request's event loop; at once, on this thread, when it has
     *        left already; never when it stays until it is answered
     */
    public void whenGone(Runnable action) {
        gone.thenRun(action);
    }

    /** @return work that is cancelled when the client leaves, and fails with {@link ClientGone} then */
    public <T> Uni<T> whileThere(Uni<T> work) {
        Uni<Void> leaving = Uni.createFrom().emitter(emitter -> whenGone(() -> emitter.complete(null)));
        return Uni.combine().any().of(work, leaving.onItem().transformToUni(left -> Uni.createFrom()
                .failure(new ClientGone())));
    }
}
