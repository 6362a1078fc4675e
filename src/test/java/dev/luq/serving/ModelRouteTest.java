package dev.luq.serving;

import static dev.luq.Until.until;
import static dev.luq.serving.WorkerClient.answer;
import static dev.luq.serving.WorkerClient.failure;
import static dev.luq.serving.WorkerClient.text;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.luq.Integration;
import dev.luq.catalog.ModelSettings;
import dev.luq.machine.KvType;
import dev.luq.process.ChildCommand;
import dev.luq.protocol.ServerFrame;
import dev.luq.protocol.WorkerFrame;
import io.smallrye.mutiny.helpers.test.AssertSubscriber;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** One worker after the other behind the same id, with real child processes whose model does what a test needs. */
@Integration
class ModelRouteTest {

    private final ScheduledExecutorService timer = Executors.newScheduledThreadPool(1);
    private final ExecutorService background = Executors.newCachedThreadPool();
    private final List<String> heard = new CopyOnWriteArrayList<>();
    private final List<String> released = new CopyOnWriteArrayList<>();

    private final GenerationListener listener = new GenerationListener() {
        @Override
        public void rejected(String modelId, String reason) {
            heard.add("rejected " + reason);
        }

        @Override
        public void ended(
                String modelId,
                String finishReason,
                Duration total,
                WorkerFrame.Accepted accepted,
                WorkerFrame.Finished finished) {
            heard.add("ended " + finishReason);
        }
    };

    private WorkerConfig config = TestConfig.of(Map.of());
    private ModelRoute route = new ModelRoute("test", config, ModelSettings.NONE, () -> false, timer, listener);

    @AfterEach
    void endWorkers() throws InterruptedException {
        background.shutdownNow();
        route.end();
        timer.shutdownNow();
    }

    @Test
    void nobodyServesAModelThatIsNotLoaded() {
        assertEquals(ModelWorker.State.UNLOADED, route.state());
        assertEquals(
                ModelWorker.State.UNLOADED,
                failure(WorkerException.NotReady.class, run("say a")).state());
        assertEquals(List.of("rejected model_not_loaded"), heard);
    }

    /** What is to serve is asked first, for what it can do. */
    @Test
    void modelsThatGenerateNothingReplaceOthersToo() throws Exception {
        serve("encoder");
        long pid = route.pid().orElseThrow();
        swap("encoder", "encoder").overlap();
        assertNotEquals(pid, route.pid().orElseThrow());
        swap("reranker", "encoder").pause();
        assertTrue(route.info().orElseThrow().ranks());
    }

    @Test
    void besideEachOtherNobodyWaits() throws Exception {
        serve("good");
        long pid = route.pid().orElseThrow();
        AssertSubscriber<WorkerFrame.OfRequest> running = run("wait");
        until("the text", () -> text(running).equals("waiting"));
        answer(run("say a b"));
        until("stats", () -> route.totals().generationTokens() == 3);

        swap("good", "good").overlap();
        assertNotEquals(pid, route.pid().orElseThrow());
        assertEquals("c", answer(run("say c")));
        assertEquals(1, route.inFlight(), "the stream goes on where it is");
        assertTrue(released.isEmpty());
        until("stats of both", () -> route.totals().generationTokens() >= 4);

        running.cancel();
        route.awaitRetired();
        assertEquals(List.of("good"), released);
        assertFalse(ProcessHandle.of(pid).map(ProcessHandle::isAlive).orElse(false));
        assertTrue(route.totals().generationTokens() >= 4, "counters outlive their process");
        assertEquals(0, route.restarts());
    }

    @Test
    void inAGapRequestsWaitAndAreAnsweredByTheNext() throws Exception {
        serve("good");
        AssertSubscriber<WorkerFrame.OfRequest> running = run("wait");
        until("the text", () -> text(running).equals("waiting"));
        Future<?> swap = background.submit(() -> {
            swap("good", "good").pause();
            return null;
        });
        until("pause", () -> route.state() == ModelWorker.State.SWAPPING);
        AssertSubscriber<WorkerFrame.OfRequest> waiting = run("say a");
        AssertSubscriber<WorkerFrame.OfRequest> leaving = run("say b");
        assertEquals(3, route.inFlight());
        assertTrue(route.info().isPresent(), "what the model is stays known");
        leaving.cancel();
        assertEquals(2, route.inFlight());

        running.cancel();
        assertEquals("a", answer(waiting));
        swap.get();
        assertEquals(ModelWorker.State.READY, route.state());
        assertEquals(List.of("good"), released);
        assertEquals(List.of("ended cancelled", "ended cancelled", "ended stop"), heard);
    }

    @Test
    void waitingWhilePausedIsBoundedAndHasDeadlines() {
        config = TestConfig.of(Map.of("slots", "1", "queue-size", "1", "deadline", "1S"));
        route = new ModelRoute("test", config, ModelSettings.NONE, () -> false, timer, listener);
        route.pause();
        AssertSubscriber<WorkerFrame.OfRequest> first = run("say a");
        run("say b");
        failure(WorkerException.QueueFull.class, run("say c"));
        failure(WorkerException.DeadlineExceeded.class, first);
        until("both gone", () -> route.inFlight() == 0);
        route.resume(null);
    }

    @Test
    void whilePausedTooNoClientHoldsAllPermits() {
        config = TestConfig.of(Map.of("slots", "1", "queue-size", "1"));
        route = new ModelRoute("test", config, ModelSettings.NONE, () -> false, timer, listener);
        route.pause();
        AssertSubscriber<WorkerFrame.OfRequest> first =
                WorkerClient.run(route, WorkerClient.request("say a", 0).of("hog", null));
        AssertSubscriber<WorkerFrame.OfRequest> second =
                WorkerClient.run(route, WorkerClient.request("say b", 0).of("hog", null));
        AssertSubscriber<WorkerFrame.OfRequest> other =
                WorkerClient.run(route, WorkerClient.request("say c", 0).of("other", null));
        failure(WorkerException.QueueFull.class, second);
        failure(
                WorkerException.QueueFull.class,
                WorkerClient.run(route, WorkerClient.request("say d", 0).of("other", null)));
        first.assertNotTerminated();
        other.assertNotTerminated();
        route.resume(null);
    }

    @Test
    void whoDoesNotServeDoesNotTakeOver() throws Exception {
        serve("good");
        SupervisedWorker before = route.current();
        for (String unusable : List.of("unusable", "mute")) {
            ModelOperationException.Failed failure =
                    assertThrows(ModelOperationException.Failed.class, () -> swap(unusable, "good")
                            .overlap());
            assertTrue(
                    failure.getMessage().contains("of no use")
                            || failure.getMessage().contains("does not answer"),
                    failure.getMessage());
            assertSame(before, route.current());
        }
        assertEquals("a", answer(run("say a")));
        assertEquals(List.of("unusable", "mute"), released);
    }

    @Test
    void afterAPauseTheWorkerBeforeServesAgainWhenTheNextDoesNot() throws Exception {
        serve("good");
        AssertSubscriber<WorkerFrame.OfRequest> running = run("wait");
        until("the text", () -> text(running).equals("waiting"));
        Future<?> swap = background.submit(
                () -> assertThrows(ModelOperationException.Failed.class, () -> swap("unusable", "good")
                        .pause()));
        until("pause", () -> route.state() == ModelWorker.State.SWAPPING);
        AssertSubscriber<WorkerFrame.OfRequest> waiting = run("say a");
        running.cancel();
        swap.get();
        assertEquals("a", answer(waiting));
        assertEquals(ModelWorker.State.READY, route.state());
    }

    @Test
    void aNextOneThatCannotEvenBeMadeLeavesNoHole() throws Exception {
        serve("good");
        Swap swap = new Swap(
                route,
                () -> {
                    throw new IllegalStateException("its files are gone");
                },
                worker("good"),
                config.deadline(),
                background);
        assertThrows(IllegalStateException.class, swap::overlap);
        assertEquals("a", answer(run("say a")));
        assertThrows(IllegalStateException.class, swap::pause);
        assertEquals("b", answer(run("say b")));
    }

    @Test
    void whatFailedFirstIsSaidWhenTheFilesBeforeCannotBeServedEither() throws Exception {
        serve("good");
        Supplier<SupervisedWorker> gone = () -> {
            throw new IllegalStateException("the variant is gone");
        };
        Swap swap = new Swap(route, worker("unusable"), gone, config.deadline(), background);
        ModelOperationException.Failed failure = assertThrows(ModelOperationException.Failed.class, swap::pause);
        assertEquals("the variant is gone", failure.getSuppressed()[0].getMessage());
        assertEquals(ModelWorker.State.UNLOADED, route.state());
    }

    @Test
    void anInputThatKilledOneWorkerIsRemembered() throws Exception {
        config = TestConfig.of(Map.of("restart.back-off", "0S"));
        route = new ModelRoute("test", config, ModelSettings.NONE, () -> false, timer, listener);
        serve("good");
        failure(WorkerException.Died.class, run("exit"));
        until("the successor", () -> route.state() == ModelWorker.State.READY);
        swap("good", "good").overlap();
        failure(WorkerException.Died.class, run("exit"));
        until("the successor", () -> route.state() == ModelWorker.State.READY);
        failure(WorkerException.Quarantined.class, run("exit"));
        route.awaitRetired();
        assertEquals(2, route.restarts());
    }

    @Test
    void aServerThatStopsWhilePausedFailsRequestsThatWait() {
        route.pause();
        AssertSubscriber<WorkerFrame.OfRequest> waiting = run("say a");
        route.drain();
        assertEquals(
                ModelWorker.State.DRAINING,
                failure(WorkerException.NotReady.class, run("say b")).state());
        route.giveUp();
        assertEquals(
                ModelWorker.State.DRAINING,
                failure(WorkerException.NotReady.class, waiting).state());
    }

    private void serve(String model) {
        SupervisedWorker worker = worker(model).get();
        route.put(worker);
        worker.start();
        WorkerClient.ready(route);
    }

    private Swap swap(String next, String again) {
        return new Swap(route, worker(next), worker(again), config.deadline(), background);
    }

    private Supplier<SupervisedWorker> worker(String model) {
        ChildCommand command = new ChildCommand(config.process(), "dev.luq.worker.ScriptedWorker");
        ServerFrame.Load load = new ServerFrame.Load(
                List.of(model), null, 0, config.slots(), 512, 0, 0, 0, 0, 0, 0, config.kernels(), KvType.F16, null);
        return () -> new SupervisedWorker(
                "test",
                load,
                config,
                (modelId, events) -> WorkerProcess.start(modelId, command, events),
                timer,
                listener,
                route.quarantine(),
                () -> released.add(model));
    }

    private AssertSubscriber<WorkerFrame.OfRequest> run(String messages) {
        return WorkerClient.run(route, WorkerClient.request(messages, 0));
    }
}
