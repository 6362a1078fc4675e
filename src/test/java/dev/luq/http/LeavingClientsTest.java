package dev.luq.http;

import static dev.luq.Until.reached;
import static dev.luq.Until.until;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.luq.Integration;
import dev.luq.images.Tricks;
import dev.luq.openai.RawClient;
import dev.luq.openai.ScriptedApi;
import dev.luq.openai.ScriptedProfile;
import dev.luq.openai.ScriptedWorkers;
import dev.luq.openai.images.TestImages;
import dev.luq.protocol.WorkerFrame.OfRequest;
import io.quarkus.arc.Arc;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import io.quarkus.vertx.http.runtime.CurrentVertxRequest;
import io.smallrye.mutiny.Multi;
import io.vertx.core.http.HttpServerResponse;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;
import java.util.logging.Handler;
import java.util.logging.Logger;
import org.jboss.logmanager.ExtHandler;
import org.jboss.logmanager.ExtLogRecord;
import org.jboss.logmanager.Level;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a client that goes away leaves behind: nothing. */
@Integration
@QuarkusTest
@TestProfile(ScriptedProfile.class)
class LeavingClientsTest extends ScriptedApi {

    /** Generations that give some frames and then wait for ever. */
    private static final class Unfinished {
        final AtomicLong open = new AtomicLong();
        final CountDownLatch waiting;
        final CountDownLatch cancelled;

        Unfinished(int generations) {
            waiting = new CountDownLatch(generations);
            cancelled = new CountDownLatch(generations);
        }

        Multi<OfRequest> after(OfRequest... frames) {
            return Multi.createBy()
                    .concatenating()
                    .streams(
                            Multi.createFrom().items(frames),
                            Multi.createFrom()
                                    .<OfRequest>nothing()
                                    .onSubscription()
                                    .invoke(waiting::countDown))
                    .onSubscription()
                    .invoke(open::incrementAndGet)
                    .onCancellation()
                    .invoke(() -> {
                        open.decrementAndGet();
                        cancelled.countDown();
                    });
        }

        void awaitWaiting() {
            reached("the generations to begin", waiting);
        }

        void awaitCancelled() {
            reached("all generations to be cancelled", cancelled);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aClientThatLeavesCancelsItsGenerations(boolean stream) throws Exception {
        Unfinished generations = new Unfinished(2);
        workers.script = request ->
                generations.after(ScriptedWorkers.accepted(request), ScriptedWorkers.delta(request, "Hello"));
        try (RawClient client = new RawClient(server.getPort(), 0)) {
            client.chat("{\"n\":2,\"stream\":" + stream + "," + USER + "}");
            if (stream) {
                client.readUntil("Hello");
            }
            generations.awaitWaiting();
        }
        generations.awaitCancelled();
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aClientThatLeavesIsNoErrorOfTheServer(boolean stream) throws Exception {
        List<String> errors = new CopyOnWriteArrayList<>();
        Handler handler = new ExtHandler() {
            @Override
            @SuppressWarnings("deprecation") // a formatter would add the time
            protected void doPublish(ExtLogRecord line) {
                if (line.getLevel().intValue() >= Level.ERROR.intValue()) {
                    errors.add(line.getFormattedMessage());
                }
            }
        };
        Logger root = Logger.getLogger("");
        root.addHandler(handler);
        try {
            aClientThatLeavesTheQueueCancelsItsGeneration(stream);
            workers.script = request -> ScriptedWorkers.text(request, "Hello");
            for (int i = 0; i < 3; i++) {
                chat("").statusCode(200);
            }
        } finally {
            root.removeHandler(handler);
        }
        assertEquals(List.of(), errors);
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aClientThatLeavesTheQueueCancelsItsGeneration(boolean stream) throws Exception {
        Unfinished generation = new Unfinished(1);
        workers.script = request -> generation.after();
        try (RawClient client = new RawClient(server.getPort(), 0)) {
            client.chat("{\"stream\":" + stream + "," + USER + "}");
            generation.awaitWaiting();
        }
        generation.awaitCancelled();
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aClientThatLeftBeforeItsGenerationBeganLeavesNothingBehind(boolean stream) throws Exception {
        Unfinished generation = new Unfinished(1);
        CountDownLatch asked = new CountDownLatch(1);
        CountDownLatch left = new CountDownLatch(1);
        workers.script = request -> {
            HttpServerResponse response = Arc.container()
                    .instance(CurrentVertxRequest.class)
                    .get()
                    .getCurrent()
                    .response();
            asked.countDown();
            until("the connection's end", response::closed);
            left.countDown();
            return generation.after(ScriptedWorkers.accepted(request));
        };
        try (RawClient client = new RawClient(server.getPort(), 0)) {
            client.chat(
                    "{\"stream\":" + stream + ",\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"image_url\","
                            + "\"image_url\":\"" + TestImages.png(60, 40) + "\"}]}]}");
            reached("the request at the model", asked);
        }
        reached("the server to see that the client left", left);
        until("memory and generation given up", () -> budget.free() == budget.total() && generation.open.get() == 0);
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aClientThatLeavesWhileItsPictureIsDecodedLeavesNothingBehind(boolean stream) throws Exception {
        workers.script = request -> ScriptedWorkers.text(request, "Hello");
        String slow = TestImages.dataUrl(Tricks.webp(Tricks.transformed(1000, 1000, 200)));
        try (RawClient client = new RawClient(server.getPort(), 0)) {
            client.chat(
                    "{\"stream\":" + stream + ",\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"image_url\","
                            + "\"image_url\":\"" + slow + "\"}]}]}");
            until("the room for its pixels", () -> budget.total() - budget.free() > 3_000_000);
        }
        until("memory given back", () -> budget.free() == budget.total());
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aClientThatResetsItsStreamKeepsItsConnection(boolean stream) throws Exception {
        HttpClient client =
                HttpClient.newBuilder().version(HttpClient.Version.HTTP_2).build();
        Function<String, HttpRequest> post = json -> HttpRequest.newBuilder(server.resolve(CHAT))
                .header("Content-Type", "application/json")
                .header("Authorization", "Bearer " + ScriptedProfile.USER)
                .POST(HttpRequest.BodyPublishers.ofString(json))
                .build();
        workers.script = request -> ScriptedWorkers.text(request, "Hello");
        HttpRequest quick = post.apply("{" + USER + "}");
        assertEquals(
                HttpClient.Version.HTTP_2,
                client.send(quick, HttpResponse.BodyHandlers.discarding()).version());

        Unfinished generation = new Unfinished(1);
        workers.script = request -> generation.after(ScriptedWorkers.accepted(request));
        CompletableFuture<?> endless = client.sendAsync(
                post.apply("{\"stream\":" + stream + "," + USER + "}"), HttpResponse.BodyHandlers.ofString());
        generation.awaitWaiting();
        workers.script = request -> ScriptedWorkers.text(request, "Hello");
        assertEquals(
                200, client.send(quick, HttpResponse.BodyHandlers.discarding()).statusCode());
        endless.cancel(true);
        generation.awaitCancelled();
        assertEquals(
                200, client.send(quick, HttpResponse.BodyHandlers.discarding()).statusCode());
    }
}
