package dev.luq.http.intake;

import dev.luq.http.ApiConfig;
import dev.luq.http.BodyLimit;
import dev.luq.http.access.Caller;
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
 * too slowly, or find no memory. When memory is short, a body that comes slowly is evicted for one that does not, unless
 * the client of that one holds more.
 */
@Singleton
public final class BodyIntake {

    /** Parsing less than this is no work that others would notice. */
    private static final int SMALL_BODY = 1 << 20;
    /** A body may be evicted when nothing of it came for so long, or when it has been coming for so long. */
    private static final long SILENCE_NANOS = TimeUnit.SECONDS.toNanos(1);

    private static final long SLOWNESS_NANOS = TimeUnit.SECONDS.toNanos(10);

    private final IntakeBudget budget;
    private final BodyRate rate;
    private final Instance<BodyLimit> limits;
    private final Instance<OwnBody> ownBodies;
    private final ParseLimiter parsing = new ParseLimiter(Processors.available());
    private final Set<InMemory> incomingBodies = ConcurrentHashMap.newKeySet();

    @Inject
    BodyIntake(
            ApiConfig config, IntakeBudget budget, @Any Instance<BodyLimit> limits, @Any Instance<OwnBody> ownBodies) {
        this.budget = budget;
        this.rate = new BodyRate(config.bodyDeadline(), config.minBodyRate(), config.bodyRateWindow());
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
        if (request.isEnded()
                || !UnreadBody.announced(request)
                || ownBodies.stream().anyMatch(own -> own.covers(path, request.getHeader("Content-Type")))) {
            return Uni.createFrom().item(ReceivedBody.of(routing));
        }
        try {
            long limit = limits.stream()
                    .filter(other -> other.covers(path))
                    .mapToLong(BodyLimit::bytes)
                    .findFirst()
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
            throw new Refused(
                    ApiError.of(415, "unsupported_media_type", "Send the body as it is, without Content-Encoding"));
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
            sink.open(new IncomingBody(
                    request, context, limit, new BodyRate(deadline, rate.minRate(), rate.window()), sink));
        });
    }

    /** One body that is collected in memory. */
    private final class InMemory implements IncomingBody.Sink {
        private final RoutingContext routing;
        private final Context context = Vertx.currentContext();
        private final IntakeBudget.Share share;
        private final ReceivedBody body;
        private final IncomingBody incoming;
        private final UniEmitter<? super ReceivedBody> whenDone;

        InMemory(RoutingContext routing, long limit, long length, UniEmitter<? super ReceivedBody> whenDone) {
            this.routing = routing;
            this.whenDone = whenDone;
            this.share = budget.reserve(Caller.clientOf(routing), 0);
            this.body = new ReceivedBody(share, length);
            this.incoming = new IncomingBody(routing.request(), context, limit, rate, this);
        }

        void begin() {
            body.putOn(routing);
            routing.addEndHandler(end -> {
                body.close();
                // Matters to one that waits to be parsed.
                whenDone.fail(new ClientGone());
            });
            incomingBodies.add(this);
            incoming.begin();
        }

        @Override
        public void take(Buffer bytes) {
            long before = body.size();
            evictingSlow(() -> body.append(bytes, (int) (body.size() - before)));
        }

        @Override
        public void complete() {
            if (!incomingBodies.remove(this)) {
                failed(evicted());
                return;
            }
            try {
                evictingSlow(body::chargeParsing);
            } catch (ApiException refused) {
                failed(refused);
                return;
            }
            if (body.size() < SMALL_BODY) {
                whenDone.complete(body);
            } else {
                ParseLimiter.Permit permit = parsing.take(() -> context.runOnContext(begun -> whenDone.complete(body)));
                body.whenParsed(permit::end);
            }
        }

        @Override
        public void failed(Throwable failure) {
            incomingBodies.remove(this);
            body.close();
            whenDone.fail(failure);
        }

        /** @throws Busy when there is no room, even with slow bodies evicted that are its client's or of one that holds more */
        private void evictingSlow(Runnable charge) {
            while (true) {
                try {
                    charge.run();
                    return;
                } catch (Busy busy) {
                    Optional<InMemory> slow = incomingBodies.stream()
                            .filter(other -> other != this && other.isSlow() && holdsNoLess(other.share.client()))
                            .max(Comparator.comparingLong(other -> other.share.held()));
                    if (slow.isEmpty()) {
                        throw busy;
                    }
                    slow.get().evict();
                }
            }
        }

        /** Than the client of this body holds beside it. */
        private boolean holdsNoLess(String client) {
            return budget.heldBy(client) >= budget.heldBy(share.client()) - share.held();
        }

        private boolean isSlow() {
            return incoming.idleNanos() > SILENCE_NANOS || incoming.nanos() > SLOWNESS_NANOS;
        }

        /** Called by another one, on its thread. */
        private void evict() {
            // Who has come to its end just now keeps what it has.
            if (incomingBodies.remove(this)) {
                share.close();
                incoming.fail(evicted());
            }
        }

        private static RequestTimeout evicted() {
            return new RequestTimeout("The request body came too slowly while others needed the memory");
        }
    }
}
