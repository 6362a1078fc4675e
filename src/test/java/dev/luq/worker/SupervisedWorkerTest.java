package dev.luq.worker;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.luq.worker.protocol.Sampling;
import dev.luq.worker.protocol.ServerFrame;
import dev.luq.worker.protocol.WorkerFrame;
import io.smallrye.mutiny.helpers.test.AssertSubscriber;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Against real child processes, whose model does what a test needs. */
class SupervisedWorkerTest {

    private static final AtomicInteger IDS = new AtomicInteger();

    private final ScheduledExecutorService timer = Executors.newScheduledThreadPool(1);
    private final List<String> heard = new CopyOnWriteArrayList<>();
    private final List<SupervisedWorker> workers = new ArrayList<>();

    private final GenerationListener listener = new GenerationListener() {
        @Override
        public void rejected(String modelId, String reason) {
            heard.add("rejected " + reason);
        }

        @Override
        public void firstToken(String modelId, Duration sinceSubmitted) {
            heard.add("first");
        }

        @Override
        public void nextToken(String modelId, Duration sincePrevious) {
            heard.add("next");
        }

        @Override
        public void ended(String modelId, String finishReason, Duration total, WorkerFrame.Accepted accepted,
                WorkerFrame.Finished finished) {
            heard.add("ended " + finishReason);
        }

        @Override
        public void workerDied(String modelId, String signal) {
            heard.add("died " + signal);
        }
    };

    @AfterEach
    void endWorkers() throws InterruptedException {
        for (SupervisedWorker worker : workers) {
            worker.drain();
            worker.end(System.nanoTime());
        }
        timer.shutdownNow();
    }

    @Test
    void aGenerationArrivesInOrderAndGivesItsPermitBack() {
        SupervisedWorker worker = ready(Map.of());
        AssertSubscriber<WorkerFrame.OfRequest> answer = run(worker, "say a b");
        answer.awaitCompletion();
        List<String> kinds = answer.getItems().stream().map(item -> item.getClass().getSimpleName()).toList();
        assertEquals(List.of("Accepted", "Delta", "Delta", "Finished"), kinds);
        assertEquals("ab", text(answer));
        assertEquals(0, worker.inFlight());
        assertEquals(List.of("first", "next", "ended stop"), heard);
        assertEquals("script", worker.info().orElseThrow().architecture());
    }

    @Test
    void nothingHappensBeforeTheSubscription() {
        SupervisedWorker worker = ready(Map.of());
        worker.generate(request("say a"));
        assertEquals(0, worker.inFlight());
    }

    @Test
    void pixelsReachTheWorker() {
        SupervisedWorker worker = ready(Map.of());
        byte[] rgb = new byte[3 * 200 * 300];
        java.util.Arrays.fill(rgb, (byte) 250);
        AssertSubscriber<WorkerFrame.OfRequest> answer = run(worker, request("pixels",
                new ServerFrame.Image(200, 300, "aa", rgb), new ServerFrame.Image(1, 1, "bb", new byte[] {1, 2, 3})));
        answer.awaitCompletion();
        assertEquals("2:" + (rgb.length * 250L + 6), text(answer));
    }

    @Test
    void aRefusalOfTheWorkerIsAFailureWithItsCode() {
        SupervisedWorker worker = ready(Map.of());
        WorkerException.Rejected failure = failure(WorkerException.Rejected.class, run(worker, "refuse"));
        assertEquals("context_length_exceeded", failure.code());
        assertEquals("messages", failure.param());
        assertEquals(0, worker.inFlight());
    }

    @Test
    void nobodyIsServedWhileTheModelLoads() {
        SupervisedWorker worker = started("slow", Map.of());
        assertEquals(ModelWorker.State.LOADING, worker.state());
        WorkerException.NotReady failure = failure(WorkerException.NotReady.class, run(worker, "say a"));
        assertEquals(ModelWorker.State.LOADING, failure.state());
        assertEquals(List.of("rejected model_loading"), heard);
    }

    @Test
    void aModelThatCannotBeLoadedFailsWithoutRestarts() {
        SupervisedWorker worker = started("unusable", Map.of());
        await("failure", () -> worker.state() == ModelWorker.State.FAILED && worker.pid().isEmpty());
        assertEquals("The model is of no use.", worker.failure().orElseThrow());
        assertEquals(0, worker.restarts());
        assertTrue(failure(WorkerException.NotReady.class, run(worker, "say a")).getMessage().contains("of no use"));
    }

    @Test
    void aModelThatKillsItsProcessWhileLoadingIsGivenUp() {
        SupervisedWorker worker = started("deadly", Map.of("restart.back-off", "0S"));
        await("failure", () -> worker.state() == ModelWorker.State.FAILED);
        assertEquals(2, worker.restarts());
        assertTrue(worker.failure().orElseThrow().contains("SIGKILL"), worker.failure().get());
    }

    @ParameterizedTest
    @CsvSource({"die KILL,SIGKILL", "die ABRT,SIGABRT", "die SEGV,crash", "exit,exit", "garbage,SIGKILL"})
    void aDeathFailsWhatRunsAndASuccessorAnswers(String deadly, String signal) {
        SupervisedWorker worker = ready(Map.of());
        long pid = worker.pid().orElseThrow();
        AssertSubscriber<WorkerFrame.OfRequest> bystander = run(worker, "wait");
        await("text", () -> text(bystander).equals("waiting"));
        AssertSubscriber<WorkerFrame.OfRequest> culprit = run(worker, deadly);

        failure(WorkerException.Died.class, culprit);
        failure(WorkerException.Died.class, bystander);
        await("successor", () -> worker.state() == ModelWorker.State.READY);
        assertNotEquals(pid, worker.pid().orElseThrow());
        assertEquals(1, worker.restarts());
        assertTrue(heard.contains("died " + signal), heard.toString());
        assertEquals("b", text(run(worker, "say b").awaitCompletion()));
    }

    @Test
    void whatCameBeforeADeathIsDelivered() {
        SupervisedWorker worker = ready(Map.of());
        AssertSubscriber<WorkerFrame.OfRequest> answer = run(worker, "die KILL");
        failure(WorkerException.Died.class, answer);
        assertEquals("dying", text(answer));
    }

    @Test
    void anInputThatKilledTwiceIsRefused() {
        SupervisedWorker worker = ready(Map.of("restart.back-off", "0S"));
        for (int i = 0; i < 2; i++) {
            failure(WorkerException.Died.class, run(worker, "exit"));
            await("successor", () -> worker.state() == ModelWorker.State.READY);
        }
        failure(WorkerException.Quarantined.class, run(worker, "exit"));
        assertEquals(2, worker.restarts());
        assertEquals("fine", text(run(worker, "say fine").awaitCompletion()));
    }

    @Test
    void countersAddUpOverProcesses() {
        SupervisedWorker worker = ready(Map.of());
        run(worker, "say a b c").awaitCompletion();
        await("stats", () -> worker.totals().generationTokens() == 3);
        failure(WorkerException.Died.class, run(worker, "exit"));
        await("successor", () -> worker.state() == ModelWorker.State.READY);
        assertEquals(3, worker.totals().generationTokens());
        run(worker, "say d").awaitCompletion();
        await("sum", () -> worker.totals().generationTokens() == 4);
        assertEquals(1, worker.stats().orElseThrow().generationTokens());
    }

    @Test
    void aClientThatLeavesStopsItsGeneration() {
        SupervisedWorker worker = ready(Map.of());
        AssertSubscriber<WorkerFrame.OfRequest> answer = run(worker, "wait");
        await("text", () -> text(answer).equals("waiting"));
        answer.cancel();
        await("cancelled", () -> worker.totals().cancelled() == 1);
        assertEquals(0, worker.inFlight());
        assertEquals(List.of("first", "ended cancelled"), heard);
    }

    @Test
    void aFullQueueRefuses() {
        SupervisedWorker worker = ready(Map.of("slots", "1", "queue-size", "1"));
        AssertSubscriber<WorkerFrame.OfRequest> first = run(worker, "wait");
        run(worker, "wait");
        failure(WorkerException.QueueFull.class, run(worker, "say a"));
        assertEquals(2, worker.inFlight());
        assertEquals("rejected queue_full", heard.get(heard.size() - 1));
        first.cancel();
        assertEquals("a", text(run(worker, "say a").awaitCompletion()));
    }

    @Test
    void imagesInFlightAreBounded() {
        SupervisedWorker worker = ready(Map.of("image-bytes-in-flight", "300"));
        ServerFrame.Image large = new ServerFrame.Image(10, 11, "l", new byte[330]);
        ServerFrame.Image half = new ServerFrame.Image(10, 6, "h", new byte[180]);
        assertEquals("request_too_large",
                failure(WorkerException.Rejected.class, run(worker, request("pixels", large))).code());
        AssertSubscriber<WorkerFrame.OfRequest> first = run(worker, request("wait", half));
        failure(WorkerException.QueueFull.class, run(worker, request("pixels", half)));
        first.cancel();
        assertEquals("1:0", text(run(worker, request("pixels", half)).awaitCompletion()));
    }

    @Test
    void aDeadlineEndsTheGeneration() {
        SupervisedWorker worker = ready(Map.of("deadline", "1S"));
        failure(WorkerException.DeadlineExceeded.class, run(worker, "wait"));
        await("cancelled", () -> worker.totals().cancelled() == 1);
        assertEquals(0, worker.inFlight());
    }

    @Test
    void aWorkerThatDoesNotStopIsReplaced() {
        SupervisedWorker worker = ready(Map.of("stall-timeout", "1S"));
        long pid = worker.pid().orElseThrow();
        AssertSubscriber<WorkerFrame.OfRequest> answer = run(worker, "deaf");
        await("text", () -> text(answer).equals("deaf"));
        answer.cancel();
        await("successor", () -> worker.state() == ModelWorker.State.READY && worker.pid().orElse(pid) != pid);
        assertTrue(heard.contains("died SIGKILL"), heard.toString());
    }

    @Test
    void aReaderThatFallsBehindIsCutOffAndDisturbsNobody() {
        SupervisedWorker worker = ready(Map.of("stream-buffer", "50"));
        AssertSubscriber<WorkerFrame.OfRequest> slow = AssertSubscriber.create(0);
        worker.generate(request("more 20000")).subscribe().withSubscriber(slow);
        await("permit back", () -> heard.contains("ended cancelled"));
        assertEquals("a", text(run(worker, "say a").awaitCompletion()));
        slow.request(Long.MAX_VALUE);
        failure(WorkerException.SlowReader.class, slow);
        assertTrue(slow.getItems().size() <= 50, () -> slow.getItems().size() + " items");
    }

    @Test
    void drainingRefusesNewRequestsAndLetsRunningOnesEnd() throws InterruptedException {
        SupervisedWorker worker = ready(Map.of());
        ProcessHandle process = ProcessHandle.of(worker.pid().orElseThrow()).orElseThrow();
        AssertSubscriber<WorkerFrame.OfRequest> running = run(worker, "wait");
        await("text", () -> text(running).equals("waiting"));
        worker.drain();
        assertEquals(ModelWorker.State.DRAINING, failure(WorkerException.NotReady.class, run(worker, "say a")).state());
        Thread ending = new Thread(() -> {
            try {
                worker.end(System.nanoTime() + Duration.ofSeconds(60).toNanos());
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        });
        ending.start();
        assertTrue(process.isAlive());
        running.cancel();
        ending.join();
        assertFalse(process.isAlive());
        assertFalse(heard.stream().anyMatch(event -> event.startsWith("died")), heard.toString());
    }

    @Test
    void drainingGivesUpWhatTakesTooLong() throws InterruptedException {
        SupervisedWorker worker = ready(Map.of());
        AssertSubscriber<WorkerFrame.OfRequest> running = run(worker, "wait");
        worker.drain();
        worker.end(System.nanoTime());
        assertEquals(ModelWorker.State.DRAINING, failure(WorkerException.NotReady.class, running).state());
    }

    private SupervisedWorker ready(Map<String, String> config) {
        SupervisedWorker worker = started("good", config);
        await("ready", () -> worker.state() == ModelWorker.State.READY);
        return worker;
    }

    private SupervisedWorker started(String model, Map<String, String> values) {
        Map<String, String> all = new HashMap<>(values);
        WorkerConfig config = TestConfig.of(all);
        WorkerCommand command = new WorkerCommand(config.process(), "dev.luq.worker.child.ScriptedWorker");
        ServerFrame.Load load = new ServerFrame.Load(List.of(model), null, 0, config.slots(), 512, 0, 0, 0, 0);
        SupervisedWorker worker = new SupervisedWorker("test", load, config,
                (modelId, events) -> WorkerProcess.start(modelId, command.line(modelId), events), timer, listener);
        workers.add(worker);
        worker.start();
        return worker;
    }

    private static AssertSubscriber<WorkerFrame.OfRequest> run(SupervisedWorker worker, String messages) {
        return run(worker, request(messages));
    }

    private static AssertSubscriber<WorkerFrame.OfRequest> run(SupervisedWorker worker, ServerFrame.Generate request) {
        AssertSubscriber<WorkerFrame.OfRequest> subscriber = AssertSubscriber.create(Long.MAX_VALUE);
        worker.generate(request).subscribe().withSubscriber(subscriber);
        return subscriber;
    }

    private static ServerFrame.Generate request(String messages, ServerFrame.Image... images) {
        return new ServerFrame.Generate("r" + IDS.incrementAndGet(), messages, List.of(images), null, null, false, null,
                Sampling.GREEDY, 0, List.of(), -1, true);
    }

    private static String text(AssertSubscriber<WorkerFrame.OfRequest> answer) {
        StringBuilder text = new StringBuilder();
        for (WorkerFrame.OfRequest item : List.copyOf(answer.getItems())) {
            if (item instanceof WorkerFrame.Delta delta) {
                text.append(delta.content());
            }
        }
        return text.toString();
    }

    private static <T extends WorkerException> T failure(Class<T> type, AssertSubscriber<WorkerFrame.OfRequest> answer) {
        answer.awaitFailure(Duration.ofSeconds(30));
        return assertInstanceOf(type, answer.getFailure());
    }

    /** Waits for a state that follows by itself; the limit only ends a broken test. */
    private static void await(String what, BooleanSupplier condition) {
        long limit = System.nanoTime() + Duration.ofSeconds(60).toNanos();
        while (!condition.getAsBoolean()) {
            assertTrue(System.nanoTime() < limit, "waited in vain for " + what);
            try {
                Thread.sleep(5);
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        }
    }
}
