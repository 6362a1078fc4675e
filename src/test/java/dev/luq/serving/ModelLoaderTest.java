package dev.luq.serving;

import static dev.luq.Until.completed;
import static dev.luq.Until.reached;
import static dev.luq.Until.until;
import static dev.luq.serving.WorkerClient.answer;
import static dev.luq.serving.WorkerClient.failure;
import static dev.luq.serving.WorkerClient.text;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.luq.Integration;
import dev.luq.catalog.KeepAlive;
import dev.luq.catalog.LoadPolicy;
import dev.luq.catalog.ModelSettings;
import dev.luq.machine.KvType;
import dev.luq.process.ChildCommand;
import dev.luq.protocol.ServerFrame;
import dev.luq.protocol.WorkerFrame;
import io.smallrye.mutiny.Multi;
import io.smallrye.mutiny.Uni;
import io.smallrye.mutiny.helpers.test.AssertSubscriber;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/**
 * Against real child processes whose models do what a test needs; each model takes 1 GiB by its files, as it is said.
 */
@Integration
class ModelLoaderTest {

    private static final long GIB = 1L << 30;
    /** Of two models one fits. */
    private static final Map<String, String> ROOM_FOR_ONE = Map.of("memory-limit-bytes", String.valueOf(3 * GIB / 2));

    private final ScheduledExecutorService timer = Executors.newScheduledThreadPool(1);
    private final ExecutorService background = Executors.newCachedThreadPool();
    /** What happened to models, in order. */
    private final List<String> history = new CopyOnWriteArrayList<>();
    /** Most processes at one time. */
    private int most;

    private final Map<String, ModelRoute> routes = new HashMap<>();
    /** What loading does, by model; {@code good} where nothing is said. */
    private final Map<String, String> scripts = new HashMap<>();

    private final GenerationListener generations = new GenerationListener() {
        @Override
        public void rejected(String modelId, String reason) {
            if (defects.getAndDecrement() > 0) {
                throw new IllegalStateException("a defect");
            }
            history.add(modelId + " rejected " + reason);
        }
    };

    private final ModelListener models = new ModelListener() {
        @Override
        public void added(ModelWorker worker) {}

        @Override
        public void changed(ModelWorker worker) {}

        @Override
        public void removed(String modelId) {}

        @Override
        public void loaded(String modelId, Duration took) {
            history.add(modelId + " loaded");
        }

        @Override
        public void unloaded(String modelId, String reason) {
            history.add(modelId + " " + reason);
        }
    };

    private final AtomicInteger tasks = new AtomicInteger();
    /** How often the system gives no thread from now on. */
    private final AtomicInteger refusals = new AtomicInteger();
    /** How often a listener fails from now on. */
    private final AtomicInteger defects = new AtomicInteger();
    /** Bytes of each model by its files. */
    private volatile long estimate = GIB;
    /** Which of the loader's tasks in the background does not begin by itself, from 1; 0 for none. */
    private int late;

    private final CompletableFuture<Runnable> lateTask = new CompletableFuture<>();
    /** Whether models are loaded at requests, those that are not loaded on demand too. */
    private volatile boolean wanted = true;

    private WorkerConfig config;
    private ModelLoader loader;

    @AfterEach
    void endAll() throws InterruptedException {
        loader.drain();
        background.shutdown();
        assertTrue(background.awaitTermination(30, TimeUnit.SECONDS));
        for (ModelRoute route : routes.values()) {
            route.end();
        }
        timer.shutdownNow();
    }

    @Test
    void aRequestLoadsItsModelAndIsAnswered() {
        start(Map.of());
        ModelRoute a = demand("a");
        assertEquals(ModelWorker.State.UNLOADED, a.state());
        assertTrue(a.pid().isEmpty());
        assertEquals("hi", answer(ask(a, "say hi")));
        assertEquals(ModelWorker.State.READY, a.state());
        assertEquals(List.of("a loaded"), history);
        assertTrue(a.residence().lastUsed().isPresent());
        assertTrue(a.residence().measuredBytes() > 10 << 20);
    }

    @Test
    void manyRequestsLoadItOnce() {
        start(Map.of());
        ModelRoute a = demand("a");
        List<AssertSubscriber<WorkerFrame.OfRequest>> answers = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            answers.add(ask(a, "say " + i));
        }
        for (int i = 0; i < 5; i++) {
            assertEquals(String.valueOf(i), answer(answers.get(i)));
        }
        assertEquals(List.of("a loaded"), history);
        assertEquals(1, most);
    }

    @Test
    void anIdleModelGoesAndComesBack() {
        start(Map.of());
        ModelRoute a = model("a", LoadPolicy.DEMAND, false, "200ms");
        answer(ask(a, "say x"));
        until("unloaded", () -> history.contains("a idle"));
        assertEquals(ModelWorker.State.UNLOADED, a.state());
        assertEquals(0, loader.memory().taken());
        assertEquals("y", answer(ask(a, "say y")));
        assertEquals(List.of("a loaded", "a idle", "a loaded"), history.subList(0, 3));
    }

    @Test
    void theLatestRequestSaysHowLongTheModelStays() {
        start(Map.of());
        ModelRoute a = model("a", LoadPolicy.DEMAND, false, "0");
        answer(ask(a, "say x", KeepAlive.NEVER));
        answer(ask(a, "say y", KeepAlive.of("1h")));
        assertEquals(List.of("a loaded"), history);
        answer(ask(a, "say z"));
        until("unloaded", () -> history.contains("a idle"));
    }

    @Test
    void aModelIsNotIdleBeforeItHasLoaded() {
        start(Map.of());
        ModelRoute a = model("a", LoadPolicy.START, false, "0");
        loader.enter("a");
        assertFalse(history.contains("a idle"));
        new ScriptedModels().start(a);
        until("unloaded", () -> history.contains("a idle"));
        assertEquals(List.of("a loaded", "a idle"), history);
    }

    @Test
    void aModelIsNotIdleWhileItAnswers() {
        start(Map.of());
        ModelRoute a = model("a", LoadPolicy.DEMAND, false, "0");
        AssertSubscriber<WorkerFrame.OfRequest> running = busy(a);
        assertEquals("x", answer(ask(a, "say x")));
        assertEquals(ModelWorker.State.READY, a.state());
        running.cancel();
        until("unloaded", () -> history.contains("a idle"));
    }

    @Test
    void theLeastRecentlyUsedOneMakesRoom() {
        start(Map.of("memory-limit-bytes", String.valueOf(5 * GIB / 2)));
        ModelRoute a = demand("a");
        ModelRoute b = demand("b");
        ModelRoute c = demand("c");
        answer(ask(a, "say x"));
        answer(ask(b, "say x"));
        answer(ask(a, "say x"));
        assertEquals("y", answer(ask(c, "say y")));
        assertEquals(List.of("a loaded", "b loaded", "b evicted", "c loaded"), history);
        assertEquals(ModelWorker.State.READY, a.state());
        assertEquals(2, most);
    }

    @Test
    void twoModelsOfWhichOneFitsAnswerInTurn() {
        start(ROOM_FOR_ONE);
        ModelRoute a = demand("a");
        ModelRoute b = demand("b");
        List<AssertSubscriber<WorkerFrame.OfRequest>> answers = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            answers.add(ask(a, "say a" + i));
            answers.add(ask(b, "say b" + i));
        }
        for (int i = 0; i < 3; i++) {
            assertEquals("a" + i, answer(answers.get(2 * i)));
            assertEquals("b" + i, answer(answers.get(2 * i + 1)));
        }
        assertEquals("again", answer(ask(a, "say again")));
        assertEquals(1, most, "never two at once");
        assertTrue(history.size() < 9, () -> "those that wait for a model are answered together: " + history);
    }

    @Test
    void aBusyModelGivesWayWhenItHasAnswered() {
        start(ROOM_FOR_ONE);
        ModelRoute a = demand("a");
        ModelRoute b = demand("b");
        AssertSubscriber<WorkerFrame.OfRequest> running = busy(a);
        AssertSubscriber<WorkerFrame.OfRequest> waiting = ask(b, "say b");
        until("queued", () -> b.state() == ModelWorker.State.LOADING);
        AssertSubscriber<WorkerFrame.OfRequest> later = ask(a, "say later");
        assertTrue(b.pid().isEmpty());
        running.cancel();
        assertEquals("b", answer(waiting));
        assertEquals("later", answer(later), "before or after the other one");
        assertEquals(List.of("a loaded", "a evicted", "b loaded"), history.subList(0, 3));
        assertEquals(1, most);
    }

    @Test
    void whatWaitsForItsModelIsCountedAsWaiting() {
        start(ROOM_FOR_ONE);
        ModelRoute a = demand("a");
        ModelRoute b = demand("b");
        AssertSubscriber<WorkerFrame.OfRequest> running = busy(a);
        AssertSubscriber<WorkerFrame.OfRequest> waiting = ask(b, "say b");
        AssertSubscriber<WorkerFrame.OfRequest> leaving = ask(b, "say b");
        assertEquals(2, b.waiting());
        assertEquals(2, b.inFlight());
        leaving.cancel();
        assertEquals(1, b.waiting());
        running.cancel();
        answer(waiting);
        until("nothing to wait", () -> b.waiting() == 0);
        assertEquals(0, b.inFlight());
    }

    @Test
    void aRequestThatWaitsTooLongForABusyModelIsRefused() {
        start(Map.of("memory-limit-bytes", String.valueOf(3 * GIB / 2), "load-wait", "300ms"));
        scripts.put("a", "slow");
        ModelRoute a = demand("a");
        ModelRoute b = demand("b");
        AssertSubscriber<WorkerFrame.OfRequest> first = ask(a, "say x");
        AssertSubscriber<WorkerFrame.OfRequest> second = ask(b, "say x");
        WorkerException.NotReady loading = failure(WorkerException.NotReady.class, first);
        assertEquals(ModelWorker.State.LOADING, loading.state());
        failure(WorkerException.NotReady.class, second);
        assertTrue(
                history.containsAll(List.of("a rejected model_loading", "b rejected model_loading")),
                history::toString);
    }

    @Test
    void noRequestWaitsForItsModelBeyondItsDeadline() {
        start(Map.of("deadline", "300ms"));
        scripts.put("a", "slow");
        ModelRoute a = demand("a");
        failure(WorkerException.NotReady.class, ask(a, "say x"));
        assertEquals(List.of("a rejected model_loading"), history);
    }

    @Test
    void theLoadOfAModelForWhichARequestWaitedTooLongGoesOn() {
        start(Map.of("memory-limit-bytes", String.valueOf(3 * GIB / 2)));
        ModelRoute a = demand("a");
        ModelRoute b = model("b", LoadPolicy.DEMAND, false, "1ms");
        AssertSubscriber<WorkerFrame.OfRequest> running = busy(a);
        AssertSubscriber<WorkerFrame.OfRequest> impatient = AssertSubscriber.create(Long.MAX_VALUE);
        b.whenLoaded(null, Duration.ZERO, Optional.empty(), info -> b.generate(WorkerClient.request("say b", 0)))
                .subscribe()
                .withSubscriber(impatient);
        failure(WorkerException.NotReady.class, impatient);
        assertEquals(ModelWorker.State.LOADING, b.state());
        running.cancel();
        until("loaded", () -> history.contains("b loaded"));
        until("idle", () -> history.contains("b idle"));
    }

    @Test
    void aRequestForAModelThatIsSwappedBeforeItHasLoadedWaits() throws Exception {
        start(Map.of());
        scripts.put("a", "slow");
        ModelRoute a = demand("a");
        AssertSubscriber<WorkerFrame.OfRequest> first = ask(a, "say first");
        until("a process", () -> a.pid().isPresent());
        AssertSubscriber<WorkerFrame.OfRequest> second = loader.swapping("a", () -> {
            loader.replacing("a", GIB, false);
            a.pause();
            a.retire(a.replace(null));
            assertEquals(ModelWorker.State.SWAPPING, a.state());
            AssertSubscriber<WorkerFrame.OfRequest> asked = ask(a, "say second");
            a.resume(ready(a));
            return asked;
        });
        assertEquals("first", answer(first));
        assertEquals("second", answer(second));
    }

    @Test
    void aModelThatASwapLeftWithoutAProcessIsLoadedByTheNextRequest() throws Exception {
        start(Map.of());
        ModelRoute a = demand("a");
        answer(ask(a, "say x"));
        loader.swapping("a", () -> {
            loader.replacing("a", GIB, false);
            a.pause();
            a.retire(a.replace(null));
            a.resume(null);
            return null;
        });
        assertEquals(ModelWorker.State.UNLOADED, a.state());
        assertEquals(0, loader.memory().taken());
        assertEquals("y", answer(ask(a, "say y")));
    }

    @Test
    void aSwappedModelTakesTheMemoryOfBothProcessesUntilTheFirstOneIsGone() throws Exception {
        start(Map.of());
        ModelRoute a = demand("a");
        AssertSubscriber<WorkerFrame.OfRequest> running = busy(a);
        SupervisedWorker before = loader.swapping("a", () -> {
            loader.replacing("a", 2 * GIB, true);
            SupervisedWorker replaced = a.replace(ready(a));
            estimate = 2 * GIB;
            return replaced;
        });
        assertEquals("x", answer(ask(a, "say x")));
        assertEquals(3 * GIB, loader.memory().taken());
        running.cancel();
        a.retire(before);
        until("what the next one takes", () -> loader.memory().taken() == 2 * GIB);
    }

    @Test
    void aModelIsNotIdleWhileItsSwapWaitsForItsTurn() throws Exception {
        start(Map.of());
        ModelRoute a = model("a", LoadPolicy.DEMAND, false, "0");
        AssertSubscriber<WorkerFrame.OfRequest> running = busy(a);
        CountDownLatch taken = new CountDownLatch(1);
        CountDownLatch over = new CountDownLatch(1);
        Thread other = thread(() -> loader.exclusively("a", () -> {
            taken.countDown();
            reached("the end of the turn", over);
            return null;
        }));
        reached("another one's turn", taken);
        Thread swap = thread(() -> loader.swapping("a", () -> null));
        until("the swap waits", () -> swap.getState() == Thread.State.WAITING);
        running.cancel();
        assertEquals("x", answer(ask(a, "say x")));
        over.countDown();
        other.join();
        swap.join();
        until("unloaded", () -> history.contains("a idle"));
    }

    private static Thread thread(Callable<?> body) {
        Thread thread = new Thread(() -> {
            try {
                body.call();
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
        });
        thread.start();
        return thread;
    }

    @Test
    void anEndThatComesAfterASwapLeavesTheNextProcess() throws Exception {
        late = 3; // after what sizes and what starts the model
        start(Map.of());
        ModelRoute a = model("a", LoadPolicy.DEMAND, false, "0");
        answer(ask(a, "say x"));
        Runnable lateEnd = completed("the end of the idle model", lateTask);
        AssertSubscriber<WorkerFrame.OfRequest> next = ask(a, "say next", KeepAlive.NEVER);
        SupervisedWorker before = loader.swapping("a", () -> {
            loader.replacing("a", GIB, true);
            return a.replace(ready(a));
        });
        assertEquals("next", answer(next));
        long pid = a.pid().orElseThrow();
        a.retire(before);
        lateEnd.run();
        assertEquals("last", answer(ask(a, "say last", KeepAlive.NEVER)));
        assertEquals(pid, a.pid().orElseThrow());
        assertEquals(List.of("a loaded"), history);
    }

    @Test
    void anUnloadThatComesAfterALoadLeavesIt() throws Exception {
        late = 1;
        start(Map.of());
        ModelRoute a = demand("a");
        CompletableFuture<Void> unload = loader.unload("a");
        Runnable lateEnd = completed("the end", lateTask);
        assertEquals("x", answer(ask(a, "say x")));
        lateEnd.run();
        completed("the end", unload);
        assertEquals("y", answer(ask(a, "say y")));
        assertEquals(List.of("a loaded"), history);
    }

    @Test
    void aThreadThatTheSystemDoesNotGiveIsAskedForAgain() {
        start(Map.of());
        ModelRoute a = model("a", LoadPolicy.DEMAND, false, "0");
        refusals.set(3);
        AssertSubscriber<WorkerFrame.OfRequest> running = busy(a);
        refusals.set(1);
        running.cancel();
        until("unloaded", () -> history.contains("a idle"));
        until("no memory", () -> loader.memory().taken() == 0);
    }

    @Test
    void whatFailsForOneClientIsDoneForTheOthers() {
        start(Map.of());
        scripts.put("a", "slow");
        ModelRoute a = demand("a");
        ask(a, "say x");
        AssertSubscriber<WorkerFrame.OfRequest> second = ask(a, "say y");
        defects.set(1);
        loader.unload("a").join();
        failure(WorkerException.NotReady.class, second);
    }

    @Test
    void aClientThatLeavesBeforeItHasAskedHoldsNothing() {
        start(Map.of());
        ModelRoute a = demand("a");
        a.whenLoaded(null, Optional.empty(), info -> a.generate(WorkerClient.request("say x", 0)))
                .subscribe()
                .withSubscriber(new AssertSubscriber<>(Long.MAX_VALUE, true));
        assertEquals(ModelWorker.State.UNLOADED, a.state());
        assertEquals(0, tasks.get());
    }

    @Test
    void aModelWhoseFilesAreNotReadHoldsNobodyBackAndTheyAreReadOnce() throws Exception {
        late = 1;
        start(ROOM_FOR_ONE);
        ModelRoute a = demand("a");
        ModelRoute b = demand("b");
        AssertSubscriber<WorkerFrame.OfRequest> first = ask(a, "say a");
        AssertSubscriber<WorkerFrame.OfRequest> second = ask(a, "say a");
        Runnable reads = completed("the reader", lateTask);
        assertEquals(1, tasks.get());
        assertEquals("b", answer(ask(b, "say b")));
        reads.run();
        assertEquals("a", answer(first));
        assertEquals("a", answer(second));
    }

    @Test
    void aStartThatComesLateLeavesAModelThatIsServedAsItIs() throws Exception {
        late = 2; // what sizes the model comes before
        start(Map.of());
        ModelRoute a = demand("a");
        AssertSubscriber<WorkerFrame.OfRequest> first = ask(a, "say first");
        Runnable lateStart = completed("the first start", lateTask);
        loader.unload("a").join();
        failure(WorkerException.NotReady.class, first);
        assertEquals("second", answer(ask(a, "say second")));
        long pid = a.pid().orElseThrow();
        lateStart.run();
        assertEquals("third", answer(ask(a, "say third")));
        assertEquals(pid, a.pid().orElseThrow());
        assertTrue(loader.memory().taken() > 0);
    }

    @Test
    void aModelWhoseSizeCannotBeFoundOutHoldsNobodyBack() {
        start(ROOM_FOR_ONE);
        ModelRoute a = demand("a");
        ModelRoute b = demand("b");
        scripts.put("a", "unsized");
        WorkerException.NotReady failed = failure(WorkerException.NotReady.class, ask(a, "say a"));
        assertTrue(failed.getMessage().contains("memory"), failed.getMessage());
        assertEquals("b", answer(ask(b, "say b")));
    }

    @Test
    void aClientThatLeavesGivesUpItsPlace() {
        start(ROOM_FOR_ONE);
        ModelRoute a = demand("a");
        ModelRoute b = demand("b");
        AssertSubscriber<WorkerFrame.OfRequest> running = busy(a);
        AssertSubscriber<WorkerFrame.OfRequest> leaving = ask(b, "say b");
        until("queued", () -> b.state() == ModelWorker.State.LOADING);
        leaving.cancel();
        assertEquals(ModelWorker.State.UNLOADED, b.state());
        assertEquals("more", answer(ask(a, "say more")), "nobody needs its memory any more");
        running.cancel();
        assertEquals(List.of("a loaded", "b rejected cancelled"), history);
    }

    @Test
    void aLoadThatDiesIsTriedAgainAndThenGivenUp() {
        start(Map.of("restart.back-off", "0S"));
        scripts.put("a", "deadly");
        ModelRoute a = demand("a");
        WorkerException.NotReady failed = failure(WorkerException.NotReady.class, ask(a, "say x"));
        assertEquals(ModelWorker.State.FAILED, failed.state());
        assertTrue(failed.getMessage().contains("3 times"), failed.getMessage());
        until("no memory", () -> loader.memory().taken() == 0);
        failure(WorkerException.NotReady.class, ask(a, "say x"));
        assertEquals(List.of("a rejected model_failed", "a rejected model_failed"), history);
    }

    @Test
    void aWorkerKilledWhileItLoadsIsReplacedAndTheRequestAnswered() {
        start(Map.of("restart.back-off", "0S"));
        ModelRoute a = demand("a");
        AssertSubscriber<WorkerFrame.OfRequest> waiting = ask(a, "say x");
        until("a process", () -> a.pid().isPresent());
        ProcessHandle.of(a.pid().orElseThrow()).ifPresent(ProcessHandle::destroyForcibly);
        assertEquals("x", answer(waiting));
    }

    @Test
    void pinnedModelsStayAndTheRefusalNamesThem() {
        start(ROOM_FOR_ONE);
        ModelRoute pinned = model("pinned", LoadPolicy.DEMAND, true, "never");
        ModelRoute b = demand("b");
        answer(ask(pinned, "say x"));
        WorkerException.DoesNotFit refused = failure(WorkerException.DoesNotFit.class, ask(b, "say x"));
        assertEquals(
                "The model b needs 1024 MiB of memory, and all models together may take 1536 MiB; models that stay"
                        + " loaded take 1024 MiB",
                refused.getMessage());
        assertTrue(refused.naming(id -> true).getMessage().endsWith("pinned (1024 MiB)"));
        assertEquals(refused.getMessage(), refused.naming(id -> false).getMessage());
        assertEquals(ModelWorker.State.READY, pinned.state());
        assertEquals(ModelWorker.State.UNLOADED, b.state());
    }

    @Test
    void anAdministratorsUnloadRefusesWhoWaits() {
        start(Map.of());
        scripts.put("a", "slow");
        ModelRoute a = demand("a");
        AssertSubscriber<WorkerFrame.OfRequest> waiting = ask(a, "say x");
        until("a process", () -> a.pid().isPresent());
        long pid = a.pid().orElseThrow();
        loader.unload("a").join();
        assertEquals(
                ModelWorker.State.UNLOADED,
                failure(WorkerException.NotReady.class, waiting).state());
        assertFalse(ProcessHandle.of(pid).map(ProcessHandle::isAlive).orElse(false));
        assertEquals(0, loader.memory().taken());
        scripts.put("a", "good");
        assertEquals("x", answer(ask(a, "say x")), "the next request loads it again");
    }

    @Test
    void aRequestThatComesWhileItsModelEndsIsAnsweredByTheNextProcess() {
        start(Map.of());
        ModelRoute a = demand("a");
        AssertSubscriber<WorkerFrame.OfRequest> running = busy(a);
        CompletableFuture<Void> unload = loader.unload("a");
        AssertSubscriber<WorkerFrame.OfRequest> next = ask(a, "say next");
        assertFalse(unload.isDone());
        running.cancel();
        assertEquals("next", answer(next));
        unload.join();
        assertEquals(List.of("a loaded", "a admin", "a loaded"), history);
    }

    @Test
    void anUnloadLetsAnAnswerThatHasBegunComeToItsEnd() {
        start(Map.of());
        ModelRoute a = demand("a");
        CompletableFuture<Void> between = new CompletableFuture<>();
        AssertSubscriber<WorkerFrame.OfRequest> answer = begun(a, between);
        CompletableFuture<Void> unload = loader.unload("a");
        AssertSubscriber<WorkerFrame.OfRequest> next = ask(a, "say next");
        until("the end of the model waits", () -> loader.waiting(a) == 1);
        assertFalse(unload.isDone());
        between.complete(null);
        assertEquals("onetwo", answer(answer));
        unload.join();
        assertEquals("next", answer(next));
        assertEquals(List.of("a loaded", "a admin", "a loaded"), history);
    }

    @Test
    void aModelThatEndsHoldsNoOthersLoadBack() {
        start(Map.of());
        ModelRoute a = demand("a");
        ModelRoute b = demand("b");
        CompletableFuture<Void> between = new CompletableFuture<>();
        AssertSubscriber<WorkerFrame.OfRequest> answer = begun(a, between);
        CompletableFuture<Void> unload = loader.unload("a");
        AssertSubscriber<WorkerFrame.OfRequest> next = ask(a, "say next");
        assertEquals("x", answer(ask(b, "say x")));
        assertFalse(unload.isDone());
        between.complete(null);
        assertEquals("onetwo", answer(answer));
        assertEquals("next", answer(next));
    }

    @Test
    void aModelThatIsUnloadedForGoodRefusesOthersWhileItsAnswersComeToTheirEnd() {
        start(Map.of());
        ModelRoute a = model("a", LoadPolicy.START, false, "never");
        CompletableFuture<Void> between = new CompletableFuture<>();
        AssertSubscriber<WorkerFrame.OfRequest> answer = begun(a, between);
        wanted = false;
        CompletableFuture<Void> unload = loader.unload("a");
        assertEquals(
                ModelWorker.State.UNLOADED,
                failure(WorkerException.NotReady.class, ask(a, "say x")).state());
        assertFalse(unload.isDone());
        assertEquals(ModelWorker.State.UNLOADED, a.state(), "nobody else is sent to it");
        between.complete(null);
        assertEquals("onetwo", answer(answer));
        unload.join();
        assertTrue(a.pids().isEmpty());
    }

    @Test
    void anAnswerThatDoesNotGoOnDelaysAnUnloadNoLongerThanAnAnswerMayTake() {
        start(Map.of("deadline", "15S"));
        ModelRoute a = demand("a");
        AssertSubscriber<WorkerFrame.OfRequest> answer = begun(a, new CompletableFuture<>());
        loader.unload("a").join();
        assertTrue(a.pids().isEmpty());
        answer.cancel();
    }

    @Test
    void aServerThatStopsDoesNotWaitForAModelThatIsUnloaded() throws Exception {
        start(Map.of());
        ModelRoute a = demand("a");
        CompletableFuture<Void> between = new CompletableFuture<>();
        AssertSubscriber<WorkerFrame.OfRequest> answer = begun(a, between);
        CompletableFuture<Void> unload = loader.unload("a");
        loader.drain();
        a.drain();
        completed("the end", unload);
        between.complete(null);
        assertEquals("onetwo", answer(answer), "stopping leaves it its time");
    }

    @Test
    void aServerThatStopsRefusesWhoWaits() {
        start(Map.of());
        scripts.put("a", "slow");
        ModelRoute a = demand("a");
        AssertSubscriber<WorkerFrame.OfRequest> waiting = ask(a, "say x");
        until("a process", () -> a.pid().isPresent());
        loader.drain();
        assertEquals(
                ModelWorker.State.DRAINING,
                failure(WorkerException.NotReady.class, waiting).state());
        failure(WorkerException.NotReady.class, ask(a, "say x"));
    }

    @Test
    void whoHasMostWaitingGivesWay() {
        start(Map.of("slots", "1", "queue-size", "3"));
        scripts.put("a", "slow");
        ModelRoute a = demand("a");
        List<AssertSubscriber<WorkerFrame.OfRequest>> hog =
                List.of(wait(a, "hog"), wait(a, "hog"), wait(a, "hog"), wait(a, "hog"));
        AssertSubscriber<WorkerFrame.OfRequest> first = wait(a, "other");
        failure(WorkerException.QueueFull.class, hog.get(3));
        AssertSubscriber<WorkerFrame.OfRequest> second = wait(a, "other");
        failure(WorkerException.QueueFull.class, hog.get(2));
        failure(WorkerException.QueueFull.class, wait(a, "other"));
        failure(WorkerException.QueueFull.class, wait(a, "hog"));
        List.of(hog.get(0), hog.get(1), first, second).forEach(AssertSubscriber::assertNotTerminated);
    }

    private static AssertSubscriber<WorkerFrame.OfRequest> wait(ModelRoute route, String client) {
        AssertSubscriber<WorkerFrame.OfRequest> waiting = AssertSubscriber.create(Long.MAX_VALUE);
        route.whenLoaded(client, Optional.empty(), info -> Multi.createFrom().<WorkerFrame.OfRequest>empty())
                .subscribe()
                .withSubscriber(waiting);
        return waiting;
    }

    @Test
    void noMoreRequestsWaitThanMayQueue() {
        start(Map.of("slots", "1", "queue-size", "1"));
        scripts.put("a", "slow");
        ModelRoute a = demand("a");
        ask(a, "say x");
        ask(a, "say x");
        failure(WorkerException.QueueFull.class, ask(a, "say x"));
    }

    private void start(Map<String, String> values) {
        config = TestConfig.of(values);
        loader = new ModelLoader(
                config,
                MachineMemory.ofThisMachine(),
                timer,
                this::inBackground,
                new ScriptedModels(),
                generations,
                List.of(models));
    }

    private void inBackground(Runnable task) {
        if (refusals.getAndDecrement() > 0) {
            throw new OutOfMemoryError("unable to create native thread");
        }
        if (tasks.incrementAndGet() == late) {
            lateTask.complete(task);
        } else {
            background.execute(task);
        }
    }

    private ModelRoute demand(String id) {
        return model(id, LoadPolicy.DEMAND, false, "never");
    }

    private ModelRoute model(String id, LoadPolicy load, boolean pinned, String keepAlive) {
        ModelRoute route = new ModelRoute(
                id,
                config,
                ModelSettings.of(load, Optional.of(pinned), Optional.of(KeepAlive.of(keepAlive)), Optional.empty()),
                () -> wanted,
                timer,
                generations);
        routes.put(id, route);
        loader.add(route);
        return route;
    }

    /** A request that the model answers until it is cancelled, and has begun to. */
    private AssertSubscriber<WorkerFrame.OfRequest> busy(ModelRoute model) {
        AssertSubscriber<WorkerFrame.OfRequest> running = ask(model, "wait");
        until("the text", () -> text(running).equals("waiting"));
        return running;
    }

    private static AssertSubscriber<WorkerFrame.OfRequest> ask(ModelRoute route, String script) {
        return ask(route, script, null);
    }

    private static AssertSubscriber<WorkerFrame.OfRequest> ask(ModelRoute route, String script, KeepAlive keepAlive) {
        AssertSubscriber<WorkerFrame.OfRequest> answer = AssertSubscriber.create(Long.MAX_VALUE);
        route.whenLoaded(null, Optional.ofNullable(keepAlive), info -> route.generate(WorkerClient.request(script, 0)))
                .subscribe()
                .withSubscriber(answer);
        return answer;
    }

    /** An answer of two generations, of which the first is whole; the second is asked for when {@code between} is done. */
    private static AssertSubscriber<WorkerFrame.OfRequest> begun(ModelRoute route, CompletableFuture<Void> between) {
        AssertSubscriber<WorkerFrame.OfRequest> answer = AssertSubscriber.create(Long.MAX_VALUE);
        InFlightAnswer whole = new InFlightAnswer();
        route.whenLoaded(null, Optional.empty(), info -> Multi.createBy()
                        .concatenating()
                        .streams(
                                route.generate(WorkerClient.request("say one", 0), whole),
                                Uni.createFrom()
                                        .completionStage(between)
                                        .onItem()
                                        .transformToMulti(
                                                done -> route.generate(WorkerClient.request("say two", 0), whole))))
                .subscribe()
                .withSubscriber(answer);
        until("the first part", () -> text(answer).equals("one"));
        return answer;
    }

    private SupervisedWorker worker(ModelRoute route, String script) {
        ChildCommand command = new ChildCommand(config.process(), "dev.luq.worker.ScriptedWorker");
        return new SupervisedWorker(
                route.modelId(),
                new ServerFrame.Load(
                        List.of(script),
                        null,
                        0,
                        config.slots(),
                        512,
                        0,
                        0,
                        0,
                        0,
                        0,
                        0,
                        config.kernels(),
                        KvType.F16,
                        null),
                config,
                (modelId, events) -> WorkerProcess.start(modelId, command, events),
                timer,
                generations,
                route.quarantine(),
                () -> {});
    }

    private SupervisedWorker ready(ModelRoute route) throws InterruptedException {
        SupervisedWorker worker = worker(route, "good");
        worker.start();
        assertTrue(worker.awaitReady());
        return worker;
    }

    private final class ScriptedModels implements ModelLoader.Effects {

        @Override
        public long estimate(String modelId) {
            if (scripts.getOrDefault(modelId, "good").equals("unsized")) {
                throw new IllegalStateException("its files are gone");
            }
            return estimate;
        }

        @Override
        public void start(ModelRoute route) {
            SupervisedWorker worker = worker(route, scripts.getOrDefault(route.modelId(), "good"));
            route.put(worker);
            worker.start();
            count();
        }

        private synchronized void count() {
            most = Math.max(
                    most,
                    routes.values().stream()
                            .mapToInt(each -> each.pids().size())
                            .sum());
        }

        @Override
        public void end(ModelRoute route) throws InterruptedException {
            SupervisedWorker last = route.replace(null);
            if (last != null) {
                route.retire(last);
            }
            route.awaitRetired();
        }
    }
}
