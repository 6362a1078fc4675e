package dev.luq.jobs;

import static dev.luq.Until.until;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.luq.Children;
import dev.luq.Integration;
import dev.luq.files.DataFolder;
import dev.luq.memory.ServingShape;
import dev.luq.process.ProcessConfig;
import dev.luq.requant.plan.Budget;
import dev.luq.requant.spec.Phase;
import dev.luq.requant.spec.RequantizationSpec;
import dev.luq.serving.ModelOperationException;
import dev.luq.serving.SwapMode;
import dev.luq.serving.TestConfig;
import io.smallrye.mutiny.helpers.test.AssertSubscriber;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The queue with real child processes that follow a script. */
@Integration
class JobsTest {

    @TempDir
    Path data;

    private final List<Jobs> all = new ArrayList<>();
    private final List<Phase> phases = new CopyOnWriteArrayList<>();
    private final List<String> activated = new CopyOnWriteArrayList<>();
    private volatile Optional<RuntimeException> activationFailure = Optional.empty();

    @AfterEach
    void stop() {
        all.forEach(Jobs::stop);
        until("no process is left", () -> Children.with("ScriptedJob").isEmpty());
    }

    @Test
    void aJobGoesThroughItsPhasesAndIsOnTheDisk() {
        Jobs jobs = started(Map.of());
        Job created = jobs.create(request("1", "quick"));
        assertEquals(JobState.QUEUED, created.state());
        Job done = ended(jobs, "1");
        assertEquals(JobState.SUCCEEDED, done.state());
        assertEquals(1, done.progress());
        assertEquals(OptionalLong.empty(), done.secondsLeft());
        assertEquals(List.of(Phase.values()), List.copyOf(done.phaseSeconds().keySet()));
        assertEquals(List.of(Phase.values()), phases);
        assertTrue(done.started().isPresent() && done.finished().isPresent());
        jobs.stop();
        assertEquals(List.of(done), started(Map.of()).list());
    }

    @Test
    void oneServerOfADataFolderHasItsJobs() throws IOException {
        Jobs jobs = started(Map.of());
        jobs.create(request("1", "patient"));
        Jobs other = started(Map.of());
        assertThrows(JobRequestException.Elsewhere.class, () -> other.create(request("2", "quick")));
        assertThrows(JobRequestException.Elsewhere.class, other::unfinished);
        assertThrows(JobRequestException.Elsewhere.class, other::nextCreated);
        until("quantizing", () -> at(jobs, "1", Phase.QUANTIZE));
        jobs.stop();
        until("it takes over", () -> other.count(JobState.RUNNING) == 1);
        go("1");
        assertEquals(JobState.SUCCEEDED, ended(other, "1").state());
    }

    @Test
    void theOtherServersTellWhatIsRecorded() {
        Jobs jobs = started(Map.of());
        jobs.create(request("1", "quick"));
        Job ended = ended(jobs, "1");
        jobs.create(request("2", "patient"));
        until("quantizing", () -> at(jobs, "2", Phase.QUANTIZE));
        Jobs other = started(Map.of());
        assertEquals(List.of("2", "1"), other.list().stream().map(Job::id).toList());
        assertEquals(JobState.RUNNING, other.get("2").state());
        assertEquals(ended, other.get("1"));
        assertEquals(jobs.folder(ended), other.folder(other.get("1")));
        assertEquals(0, other.count(JobState.RUNNING), "counted where it runs");
        assertEquals(
                List.of(ended),
                other.changes("1")
                        .map(JobEvents.Event::job)
                        .collect()
                        .asList()
                        .await()
                        .indefinitely());
        assertThrows(JobRequestException.Elsewhere.class, () -> other.changes("2"));
        assertThrows(JobRequestException.NotFound.class, () -> other.get("3"));
        assertThrows(JobRequestException.Elsewhere.class, () -> other.cancel("2"));
    }

    @Test
    void whatHappensIsTold() throws IOException {
        Jobs jobs = started(Map.of());
        jobs.create(request("1", "patient"));
        until("quantizing", () -> at(jobs, "1", Phase.QUANTIZE));
        AssertSubscriber<JobEvents.Event> watcher = AssertSubscriber.create(Long.MAX_VALUE);
        jobs.changes("1").subscribe().withSubscriber(watcher);
        JobEvents.Event first = watcher.getItems().get(0);
        assertEquals(Optional.of(Phase.QUANTIZE), first.job().phase());
        go("1");
        until("the end of the changes", watcher::hasCompleted);
        assertEquals(JobState.SUCCEEDED, watcher.getLastItem().job().state());
        assertTrue(
                watcher.getItems().stream().anyMatch(event -> event.job().note().equals(Optional.of("doing PUBLISH"))));
        assertEquals(
                watcher.getItems().size(),
                watcher.getItems().stream().map(JobEvents.Event::id).distinct().count());

        AssertSubscriber<JobEvents.Event> late = AssertSubscriber.create(Long.MAX_VALUE);
        jobs.changes("1").subscribe().withSubscriber(late);
        until("the end of the changes of an ended job", late::hasCompleted);
        assertEquals(List.of(watcher.getLastItem()), late.getItems());
        assertThrows(JobRequestException.NotFound.class, () -> jobs.changes("2"));
    }

    @Test
    void twoJobsDoNotMakeTheSameVariant() throws IOException {
        Jobs jobs = started(Map.of());
        jobs.create(request("1", "patient"));
        Jobs.Request again = request("1", "patient");
        JobRequestException.Conflict conflict = assertThrows(
                JobRequestException.Conflict.class,
                () -> jobs.create(new Jobs.Request("2", again.spec(), Optional.empty(), Optional.empty())));
        assertTrue(conflict.getMessage().contains("1 makes a variant patient-1 already"), conflict.getMessage());
        go("1");
        ended(jobs, "1");
        jobs.create(new Jobs.Request("2", again.spec(), Optional.empty(), Optional.empty()));
        go("2");
        ended(jobs, "2");
    }

    @Test
    void oneRunsAndTheOthersWaitInOrder() throws IOException {
        Jobs jobs = started(Map.of("queue-size", "2"));
        jobs.create(request("1", "patient"));
        until("running", () -> jobs.get("1").state() == JobState.RUNNING);
        jobs.create(request("2", "quick"));
        jobs.create(request("3", "quick"));
        assertThrows(JobRequestException.QueueFull.class, () -> jobs.create(request("4", "quick")));
        assertEquals(List.of("3", "2", "1"), jobs.list().stream().map(Job::id).toList());
        assertEquals(OptionalLong.of(2), jobs.position("3"));
        assertEquals(2, jobs.count(JobState.QUEUED));
        go("1");
        Job third = ended(jobs, "3");
        assertTrue(
                jobs.get("2").finished().orElseThrow().compareTo(third.started().orElseThrow()) <= 0);
        assertFalse(Files.exists(data.resolve("jobs").resolve("4")));
    }

    @Test
    void aWaitingJobIsCancelledAtOnceAndARunningOneSoon() throws IOException {
        Jobs jobs = started(Map.of());
        jobs.create(request("1", "patient"));
        jobs.create(request("2", "quick"));
        assertEquals(JobState.CANCELLED, jobs.cancel("2").state());
        until("quantizing", () -> at(jobs, "1", Phase.QUANTIZE));
        jobs.cancel("1");
        assertEquals(JobState.CANCELLED, ended(jobs, "1").state());
        assertThrows(JobRequestException.Conflict.class, () -> jobs.cancel("1"));

        assertEquals(JobState.QUEUED, jobs.resume("1").state());
        go("1");
        assertEquals(JobState.SUCCEEDED, ended(jobs, "1").state());
        assertEquals(List.of(Phase.values()), log("1"), "no phase was done twice");
        assertThrows(JobRequestException.Conflict.class, () -> jobs.resume("1"));
    }

    @Test
    void aRunningJobThatWasCancelledDoesNotComeBackWithTheNextServer() throws IOException {
        Jobs jobs = started(Map.of());
        jobs.create(request("1", "patient"));
        until("quantizing", () -> at(jobs, "1", Phase.QUANTIZE));
        jobs.cancel("1");
        jobs.stop();
        Jobs next = started(Map.of());
        assertEquals(JobState.CANCELLED, next.get("1").state());
        assertEquals(List.of(), next.unfinished());

        assertEquals(JobState.QUEUED, next.resume("1").state());
        go("1");
        assertEquals(JobState.SUCCEEDED, ended(next, "1").state());
    }

    @Test
    void theNextJobIsLaterThanAllOthersAlsoWhenTheClockWasSetBack() {
        Jobs jobs = started(Map.of());
        assertTrue(jobs.nextCreated().isAfter(Instant.EPOCH));
        Instant future = Instant.parse("2200-01-01T00:00:00.123Z");
        jobs.create(request("1", "quick", future, Optional.empty(), Optional.empty()));
        assertEquals(future.plusMillis(1), jobs.nextCreated());
        ended(jobs, "1");
        jobs.delete("1");
        assertTrue(jobs.nextCreated().isBefore(future));
    }

    @Test
    void aFolderThatCannotBeUsedIsTriedAgain() throws IOException {
        Jobs before = started(Map.of());
        before.create(request("1", "quick"));
        ended(before, "1");
        before.stop();
        Path lock = data.resolve("jobs").resolve("server.lock");
        Files.delete(lock);
        Files.createDirectory(lock);
        Jobs jobs = started(Map.of());
        assertEquals(1, jobs.list().size(), "what is recorded can be read");
        assertThrows(JobRequestException.NotSaved.class, () -> jobs.create(request("2", "quick")));
        assertThrows(JobRequestException.NotSaved.class, jobs::unfinished);
        Files.delete(lock);
        until("it takes over", () -> jobs.count(JobState.SUCCEEDED) == 1);
        jobs.create(request("2", "quick"));
        assertEquals(JobState.SUCCEEDED, ended(jobs, "2").state());
    }

    @Test
    void aJobThatHasEndedCanBeForgotten() throws IOException {
        Jobs jobs = started(Map.of());
        jobs.create(request("1", "patient"));
        jobs.create(request("2", "quick"));
        until("quantizing", () -> at(jobs, "1", Phase.QUANTIZE));
        assertThrows(JobRequestException.Conflict.class, () -> jobs.delete("1"));
        assertThrows(JobRequestException.Conflict.class, () -> jobs.delete("2"));
        go("1");
        ended(jobs, "2");
        jobs.delete("1");
        assertThrows(JobRequestException.NotFound.class, () -> jobs.delete("1"));
        assertFalse(Files.exists(data.resolve("jobs").resolve("1")));
        jobs.stop();
        assertEquals(
                List.of("2"), started(Map.of()).list().stream().map(Job::id).toList());
    }

    @Test
    void aJobThatFailsSaysWhyAndCanBeResumed() {
        Jobs jobs = started(Map.of());
        jobs.create(request("1", "failing"));
        Job failed = ended(jobs, "1");
        assertEquals(JobState.FAILED, failed.state());
        assertEquals(Optional.of("The model cannot be ranked."), failed.error());
        assertEquals(JobState.QUEUED, jobs.resume("1").state());
        assertEquals(JobState.FAILED, ended(jobs, "1").state());
    }

    @Test
    void aJobIsNotResumedWhileAnotherMakesItsVariant() throws IOException {
        Jobs jobs = started(Map.of());
        Jobs.Request patient = request("1", "patient");
        jobs.create(patient);
        jobs.cancel("1");
        ended(jobs, "1");
        jobs.create(new Jobs.Request("2", patient.spec(), Optional.empty(), Optional.empty()));
        JobRequestException.Conflict conflict =
                assertThrows(JobRequestException.Conflict.class, () -> jobs.resume("1"));
        assertTrue(conflict.getMessage().contains("2 makes a variant patient-1 already"), conflict.getMessage());
        go("2");
        ended(jobs, "2");
        assertEquals(JobState.QUEUED, jobs.resume("1").state());
        go("1");
        ended(jobs, "1");
    }

    @Test
    void aProcessThatDiesIsFollowedByAnother() {
        Jobs jobs = started(Map.of());
        jobs.create(request("1", "dying"));
        Job done = ended(jobs, "1");
        assertEquals(JobState.SUCCEEDED, done.state());
        assertEquals(2, done.deaths());
        assertEquals(List.of(Phase.values()), log("1"), "no phase was done twice");

        jobs.create(request("2", "mortal"));
        Job given = ended(jobs, "2");
        assertEquals(JobState.FAILED, given.state());
        assertTrue(
                given.error().orElseThrow().contains("SIGKILL) 3 times"),
                given.error().get());
    }

    @Test
    void aDefectEndsOneJobAndTheNextOneRuns() {
        AtomicBoolean first = new AtomicBoolean(true);
        Jobs jobs = jobs(data, Map.of(), (model, manifest, mode) -> CompletableFuture.completedFuture(null), phase -> {
            if (first.getAndSet(false)) {
                throw new UncheckedIOException(new IOException("/proc: Too many open files"));
            }
        });
        all.add(jobs);
        jobs.start();
        jobs.create(request("1", "quick"));
        jobs.create(request("2", "quick"));
        Job failed = ended(jobs, "1");
        assertEquals(JobState.FAILED, failed.state());
        assertEquals(
                Optional.of("It cannot go on; the server's log says why. Resume it to try again."), failed.error());
        assertEquals(JobState.SUCCEEDED, ended(jobs, "2").state());
        jobs.resume("1");
        assertEquals(JobState.SUCCEEDED, ended(jobs, "1").state());
    }

    @Test
    void aCrashIsToldWithItsSignalAndLibraryAndNoPath() {
        Jobs jobs = started(Map.of("attempts", "1"));
        jobs.create(request("1", "crashing"));
        String error = ended(jobs, "1").error().orElseThrow();
        assertTrue(error.matches("Its process ended unexpectedly \\(SIGSEGV in lib[a-z.0-9]+\\) 1 times; .*"), error);
    }

    @Test
    void aJobOutlivesItsServer() throws IOException {
        Jobs before = started(Map.of());
        before.create(request("1", "patient"));
        before.create(request("2", "quick"));
        until("quantizing", () -> at(before, "1", Phase.QUANTIZE));
        before.stop();
        Jobs after = started(Map.of());
        go("1");
        assertEquals(JobState.SUCCEEDED, ended(after, "1").state());
        assertEquals(JobState.SUCCEEDED, ended(after, "2").state());
        assertEquals(List.of(Phase.values()), log("1"));
    }

    @Test
    void aServerThatIsKilledTakesTheProcessWithItAndItsSuccessorResumes() throws IOException, InterruptedException {
        Process server = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-cp",
                        System.getProperty("java.class.path"),
                        JobServer.class.getName(),
                        data.toString())
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        long pid;
        try (BufferedReader out = server.inputReader()) {
            pid = out.lines()
                    .filter(line -> line.matches("\\d+"))
                    .mapToLong(Long::parseLong)
                    .findFirst()
                    .orElseThrow();
            server.destroyForcibly().waitFor();
        }
        Jobs successor = started(Map.of());
        assertEquals(1, successor.list().size());
        go("1");
        assertEquals(JobState.SUCCEEDED, ended(successor, "1").state());
        assertEquals(List.of(Phase.values()), log("1"), "no phase was done twice");
        until(
                "the process is gone",
                () -> !ProcessHandle.of(pid).map(ProcessHandle::isAlive).orElse(false));
    }

    @Test
    void theSameRequestMakesOneJob() {
        Jobs jobs = started(Map.of());
        Job first = jobs.create(request("1", "quick", Optional.of(new Job.Idempotency("k", "aa")), Optional.empty()));
        Job again = jobs.create(request("2", "quick", Optional.of(new Job.Idempotency("k", "aa")), Optional.empty()));
        assertEquals(first.id(), again.id());
        assertThrows(
                JobRequestException.KeyReused.class,
                () -> jobs.create(
                        request("3", "quick", Optional.of(new Job.Idempotency("k", "bb")), Optional.empty())));
        ended(jobs, "1");
        jobs.stop();
        assertEquals(
                "1",
                started(Map.of())
                        .find(new Job.Idempotency("k", "aa"))
                        .orElseThrow()
                        .id(),
                "also after a restart");
    }

    @Test
    void aResultIsActivatedAndItIsSaidWhenThatFails() {
        Jobs jobs = started(Map.of());
        jobs.create(request("1", "quick", Optional.empty(), Optional.of(SwapMode.PAUSE)));
        until("activated", () -> jobs.get("1").activation().orElseThrow().done());
        assertEquals(List.of("tiny quick-1 PAUSE"), activated);
        activationFailure = Optional.of(new IllegalStateException("no memory"));
        jobs.create(request("2", "quick", Optional.empty(), Optional.of(SwapMode.AUTO)));
        until("failed", () -> jobs.get("2").activation().orElseThrow().error().equals(Optional.of("no memory")));
        assertEquals(JobState.SUCCEEDED, jobs.get("2").state());
    }

    @Test
    void anActivationThatTheEndOfTheServerCutsOffIsDoneAtTheNextStart() {
        Jobs jobs = started(Map.of());
        activationFailure = Optional.of(new ModelOperationException.Stopping());
        jobs.create(request("1", "quick", Optional.empty(), Optional.of(SwapMode.AUTO)));
        until("begun", () -> !activated.isEmpty());
        jobs.stop();
        assertEquals(Optional.empty(), jobs.get("1").activation().orElseThrow().error());
        activationFailure = Optional.empty();
        Jobs next = started(Map.of());
        until("activated", () -> next.get("1").activation().orElseThrow().done());
    }

    @Test
    void anActivationWaitsUntilNothingElseIsDoneWithItsModel() {
        Jobs jobs = started(Map.of());
        activationFailure = Optional.of(new ModelOperationException.InProgress("tiny"));
        jobs.create(request("1", "quick", Optional.empty(), Optional.of(SwapMode.AUTO)));
        until("tried again", () -> activated.size() > 1);
        activationFailure = Optional.empty();
        until("activated", () -> jobs.get("1").activation().orElseThrow().done());
    }

    @Test
    void anActivationThatFailsWithoutAWordHasFailed() {
        Jobs jobs = started(Map.of());
        activationFailure = Optional.of(new IllegalStateException());
        jobs.create(request("1", "quick", Optional.empty(), Optional.of(SwapMode.AUTO)));
        until(
                "failed",
                () -> jobs.get("1").activation().orElseThrow().error().equals(Optional.of("IllegalStateException")));
    }

    @Test
    void whoeverWaitsInTheQueueHearsThatItMoves() throws IOException {
        Jobs jobs = started(Map.of());
        jobs.create(request("1", "patient"));
        until("running", () -> jobs.get("1").state() == JobState.RUNNING);
        jobs.create(request("2", "quick"));
        jobs.create(request("3", "quick"));
        AssertSubscriber<Long> positions = AssertSubscriber.create(Long.MAX_VALUE);
        jobs.changes("3").map(event -> jobs.position("3").orElse(0)).subscribe().withSubscriber(positions);
        go("1");
        ended(jobs, "3");
        assertEquals(
                List.of(2L, 1L, 0L), positions.getItems().stream().distinct().toList());
    }

    @Test
    void foldersOfOthersAndDamagedRecordsAreLeftAlone() throws IOException {
        Files.createDirectories(data.resolve("jobs").resolve("cli"));
        Files.createDirectories(data.resolve("jobs").resolve("cut"));
        Files.writeString(data.resolve("jobs").resolve("cut").resolve("record.json"), "{\"version\":1,");
        assertEquals(List.of(), started(Map.of()).list());
    }

    @Test
    void aDiskThatTakesNothingIsSaidAndNothingIsQueued() throws IOException {
        Files.writeString(data.resolve("jobs"), "a file where the folder should be");
        Jobs jobs = started(Map.of());
        assertThrows(JobRequestException.NotSaved.class, () -> jobs.create(request("1", "quick")));
        assertEquals(List.of(), jobs.list());
    }

    @Test
    void aChangeThatTheDiskDoesNotTakeIsNone() throws IOException {
        Jobs jobs = started(Map.of());
        jobs.create(request("1", "patient"));
        jobs.create(request("2", "quick"));
        Path taken = Files.createDirectories(
                data.resolve("jobs").resolve("2").resolve("record.json.part").resolve("taken"));
        assertThrows(JobRequestException.NotSaved.class, () -> jobs.cancel("2"));
        assertEquals(JobState.QUEUED, jobs.get("2").state());
        Files.delete(taken);
        Files.delete(taken.getParent());
        assertEquals(JobState.CANCELLED, jobs.cancel("2").state());
        Files.createDirectories(taken);
        assertThrows(JobRequestException.NotSaved.class, () -> jobs.resume("2"));
        assertEquals(JobState.CANCELLED, jobs.get("2").state());

        until("quantizing", () -> at(jobs, "1", Phase.QUANTIZE));
        Files.createDirectories(
                data.resolve("jobs").resolve("1").resolve("record.json.part").resolve("taken"));
        assertThrows(JobRequestException.NotSaved.class, () -> jobs.cancel("1"));
        go("1");
        assertEquals(JobState.SUCCEEDED, ended(jobs, "1").state());
    }

    private Jobs started(Map<String, String> values) {
        Jobs jobs = jobs(
                data,
                values,
                (model, manifest, mode) -> {
                    activated.add(model + " " + manifest + " " + mode);
                    return activationFailure
                            .<CompletableFuture<?>>map(CompletableFuture::failedFuture)
                            .orElse(CompletableFuture.completedFuture(null));
                },
                phases::add);
        all.add(jobs);
        jobs.start();
        return jobs;
    }

    static Jobs jobs(Path data, Map<String, String> values, Jobs.Activator activator, Consumer<Phase> phases) {
        ProcessConfig process = TestConfig.of(Map.of()).process();
        return new Jobs(
                TestConfig.of(JobsConfig.class, values),
                new DataFolder(data),
                ScriptedJobs.command(process, new DataFolder(data)),
                activator,
                List.of((phase, duration) -> phases.accept(phase)));
    }

    static Jobs.Request request(String id, String kind) {
        return request(id, kind, Optional.empty(), Optional.empty());
    }

    private static Jobs.Request request(
            String id, String kind, Optional<Job.Idempotency> key, Optional<SwapMode> swap) {
        return request(id, kind, Instant.EPOCH, key, swap);
    }

    private static Jobs.Request request(
            String id, String kind, Instant created, Optional<Job.Idempotency> key, Optional<SwapMode> swap) {
        return new Jobs.Request(
                id,
                RequantizationSpec.of(
                        new RequantizationSpec.Source("tiny", List.of("base.gguf"), Optional.empty(), Optional.empty()),
                        new RequantizationSpec.Sets("calibration", "evaluation", 0),
                        Budget.parse("60%"),
                        new ServingShape(512, 64, 1, 1),
                        new RequantizationSpec.Output(kind + "-" + id, created, RequantizationSpec.Scope.BRIEF)),
                key,
                swap);
    }

    private void go(String id) throws IOException {
        Files.writeString(data.resolve("jobs").resolve(id).resolve("go"), "");
    }

    private List<Phase> log(String id) {
        try {
            return Files.readAllLines(data.resolve("jobs").resolve(id).resolve("log")).stream()
                    .map(Phase::valueOf)
                    .collect(Collectors.toList());
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    static boolean at(Jobs jobs, String id, Phase phase) {
        return jobs.get(id).phase().equals(Optional.of(phase)) && jobs.get(id).progress() > 0;
    }

    private static Job ended(Jobs jobs, String id) {
        until(id + " has ended", () -> jobs.get(id).state().isFinal());
        return jobs.get(id);
    }
}
