package dev.luq.serving;

import static dev.luq.Until.completed;
import static dev.luq.Until.reached;
import static dev.luq.Until.until;
import static dev.luq.serving.WorkerClient.answer;
import static dev.luq.serving.WorkerClient.failure;
import static dev.luq.serving.WorkerClient.text;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.luq.Integration;
import dev.luq.machine.KvType;
import dev.luq.process.ChildCommand;
import dev.luq.process.ProcessExit;
import dev.luq.protocol.PromptInput;
import dev.luq.protocol.ServerFrame;
import dev.luq.protocol.WorkerFrame;
import io.smallrye.mutiny.Uni;
import io.smallrye.mutiny.helpers.test.AssertSubscriber;
import io.smallrye.mutiny.helpers.test.UniAssertSubscriber;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Against real child processes, whose model does what a test needs. */
@Integration
class SupervisedWorkerTest {

    private final ScheduledExecutorService timer = Executors.newScheduledThreadPool(1);
    private final List<String> heard = new CopyOnWriteArrayList<>();
    private final List<Duration> firstTokens = new CopyOnWriteArrayList<>();
    private final List<Duration> totals = new CopyOnWriteArrayList<>();
    private final List<SupervisedWorker> workers = new ArrayList<>();

    private final GenerationListener listener = new GenerationListener() {
        @Override
        public void rejected(String modelId, String reason) {
            heard.add("rejected " + reason);
        }

        @Override
        public void firstToken(String modelId, Duration sinceArrival) {
            heard.add("first");
            firstTokens.add(sinceArrival);
        }

        @Override
        public void nextToken(String modelId, Duration sincePrevious) {
            heard.add("next");
        }

        @Override
        public void ended(
                String modelId,
                String finishReason,
                Duration total,
                WorkerFrame.Accepted accepted,
                WorkerFrame.Finished finished) {
            heard.add("ended " + finishReason);
            totals.add(total);
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
        answer(answer);
        List<String> kinds = answer.getItems().stream()
                .map(item -> item.getClass().getSimpleName())
                .toList();
        assertEquals(List.of("Accepted", "Delta", "Delta", "Finished"), kinds);
        assertEquals("ab", text(answer));
        assertEquals(0, worker.inFlight());
        assertEquals(List.of("first", "next", "ended stop"), heard);
        assertEquals("script", worker.info().orElseThrow().architecture());
    }

    @Test
    void timesCountFromTheArrivalOfTheRequest() {
        SupervisedWorker worker = ready(Map.of("deadline", "2H"));
        Duration hour = Duration.ofHours(1);
        answer(run(worker, "say a", new InFlightAnswer(System.nanoTime() - hour.toNanos())));
        assertTrue(firstTokens.get(0).compareTo(hour) >= 0, firstTokens::toString);
        assertTrue(totals.get(0).compareTo(hour) >= 0, totals::toString);
    }

    @Test
    void aQueryIsAnsweredWithoutAPlaceAmongGenerations() {
        SupervisedWorker worker = ready(Map.of("slots", "1", "queue-size", "0"));
        AssertSubscriber<WorkerFrame.OfRequest> running = run(worker, "wait");
        until("the first piece", () -> text(running).equals("waiting"));
        assertEquals(3, count(worker, "one two three").await().indefinitely().tokens());
        WorkerException.Rejected refused = assertThrows(
                WorkerException.Rejected.class,
                () -> count(worker, "refuse this").await().indefinitely());
        assertEquals("invalid_request", refused.code());
        assertEquals(1, worker.inFlight(), "the generation");
        assertEquals(List.of("first"), heard, "queries are no generations");
        running.cancel();
    }

    @Test
    void queriesAreBounded() {
        SupervisedWorker worker = ready(Map.of("slots", "1", "queue-size", "0"));
        UniAssertSubscriber<WorkerFrame.TokenCount> waiting = UniAssertSubscriber.create();
        count(worker, "wait").subscribe().withSubscriber(waiting);
        assertThrows(
                WorkerException.QueueFull.class,
                () -> count(worker, "two words").await().indefinitely());
        assertEquals("ab", answer(run(worker, "say a b")));
        waiting.cancel();
        until("the place to be free", () -> worker.inFlight() == 0);
        assertEquals(2, count(worker, "two words").await().indefinitely().tokens());
    }

    @Test
    void aQueryThatCrashesTheWorkerIsIsolatedAsAGenerationIs() {
        SupervisedWorker worker = ready(Map.of());
        assertThrows(
                WorkerException.Died.class,
                () -> count(worker, "die SEGV").await().indefinitely());
        WorkerClient.ready(worker);
        assertThrows(
                WorkerException.Died.class,
                () -> count(worker, "die SEGV").await().indefinitely());
        WorkerClient.ready(worker);
        failure(WorkerException.Quarantined.class, run(worker, "die SEGV"));
    }

    /** Clients that count the tokens of each conversation before they send it are many. */
    @Test
    void aCountDoesNotForgiveWhatCrashed() {
        SupervisedWorker worker = ready(Map.of("restart.back-off", "0S"));
        failure(WorkerException.Died.class, run(worker, "exit"));
        WorkerClient.ready(worker);
        assertEquals(1, count(worker, "exit").await().indefinitely().tokens());
        failure(WorkerException.Died.class, run(worker, "exit"));
        WorkerClient.ready(worker);
        failure(WorkerException.Quarantined.class, run(worker, "exit"));
    }

    private static Uni<WorkerFrame.TokenCount> count(SupervisedWorker worker, String messages) {
        return worker.query(count(messages, null));
    }

    private static ServerFrame.CountTokens count(String messages, String client) {
        return new ServerFrame.CountTokens("q" + UUID.randomUUID(), new PromptInput.Chat(messages), List.of(), client);
    }

    private static UniAssertSubscriber<WorkerFrame.TokenCount> count(
            SupervisedWorker worker, String messages, String client, InFlightAnswer answer) {
        return worker.query(count(messages, client), answer).subscribe().withSubscriber(UniAssertSubscriber.create());
    }

    /** As the embeddings of many texts are: one query after the other. */
    @Test
    void theNextQueryOfAnAnswerHasThePlaceOfThePreviousOne() {
        SupervisedWorker worker = ready(Map.of("slots", "1", "queue-size", "1"));
        InFlightAnswer answer = new InFlightAnswer();
        count(worker, "one", "many", answer).awaitItem();
        UniAssertSubscriber<WorkerFrame.TokenCount> newcomer = count(worker, "wait", "many", new InFlightAnswer());
        UniAssertSubscriber<WorkerFrame.TokenCount> next = count(worker, "wait", "many", answer);
        count(worker, "one", "other", new InFlightAnswer()).awaitItem();
        assertInstanceOf(
                WorkerException.QueueFull.class, newcomer.awaitFailure().getFailure());
        next.assertNotTerminated();

        UniAssertSubscriber<WorkerFrame.TokenCount> another = count(worker, "wait", "other", new InFlightAnswer());
        next.cancel();
        count(worker, "wait", "third", new InFlightAnswer());
        assertEquals(2, worker.inFlight());
        count(worker, "one", "many", answer).awaitItem();
        another.assertNotTerminated();
    }

    @Test
    void whoHoldsEveryPlaceWithQueriesThatHaveBegunGivesTheNewestAnswersUp() {
        SupervisedWorker worker = ready(Map.of("slots", "1", "queue-size", "1"));
        InFlightAnswer first = new InFlightAnswer();
        InFlightAnswer second = new InFlightAnswer();
        count(worker, "one", "hog", second).awaitItem();
        count(worker, "one", "hog", first).awaitItem();
        UniAssertSubscriber<WorkerFrame.TokenCount> newer = count(worker, "wait", "hog", second);
        UniAssertSubscriber<WorkerFrame.TokenCount> older = count(worker, "wait", "hog", first);
        count(worker, "one", "other", new InFlightAnswer()).awaitItem();
        assertInstanceOf(WorkerException.QueueFull.class, newer.awaitFailure().getFailure());
        older.assertNotTerminated();
    }

    @Test
    void theTextsOfFurtherQueriesAreBoundedAsThoseOfTheFirst() {
        SupervisedWorker worker = ready(Map.of("text-bytes-in-flight", "100"));
        InFlightAnswer answer = new InFlightAnswer();
        count(worker, "one", "many", answer).awaitItem();
        count(worker, "wait" + " ".repeat(40), "many", new InFlightAnswer());
        assertInstanceOf(
                WorkerException.QueueFull.class,
                count(worker, "x".repeat(40), "many", answer).awaitFailure().getFailure());
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
        Arrays.fill(rgb, (byte) 250);
        AssertSubscriber<WorkerFrame.OfRequest> answer = WorkerClient.run(
                worker,
                request(
                        "pixels",
                        new ServerFrame.Image(200, 300, "aa", rgb),
                        new ServerFrame.Image(1, 1, "bb", new byte[] {1, 2, 3})));
        assertEquals("2:" + (rgb.length * 250L + 6), answer(answer));
    }

    @Test
    void equalPixelsOfRequestsAtTheSameTimeReachAllOfThemWhoeverLeaves() {
        SupervisedWorker worker = ready(Map.of());
        ServerFrame.Image image = new ServerFrame.Image(1, 1, "aa", new byte[] {1, 2, 3});
        AssertSubscriber<WorkerFrame.OfRequest> first = WorkerClient.run(worker, request("queued", image));
        AssertSubscriber<WorkerFrame.OfRequest> second = WorkerClient.run(worker, request("queued", image));
        assertEquals("1:6", answer(WorkerClient.run(worker, request("pixels", image))));
        first.cancel();
        assertEquals("1:6", answer(WorkerClient.run(worker, request("pixels", image))));
        second.cancel();
        assertEquals("1:6", answer(WorkerClient.run(worker, request("pixels", image))));
        AssertSubscriber<WorkerFrame.OfRequest> dying = WorkerClient.run(worker, request("die KILL", image));
        failure(WorkerException.Died.class, dying);
        WorkerClient.ready(worker);
        assertEquals("1:6", answer(WorkerClient.run(worker, request("pixels", image))));
    }

    @Test
    void aRefusalOfTheWorkerIsAFailureWithItsCode() {
        SupervisedWorker worker = ready(Map.of());
        WorkerException.Rejected failure = failure(WorkerException.Rejected.class, run(worker, "refuse"));
        assertEquals("context_length_exceeded", failure.code());
        assertEquals("messages", failure.param());
        assertEquals(9, failure.promptTokens().orElseThrow());
        assertEquals(8, failure.contextSize().orElseThrow());
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
        until(
                "failure",
                () -> worker.state() == ModelWorker.State.FAILED && worker.pid().isEmpty());
        assertEquals("The model is of no use.", worker.failure().orElseThrow());
        assertEquals(0, worker.restarts());
        assertTrue(failure(WorkerException.NotReady.class, run(worker, "say a"))
                .getMessage()
                .contains("of no use"));
    }

    @Test
    void aModelThatKillsItsProcessWhileLoadingIsGivenUp() {
        SupervisedWorker worker = started("deadly", Map.of("restart.back-off", "0S"));
        until("failure", () -> worker.state() == ModelWorker.State.FAILED);
        assertEquals(2, worker.restarts());
        assertTrue(
                worker.failure().orElseThrow().contains("SIGKILL"),
                worker.failure().get());
    }

    /** Of five workers at once: each death takes the time of two starts. */
    @Test
    void aDeathFailsWhatRunsAndASuccessorAnswers() {
        Map<String, String> signals = Map.of(
                "die KILL",
                "SIGKILL",
                "die ABRT",
                "SIGABRT",
                "die SEGV",
                "SIGSEGV",
                "exit",
                "exit",
                "garbage",
                "SIGKILL");
        Map<String, SupervisedWorker> all = new TreeMap<>();
        signals.keySet().forEach(deadly -> all.put(deadly, started("good", Map.of())));
        Map<String, Long> pids = new TreeMap<>();
        Map<String, AssertSubscriber<WorkerFrame.OfRequest>> bystanders = new TreeMap<>();
        Map<String, AssertSubscriber<WorkerFrame.OfRequest>> culprits = new TreeMap<>();
        all.forEach((deadly, worker) -> {
            WorkerClient.ready(worker);
            pids.put(deadly, worker.pid().orElseThrow());
            bystanders.put(deadly, run(worker, "wait"));
        });
        all.forEach((deadly, worker) -> {
            until("the text", () -> text(bystanders.get(deadly)).equals("waiting"));
            culprits.put(deadly, run(worker, deadly));
        });
        all.forEach((deadly, worker) -> {
            failure(WorkerException.Died.class, culprits.get(deadly));
            failure(WorkerException.Died.class, bystanders.get(deadly));
            until("the successor after " + deadly, () -> worker.state() == ModelWorker.State.READY);
            assertNotEquals(pids.get(deadly), worker.pid().orElseThrow(), deadly);
            assertEquals(1, worker.restarts(), deadly);
            assertEquals("b", answer(run(worker, "say b")), deadly);
        });
        assertEquals(
                signals.values().stream().sorted().toList(),
                heard.stream()
                        .filter(event -> event.startsWith("died "))
                        .map(event -> event.substring("died ".length()))
                        .sorted()
                        .toList());
    }

    @Test
    void whatCameBeforeADeathIsDelivered() {
        SupervisedWorker worker = ready(Map.of());
        AssertSubscriber<WorkerFrame.OfRequest> answer = run(worker, "die KILL");
        failure(WorkerException.Died.class, answer);
        assertEquals("dying", text(answer));
    }

    @Test
    void anInputThatKillsAgainWhenItIsAloneIsRefused() {
        SupervisedWorker worker = ready(Map.of("restart.back-off", "0S"));
        for (int i = 0; i < 2; i++) {
            failure(WorkerException.Died.class, run(worker, "exit"));
            until("the successor", () -> worker.state() == ModelWorker.State.READY);
        }
        failure(WorkerException.Quarantined.class, run(worker, "exit"));
        assertEquals(2, worker.restarts());
        assertEquals("fine", answer(run(worker, "say fine")));
    }

    @Test
    void whatWasInFlightAtDeathsIsNeverRefused() {
        SupervisedWorker worker = ready(Map.of("restart.back-off", "0S"));
        for (int i = 0; i < 3; i++) { // two make a suspect that is refused
            AssertSubscriber<WorkerFrame.OfRequest> common = run(worker, "wait");
            until("the text", () -> text(common).equals("waiting"));
            failure(WorkerException.Died.class, run(worker, "die KILL " + i));
            failure(WorkerException.Died.class, common);
            until("the successor", () -> worker.state() == ModelWorker.State.READY);
        }
        AssertSubscriber<WorkerFrame.OfRequest> common = run(worker, "wait");
        until("the text", () -> text(common).equals("waiting"));
        assertEquals("beside", answer(run(worker, "say beside")), "it is no suspect either");
    }

    @Test
    void aSuspectIsWorkedOnAloneAndOthersWaitForItOnlySoLong() {
        SupervisedWorker worker = ready(Map.of("restart.back-off", "0S", "restart.probation", "1S"));
        long pid = worker.pid().orElseThrow();
        AssertSubscriber<WorkerFrame.OfRequest> first = run(worker, "deaf");
        until("the text", () -> text(first).equals("deaf"));
        failure(WorkerException.Died.class, run(worker, "die KILL deaf"));
        until(
                "the successor",
                () -> worker.state() == ModelWorker.State.READY && worker.pid().orElse(pid) != pid);

        AssertSubscriber<WorkerFrame.OfRequest> running = run(worker, "wait");
        until("the text", () -> text(running).equals("waiting"));
        AssertSubscriber<WorkerFrame.OfRequest> suspect = run(worker, "die KILL deaf");
        assertEquals("passes", answer(run(worker, "say passes")));
        assertEquals("", text(suspect));
        failure(WorkerException.Died.class, suspect);
        until("the successor", () -> worker.state() == ModelWorker.State.READY);
        assertEquals("open", answer(run(worker, "say open")), "it was not alone: nobody is refused");
        failure(WorkerException.Died.class, run(worker, "die KILL deaf"));
        until("the successor", () -> worker.state() == ModelWorker.State.READY);
        failure(WorkerException.Quarantined.class, run(worker, "die KILL deaf"));
    }

    @Test
    void aSuspectThatAnswersIsForgiven() {
        SupervisedWorker worker = ready(Map.of("restart.back-off", "0S"));
        AssertSubscriber<WorkerFrame.OfRequest> answer = run(worker, "say a");
        assertEquals("a", answer(answer));
        failure(WorkerException.Died.class, run(worker, "exit"));
        until("the successor", () -> worker.state() == ModelWorker.State.READY);
        assertEquals("a", answer(run(worker, "say a")));
    }

    @Test
    void aWaitingSuspectThatLeavesIsNotWaitedFor() {
        SupervisedWorker worker = ready(Map.of("restart.back-off", "0S"));
        failure(WorkerException.Died.class, run(worker, "exit"));
        until("the successor", () -> worker.state() == ModelWorker.State.READY);
        long pid = worker.pid().orElseThrow();
        AssertSubscriber<WorkerFrame.OfRequest> running = run(worker, "wait");
        until("the text", () -> text(running).equals("waiting"));
        run(worker, "exit").cancel();
        assertEquals(1, worker.inFlight());
        assertEquals("a", answer(run(worker, "say a")));
        assertEquals(pid, worker.pid().orElseThrow());
    }

    /** Where the machine is too busy for a process to begin within the time, no part can be named: it gets twice as long. */
    @Test
    void aModelWhoseLoadingHangsIsGivenUpAndThePartIsNamed() {
        String failure = "";
        int seconds = 1;
        while (!failure.endsWith(", at its chat template.") && seconds < 32) {
            seconds *= 2;
            SupervisedWorker worker = started("stuck", Map.of("load-stall-timeout", seconds + "S"));
            until(
                    "the failure",
                    () -> worker.state() == ModelWorker.State.FAILED
                            && worker.pid().isEmpty());
            failure = worker.failure().orElseThrow();
            assertEquals(0, worker.restarts());
        }
        assertEquals("Loading it got no further for " + seconds + " seconds, at its chat template.", failure);
    }

    @Test
    void nobodyWaitsForEverForAModelThatLoads() throws InterruptedException {
        SupervisedWorker worker = started("slow", Map.of("load-timeout", "1S"));
        assertFalse(worker.awaitReady());
        assertEquals("it has not loaded within 1 seconds", worker.whyNotReady());
    }

    @Test
    void whatNativeCodePrintsIsNoFrame() {
        SupervisedWorker worker = ready(Map.of());
        assertEquals("printed", answer(run(worker, "print")));
        assertEquals("a", answer(run(worker, "say a")));
    }

    @Test
    void aProcessThatTheSystemDoesNotStartIsTriedAgain() {
        WorkerConfig config = TestConfig.of(Map.of("restart.back-off", "0.05S"));
        ChildCommand command = new ChildCommand(config.process(), "dev.luq.worker.ScriptedWorker");
        AtomicInteger refusals = new AtomicInteger(3);
        SupervisedWorker worker = worker("good", config, (modelId, events) -> {
            if (refusals.getAndDecrement() > 0) {
                throw new IOException("error=11, Resource temporarily unavailable");
            }
            return WorkerProcess.start(modelId, command, events);
        });
        worker.start();
        assertEquals(ModelWorker.State.LOADING, worker.state());
        WorkerClient.ready(worker);
        assertEquals("a", answer(run(worker, "say a")));
        assertEquals(0, worker.restarts());
    }

    @Test
    void nobodyWaitsForAProcessThatIsBeingStarted() throws Exception {
        WorkerConfig config = TestConfig.of(Map.of());
        ChildCommand command = new ChildCommand(config.process(), "dev.luq.worker.ScriptedWorker");
        CountDownLatch begun = new CountDownLatch(1);
        CountDownLatch goOn = new CountDownLatch(1);
        CompletableFuture<Long> pid = new CompletableFuture<>();
        SupervisedWorker worker = worker("good", config, (modelId, events) -> {
            begun.countDown();
            reached("the end of the wait", goOn);
            WorkerProcess process = WorkerProcess.start(modelId, command, events);
            pid.complete(process.pid());
            return process;
        });
        Thread starting = new Thread(worker::start);
        starting.start();
        reached("the start", begun);
        assertEquals(ModelWorker.State.LOADING, worker.state());
        worker.drain();
        worker.end(System.nanoTime());
        goOn.countDown();
        starting.join();
        long started = completed("a process", pid);
        until(
                "its end: nobody wants it any more",
                () -> !ProcessHandle.of(started).map(ProcessHandle::isAlive).orElse(false));
        assertTrue(worker.pid().isEmpty());
        assertEquals(List.of("released"), heard);
    }

    @Test
    void aProcessThatDiesWhileItIsBeingStartedIsReplaced() {
        WorkerConfig config = TestConfig.of(Map.of());
        ChildCommand command = new ChildCommand(config.process(), "dev.luq.worker.ScriptedWorker");
        AtomicInteger deaths = new AtomicInteger(1);
        SupervisedWorker worker = worker("good", config, (modelId, events) -> {
            if (deaths.getAndDecrement() <= 0) {
                return WorkerProcess.start(modelId, command, events);
            }
            CountDownLatch dead = new CountDownLatch(1);
            WorkerProcess dying = WorkerProcess.start(modelId, command, new WorkerProcess.Events() {
                @Override
                public void frame(WorkerProcess process, WorkerFrame frame) {
                    events.frame(process, frame);
                }

                @Override
                public void ended(WorkerProcess process, ProcessExit exit) {
                    dead.countDown();
                    events.ended(process, exit);
                }
            });
            dying.kill();
            reached("its death", dead);
            return dying;
        });
        worker.start();
        WorkerClient.ready(worker);
        assertEquals(1, worker.restarts());
        assertEquals("a", answer(run(worker, "say a")));
    }

    @Test
    void aFileThatIsTruncatedWhileItIsServedIsNamedAsTheReasonAndNobodyBlamed(@TempDir Path folder) throws IOException {
        Path model = Files.writeString(folder.resolve("good"), "weights");
        SupervisedWorker worker = started(model.toString(), Map.of("restart.back-off", "0S"));
        WorkerClient.ready(worker);
        Files.writeString(model, "we");
        for (int i = 0; i < 2; i++) {
            WorkerException.Died death = failure(WorkerException.Died.class, run(worker, "die BUS"));
            assertEquals(
                    i == 0
                            ? "The model's process died while it worked on this request: the model's file was truncated"
                                    + " while it was served"
                            : "The model's process died while it worked on this request",
                    death.getMessage());
            until("the successor", () -> worker.state() == ModelWorker.State.READY);
        }
        assertTrue(heard.contains("died SIGBUS"), heard.toString());
    }

    @Test
    void countersAddUpOverProcesses() {
        SupervisedWorker worker = ready(Map.of());
        answer(run(worker, "say a b c"));
        until("stats", () -> worker.totals().generationTokens() == 3);
        failure(WorkerException.Died.class, run(worker, "exit"));
        until("the successor", () -> worker.state() == ModelWorker.State.READY);
        assertEquals(3, worker.totals().generationTokens());
        answer(run(worker, "say d"));
        until("sum", () -> worker.totals().generationTokens() == 4);
    }

    @Test
    void aClientThatLeavesStopsItsGeneration() {
        SupervisedWorker worker = ready(Map.of());
        AssertSubscriber<WorkerFrame.OfRequest> answer = run(worker, "wait");
        until("the text", () -> text(answer).equals("waiting"));
        answer.cancel();
        until("cancelled", () -> worker.totals().cancelled() == 1);
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
        assertEquals("a", answer(run(worker, "say a")));
    }

    @Test
    void whoHoldsMostGivesWayToWhoHasLess() {
        SupervisedWorker worker = ready(Map.of("slots", "2", "queue-size", "3"));
        AssertSubscriber<WorkerFrame.OfRequest> answered =
                WorkerClient.run(worker, request("wait").of("hog", null));
        until("the text", () -> text(answered).equals("waiting"));
        List<AssertSubscriber<WorkerFrame.OfRequest>> queued = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            queued.add(WorkerClient.run(worker, request("queued").of("hog", null)));
        }
        failure(
                WorkerException.QueueFull.class,
                WorkerClient.run(worker, request("queued").of("hog", null)));

        assertEquals("a", answer(WorkerClient.run(worker, request("say a").of("other", null))));
        assertTrue(failure(WorkerException.QueueFull.class, queued.get(3))
                .getMessage()
                .contains("fewer requests"));
        queued.get(2).assertNotTerminated();

        WorkerClient.run(worker, request("queued").of("third", null));
        WorkerClient.run(worker, request("queued").of("third", null));
        failure(WorkerException.QueueFull.class, queued.get(2));
        failure(
                WorkerException.QueueFull.class,
                WorkerClient.run(worker, request("queued").of("third", null)));
        queued.get(1).assertNotTerminated();
        answered.assertNotTerminated();
        assertEquals(5, worker.inFlight());
    }

    @Test
    void choicesOfAnAnswerThatHasBegunKeepTheirPlaces() {
        SupervisedWorker worker = ready(Map.of("slots", "1", "queue-size", "2"));
        InFlightAnswer begun = new InFlightAnswer();
        AssertSubscriber<WorkerFrame.OfRequest> first = run(worker, "wait", begun);
        until("the text", () -> text(first).equals("waiting"));
        AssertSubscriber<WorkerFrame.OfRequest> second = run(worker, "queued", begun);
        AssertSubscriber<WorkerFrame.OfRequest> another = run(worker, "queued", new InFlightAnswer());
        assertEquals("a", answer(WorkerClient.run(worker, request("say a").of("other", null))));
        failure(WorkerException.QueueFull.class, another);
        second.assertNotTerminated();
        first.cancel();
    }

    private static AssertSubscriber<WorkerFrame.OfRequest> run(
            SupervisedWorker worker, String chat, InFlightAnswer answer) {
        AssertSubscriber<WorkerFrame.OfRequest> subscriber = AssertSubscriber.create(Long.MAX_VALUE);
        worker.generate(request(chat).of("hog", null), answer).subscribe().withSubscriber(subscriber);
        return subscriber;
    }

    @Test
    void furtherChoicesOfAnAnswerThatHasBegunAreAdmittedWhenNewcomersFillTheQueue() {
        SupervisedWorker worker = ready(Map.of("slots", "1", "queue-size", "1"));
        InFlightAnswer begun = new InFlightAnswer();
        assertEquals("a", answer(run(worker, "say a", begun)));
        WorkerClient.run(worker, request("queued"));
        WorkerClient.run(worker, request("queued"));
        failure(WorkerException.QueueFull.class, WorkerClient.run(worker, request("say b")));
        assertEquals("b", answer(run(worker, "say b", begun)));
    }

    @Test
    void theChoicesAndTheQueriesOfAnAnswerHaveOneDeadline() {
        SupervisedWorker worker = ready(Map.of("deadline", "1H"));
        InFlightAnswer late = new InFlightAnswer(System.nanoTime() - TimeUnit.HOURS.toNanos(1));
        failure(WorkerException.DeadlineExceeded.class, run(worker, "wait", late));
        assertInstanceOf(
                WorkerException.DeadlineExceeded.class,
                count(worker, "wait", "hog", late).awaitFailure().getFailure());
    }

    @Test
    void whoseImagesTakeMostGivesWayToo() {
        SupervisedWorker worker = ready(Map.of("image-bytes-in-flight", "600"));
        List<AssertSubscriber<WorkerFrame.OfRequest>> queued = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            queued.add(WorkerClient.run(worker, request("queued", other()).of("hog", null)));
        }
        assertEquals(
                "1:0",
                answer(WorkerClient.run(worker, request("pixels", other()).of("other", null))));
        failure(WorkerException.QueueFull.class, queued.get(2));
        queued.get(1).assertNotTerminated();
    }

    @Test
    void imagesInFlightAreBounded() {
        SupervisedWorker worker = ready(Map.of("image-bytes-in-flight", "300"));
        ServerFrame.Image large = new ServerFrame.Image(10, 11, "l", new byte[330]);
        ServerFrame.Image half = new ServerFrame.Image(10, 6, "h", new byte[180]);
        ServerFrame.Image another = other();
        assertEquals(
                "request_too_large",
                failure(WorkerException.Rejected.class, WorkerClient.run(worker, request("pixels", large)))
                        .code());
        AssertSubscriber<WorkerFrame.OfRequest> first = WorkerClient.run(worker, request("encode", half));
        failure(WorkerException.QueueFull.class, WorkerClient.run(worker, request("pixels", another)));
        first.cancel();
        assertEquals("1:0", answer(onceThereIsRoom(worker, () -> request("pixels", other()))));
    }

    @Test
    void imagesCountUntilTheirAnswerBegins() {
        SupervisedWorker worker = ready(Map.of("image-bytes-in-flight", "300"));
        ServerFrame.Image half = new ServerFrame.Image(10, 6, "h", new byte[180]);
        AssertSubscriber<WorkerFrame.OfRequest> answering = WorkerClient.run(worker, request("wait", half));
        until("the text", () -> text(answering).equals("waiting"));
        ServerFrame.Image another = other();
        assertEquals("1:0", answer(WorkerClient.run(worker, request("pixels", another))));
    }

    @Test
    void choicesOfAnAnswerHaveTheirImagesTogetherAndLetThemGoTogether() {
        SupervisedWorker worker = ready(Map.of("image-bytes-in-flight", "300"));
        ServerFrame.Image shared = new ServerFrame.Image(10, 6, "h", new byte[180]);
        InFlightAnswer answer = new InFlightAnswer();
        answer.whenTokenized(2, shared.pixels()::letGo);
        AssertSubscriber<WorkerFrame.OfRequest> first = AssertSubscriber.create(Long.MAX_VALUE);
        worker.generate(request("encode", shared), answer).subscribe().withSubscriber(first);
        until("the first", () -> !first.getItems().isEmpty());
        assertNotNull(shared.rgb(), "the other choice needs them");
        AssertSubscriber<WorkerFrame.OfRequest> second = AssertSubscriber.create(Long.MAX_VALUE);
        worker.generate(request("pixels", shared), answer).subscribe().withSubscriber(second);
        assertEquals("1:0", answer(second));
        assertNull(shared.rgb());
        first.assertNotTerminated();
        ServerFrame.Image another = other();
        failure(WorkerException.QueueFull.class, WorkerClient.run(worker, request("pixels", another)));
    }

    @Test
    void imagesOfACancelledRequestCountUntilTheWorkerHasGivenThemUp() {
        SupervisedWorker worker = ready(Map.of("image-bytes-in-flight", "300"));
        ServerFrame.Image half = new ServerFrame.Image(10, 6, "h", new byte[180]);
        AssertSubscriber<WorkerFrame.OfRequest> unconfirmed = WorkerClient.run(worker, request("encode-deaf", half));
        until("it is there", () -> !unconfirmed.getItems().isEmpty());
        unconfirmed.cancel();
        assertEquals(0, worker.inFlight());
        failure(WorkerException.QueueFull.class, WorkerClient.run(worker, request("pixels", other())));
        assertEquals("a", answer(run(worker, "say a")));
        failure(WorkerException.Died.class, run(worker, "die KILL"));
        WorkerClient.ready(worker);
        assertEquals("1:0", answer(WorkerClient.run(worker, request("pixels", other()))));
    }

    private static ServerFrame.Image other() {
        return new ServerFrame.Image(10, 6, "o", new byte[180]);
    }

    private static AssertSubscriber<WorkerFrame.OfRequest> onceThereIsRoom(
            SupervisedWorker worker, Supplier<ServerFrame.Generate> request) {
        AtomicReference<AssertSubscriber<WorkerFrame.OfRequest>> answer = new AtomicReference<>();
        until("room", () -> {
            answer.set(WorkerClient.run(worker, request.get()));
            return !(answer.get().getFailure() instanceof WorkerException.QueueFull);
        });
        return answer.get();
    }

    /** Two bytes a character, until the engine has made tokens of it. */
    @Test
    void textThatWaitsForTheEngineIsBounded() {
        SupervisedWorker worker = ready(Map.of("text-bytes-in-flight", "300"));
        assertEquals(
                "request_too_large",
                failure(WorkerException.Rejected.class, run(worker, "say " + "a".repeat(150)))
                        .code());
        AssertSubscriber<WorkerFrame.OfRequest> first = run(worker, "prepare " + "a".repeat(100));
        failure(WorkerException.QueueFull.class, run(worker, "say " + "b".repeat(100)));
        first.cancel();
        AssertSubscriber<WorkerFrame.OfRequest> taken =
                onceThereIsRoom(worker, () -> request("wait " + "c".repeat(100)));
        until("the text", () -> text(taken).equals("waiting"));
        assertEquals("b".repeat(100), answer(run(worker, "say " + "b".repeat(100))));
        taken.cancel();
    }

    @Test
    void aDeadlineEndsTheGeneration() {
        SupervisedWorker worker = ready(Map.of("deadline", "1S"));
        failure(WorkerException.DeadlineExceeded.class, run(worker, "wait"));
        until("cancelled", () -> worker.totals().cancelled() == 1);
        assertEquals(0, worker.inFlight());
    }

    @Test
    void aWorkerThatDoesNotStopIsReplaced() {
        SupervisedWorker worker = ready(Map.of("stall-timeout", "1S"));
        long pid = worker.pid().orElseThrow();
        AssertSubscriber<WorkerFrame.OfRequest> answer = run(worker, "deaf");
        until("the text", () -> text(answer).equals("deaf"));
        answer.cancel();
        until(
                "the successor",
                () -> worker.state() == ModelWorker.State.READY && worker.pid().orElse(pid) != pid);
        assertTrue(heard.contains("died SIGKILL"), heard.toString());
    }

    @Test
    void aReaderThatFallsBehindIsCutOffAndDisturbsNobody() {
        SupervisedWorker worker = ready(Map.of("stream-buffer", "50"));
        AssertSubscriber<WorkerFrame.OfRequest> slow = AssertSubscriber.create(0);
        worker.generate(request("more 20000")).subscribe().withSubscriber(slow);
        until("permit back", () -> heard.contains("ended cancelled"));
        assertEquals("a", answer(run(worker, "say a")));
        slow.request(Long.MAX_VALUE);
        failure(WorkerException.SlowReader.class, slow);
        assertTrue(slow.getItems().size() <= 50, () -> slow.getItems().size() + " items");
    }

    @Test
    void drainingRefusesNewRequestsAndLetsRunningOnesEnd() throws InterruptedException {
        SupervisedWorker worker = ready(Map.of());
        ProcessHandle process = ProcessHandle.of(worker.pid().orElseThrow()).orElseThrow();
        AssertSubscriber<WorkerFrame.OfRequest> running = run(worker, "wait");
        until("the text", () -> text(running).equals("waiting"));
        worker.drain();
        assertEquals(
                ModelWorker.State.DRAINING,
                failure(WorkerException.NotReady.class, run(worker, "say a")).state());
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
        assertEquals("released", heard.get(heard.size() - 1));
    }

    /** Further choices, and further texts to embed, are submitted when those before them have ended. */
    @Test
    void drainingLetsAnswersThatHaveBegunEnd() {
        SupervisedWorker worker = ready(Map.of());
        InFlightAnswer choices = new InFlightAnswer();
        assertEquals("a", answer(run(worker, "say a", choices)));
        InFlightAnswer queries = new InFlightAnswer();
        count(worker, "one", "many", queries).awaitItem();
        worker.drain();
        assertEquals("b", answer(run(worker, "say b", choices)));
        assertEquals(
                2,
                count(worker, "two words", "many", queries)
                        .awaitItem()
                        .getItem()
                        .tokens());
        assertInstanceOf(
                WorkerException.NotReady.class,
                count(worker, "one", "many", new InFlightAnswer())
                        .awaitFailure()
                        .getFailure());
        worker.giveUp();
        failure(WorkerException.NotReady.class, run(worker, "say c", choices));
    }

    @Test
    void drainingGivesUpWhatTakesTooLong() throws InterruptedException {
        SupervisedWorker worker = ready(Map.of());
        AssertSubscriber<WorkerFrame.OfRequest> running = run(worker, "wait");
        worker.drain();
        worker.end(System.nanoTime());
        assertEquals(
                ModelWorker.State.DRAINING,
                failure(WorkerException.NotReady.class, running).state());
    }

    private SupervisedWorker ready(Map<String, String> config) {
        SupervisedWorker worker = started("good", config);
        WorkerClient.ready(worker);
        return worker;
    }

    private SupervisedWorker started(String model, Map<String, String> values) {
        WorkerConfig config = TestConfig.of(values);
        ChildCommand command = new ChildCommand(config.process(), "dev.luq.worker.ScriptedWorker");
        SupervisedWorker worker =
                worker(model, config, (modelId, events) -> WorkerProcess.start(modelId, command, events));
        worker.start();
        return worker;
    }

    private SupervisedWorker worker(String model, WorkerConfig config, SupervisedWorker.Launcher launcher) {
        ServerFrame.Load load = new ServerFrame.Load(
                List.of(model), null, 0, config.slots(), 512, 0, 0, 0, 0, 0, 0, config.kernels(), KvType.F16, null);
        SupervisedWorker worker = new SupervisedWorker(
                "test",
                load,
                config,
                launcher,
                timer,
                listener,
                new Quarantine(config.restart()),
                () -> heard.add("released"));
        workers.add(worker);
        return worker;
    }

    private static AssertSubscriber<WorkerFrame.OfRequest> run(SupervisedWorker worker, String messages) {
        return WorkerClient.run(worker, request(messages));
    }

    private static ServerFrame.Generate request(String messages, ServerFrame.Image... images) {
        return WorkerClient.request(messages, 0, images);
    }
}
