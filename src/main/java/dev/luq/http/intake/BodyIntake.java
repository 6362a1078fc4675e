package dev.luq.http.intake;

import dev.luq.http.ApiConfig;
import dev.luq.http.BodyLimit;
import dev.luq.http.errors.ApiError;
import dev.luq.http.errors.ApiException;
import dev.luq.http.errors.ApiException.Busy;
import dev.luq.http.errors.ApiException.ClientGone;
import dev.luq.http.errors.ApiException.InvalidRequest;
import dev.luq.http.errors.ApiException.Refused;
import dev.luq.http.errors.ApiException.RequestTimeout;
import dev.luq.http.errors.ApiException.RequestTooLarge;
import dev.luq.machine.Processors;
import io.smallrye.mutiny.Uni;
import io.smallrye.mutiny.subscription.UniEmitter;
import io.vertx.core.Context;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.ext.web.RoutingContext;
import jakarta.enterprise.inject.Any;
import jakarta.enterprise.inject.Instance;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;

/**
 * Takes the bodies of all requests to resources: as they come, on the event loops, so that a slow one holds no thread; a
 * resource is called when its body is complete. Refused before that: bodies that are announced or become too large, come
 * too slowly, or find no memory. When memory is short, a body that does not come on gives way to one that does.
 */
@Singleton
public final class BodyIntake {

    /** Parsing less than this is no work that others would notice. */
    private static final int SMALL_BODY = 1 << 20;
    /** A body that was silent for so long gives way, and so does one that has been coming for so long. */
    private static final long SILENCE_NANOS = TimeUnit.SECONDS.toNanos(1);
    private static final long SLOWNESS_NANOS = TimeUnit.SECONDS.toNanos(10);

    private final IntakeBudget budget;
    private final Pace pace;
    private final Instance<BodyLimit> limits;
    private final Instance<OwnBody> ownBodies;
    private final ParseTurns turns = new ParseTurns(Processors.available());
    private final Set<InMemory> arriving = ConcurrentHashMap.newKeySet();

    @Inject
    BodyIntake(ApiConfig config, IntakeBudget budget, @Any Instance<BodyLimit> limits, @Any Instance<OwnBody> ownBodies) {
        this.budget = budget;
        this.pace = new Pace(config.bodyDeadline(), config.minBodyRate(), config.bodyRateWindow());
        this.limits = limits;
        this.ownBodies = ownBodies;
    }

    /** A resource that takes its body itself, with {@link #toFile}; every bean of this type counts. */
    public interface OwnBody {

        /**
         * @param path normalised path of a request
         * @param contentType its media type, or null
         */
        boolean covers(String path, String contentType);
    }

    /**
     * Takes the body of a request. Called on its event loop.
     *
     * @return fails with what the client is to be told
     */
    Uni<ReceivedBody> receive(RoutingContext routing) {
        HttpServerRequest request = routing.request();
        String path = routing.normalizedPath();
        if (request.isEnded() || !UnreadBody.announced(request)
                || ownBodies.stream().anyMatch(own -> own.covers(path, request.getHeader("Content-Type")))) {
            return Uni.createFrom().item(ReceivedBody.of(routing));
        }
        try {
            long limit = limits.stream().filter(other -> other.covers(path)).mapToLong(BodyLimit::bytes).findFirst()
                    .orElse(budget.largestBody());
            long length = announcedLength(request, limit).orElse(0);
            return Uni.createFrom().emitter(emitter -> new InMemory(routing, limit, length, emitter).begin());
        } catch (ApiException refused) {
            return Uni.createFrom().failure(refused);
        }
    }

    /** @throws ApiException when the head alone tells that the body cannot be taken */
    private static OptionalLong announcedLength(HttpServerRequest request, long limit) {
        String encoding = request.getHeader("Content-Encoding");
        if (encoding != null && !encoding.equalsIgnoreCase("identity")) {
            throw new Refused(ApiError.of(415, "unsupported_media_type",
                    "Send the body as it is, without Content-Encoding"));
        }
        String length = request.getHeader("Content-Length");
        if (length == null) {
            return OptionalLong.empty();
        }
        if (!length.chars().allMatch(c -> c >= '0' && c <= '9')) {
            throw new InvalidRequest("Content-Length", "Content-Length must be a number of bytes");
        }
        // What is longer than 18 digits is too large without looking further.
        if (length.length() > 18 || Long.parseLong(length) > limit) {
            throw new RequestTooLarge(limit);
        }
        return OptionalLong.of(Long.parseLong(length));
    }

    /**
     * Writes a request's body to a file as it comes.
     *
     * @param routing of a request that an {@link OwnBody} covers
     * @param file made by this; not forced to the disk
     * @param limit bytes at most
     * @param deadline for the whole body
     * @return fails with what the client is to be told, or with an IOException of the disk
     */
    public Uni<Void> toFile(RoutingContext routing, Path file, long limit, Duration deadline) {
        Context context = Vertx.currentContext();
        return Uni.createFrom().emitter(emitter -> {
            HttpServerRequest request = routing.request();
            try {
                announcedLength(request, limit);
            } catch (ApiException refused) {
                emitter.fail(refused);
                return;
            }
            FileSink sink = new FileSink(context, file, emitter);
            sink.open(new Arrival(request, context, limit, new Pace(deadline, pace.minRate(), pace.window()), sink));
        });
    }

    /** One body that is collected in memory. */
    private final class InMemory implements Arrival.Sink {
        private final RoutingContext routing;
        private final Context context = Vertx.currentContext();
        private final IntakeBudget.Share share = budget.reserve(0);
        private final ReceivedBody body;
        private final Arrival arrival;
        private final UniEmitter<? super ReceivedBody> whenDone;

        InMemory(RoutingContext routing, long limit, long length, UniEmitter<? super ReceivedBody> whenDone) {
            this.routing = routing;
            this.whenDone = whenDone;
            this.body = new ReceivedBody(share, length);
            this.arrival = new Arrival(routing.request(), context, limit, pace, this);
        }

        void begin() {
            body.putOn(routing);
            routing.addEndHandler(end -> {
                body.close();
                // Matters to one that waits for its turn.
                whenDone.fail(new ClientGone());
            });
            arriving.add(this);
            arrival.begin();
        }

        @Override
        public void take(Buffer bytes) {
            long before = body.size();
            makingRoom(() -> body.append(bytes, (int) (body.size() - before)));
        }

        @Override
        public void complete() {
            if (!arriving.remove(this)) {
                failed(gaveWay());
                return;
            }
            try {
                makingRoom(body::chargeParsing);
            } catch (ApiException refused) {
                failed(refused);
                return;
            }
            if (body.size() < SMALL_BODY) {
                whenDone.complete(body);
            } else {
                ParseTurns.Turn turn = turns.take(() -> context.runOnContext(begun -> whenDone.complete(body)));
                body.whenParsed(turn::end);
            }
        }

        @Override
        public void failed(Throwable failure) {
            arriving.remove(this);
            body.close();
            whenDone.fail(failure);
        }

        /** @throws Busy when there is no room, also not without those that give way */
        private void makingRoom(Runnable charge) {
            while (true) {
                try {
                    charge.run();
                    return;
                } catch (Busy busy) {
                    Optional<InMemory> slow = arriving.stream().filter(other -> other != this && other.isSlow())
                            .max(Comparator.comparingLong(other -> other.share.held()));
                    if (slow.isEmpty()) {
                        throw busy;
                    }
                    slow.get().giveWay();
                }
            }
        }

        private boolean isSlow() {
            return arrival.idleNanos() > SILENCE_NANOS || arrival.nanos() > SLOWNESS_NANOS;
        }

        /** Called by another one, on its thread. */
        private void giveWay() {
            // Who has come to its end just now keeps what it has.
            if (arriving.remove(this)) {
                share.close();
                arrival.fail(gaveWay());
            }
        }

        private static RequestTimeout gaveWay() {
            return new RequestTimeout("The request body came too slowly while others needed the memory");
        }
    }
}
