package dev.luq.requant.pipeline;

import static dev.luq.Until.ended;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.luq.Integration;
import dev.luq.Seeds;
import dev.luq.requant.spec.JobStatus;
import dev.luq.requant.spec.JobStatus.State;
import dev.luq.requant.spec.Method;
import dev.luq.requant.spec.Phase;
import dev.luq.requant.spec.RequantizationSpec.Scope;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Kill -9 at a random moment of every phase. {@code -Dkills.rounds=5} takes several jobs, {@code -Dkills.method=best} has every
 * layer measured at every precision, whose tables take each process 10 s. The names are outside {@code luq.}, where servers of
 * other tests take what they do not know for a mistake.
 */
@Integration
class KilledJobTest {

    private static final int ROUNDS = Integer.getInteger("kills.rounds", 1);
    private static final Method METHOD = Method.parse(System.getProperty("kills.method", "error"));
    /** A phase that is over before the kill is tried again with an earlier one; the last one comes as it begins. */
    private static final int TRIES = 5;

    private static final int KILLED = 128 + 9;
    private static final String JOB = "jobs/tiny-90";

    @TempDir
    Path folder;

    private final Random random = new Random(Seeds.draw(KilledJobTest.class));
    private int copies;

    @Test
    void aJobThatIsKilledInEveryPhaseEndsWithTheSameBytes() throws Exception {
        Jobs.writeSets(folder);
        Path undisturbed = data("undisturbed");
        Map<Phase, Long> nanos = finish(undisturbed);
        assertTrue(
                nanos.keySet()
                        .containsAll(List.of(
                                Phase.CALIBRATE,
                                Phase.RANK,
                                Phase.PLAN,
                                Phase.QUANTIZE,
                                Phase.ASSEMBLE,
                                Phase.EVALUATE,
                                Phase.PUBLISH)),
                nanos.toString());
        Map<String, String> expected = Jobs.results(undisturbed);
        for (int round = 0; round < ROUNDS; round++) {
            Path data = data("round-" + round);
            for (Map.Entry<Phase, Long> phase : nanos.entrySet()) {
                data = killed(data, phase.getKey(), phase.getValue());
            }
            finish(data);
            assertEquals(expected, Jobs.results(data));
        }
    }

    /** @return a copy of the data folder after a kill in this phase */
    private Path killed(Path before, Phase phase, long nanos) throws Exception {
        long moment = (long) (random.nextDouble() * nanos);
        for (int attempt = 0; attempt < TRIES; attempt++) {
            Path data = copy(before);
            try (JobProcess job = start(data, Optional.of(phase))) {
                Optional<Phase> begun = job.nextPhase();
                while (begun.isPresent() && begun.get() != phase) {
                    begun = job.nextPhase();
                }
                assertEquals(Optional.of(phase), begun, () -> error(data));
                if (attempt < TRIES - 1) {
                    job.goOn();
                    TimeUnit.NANOSECONDS.sleep(moment * (TRIES - 1 - attempt) / (TRIES - 1));
                }
                // Process.destroyForcibly() would close the output, of which the rest is wanted.
                job.process().toHandle().destroyForcibly();
                if (ended("the killed job", job.process()) == KILLED
                        && job.nextPhase().isEmpty()
                        && JobStatus.read(data.resolve(JOB))
                                        .map(JobStatus::state)
                                        .orElse(State.RUNNING)
                                == State.RUNNING) {
                    return data;
                }
            }
        }
        throw new AssertionError("no kill came in " + phase);
    }

    private Path data(String name) {
        Path data = Cache.folder(folder.resolve(name).resolve("data"));
        Jobs.create(data, Jobs.spec(folder, "tiny-90", "90%", METHOD, Scope.BRIEF));
        return data;
    }

    private Path copy(Path data) throws IOException {
        Path copy = folder.resolve("copy-" + copies++).resolve("data");
        Files.createDirectories(copy.getParent());
        try (Stream<Path> files = Files.walk(data)) {
            for (Path file : files.toList()) {
                Files.copy(file, copy.resolve(data.relativize(file)));
            }
        }
        return copy;
    }

    private static JobProcess start(Path data, Optional<Phase> held) {
        return JobProcess.start(data, data.resolve(JOB), held);
    }

    /** @return what each phase took, in the order of the phases */
    private static Map<Phase, Long> finish(Path data) {
        Map<Phase, Long> nanos = new EnumMap<>(Phase.class);
        try (JobProcess job = start(data, Optional.empty())) {
            Optional<Phase> phase = job.nextPhase();
            while (phase.isPresent()) {
                long begun = System.nanoTime();
                Optional<Phase> next = job.nextPhase();
                nanos.put(phase.get(), System.nanoTime() - begun);
                phase = next;
            }
            assertEquals(0, ended("the job", Duration.ofMinutes(2), job.process()), () -> error(data));
        }
        return nanos;
    }

    private static String error(Path data) {
        try {
            return Files.readString(data.resolveSibling("stderr"));
        } catch (IOException e) {
            return e.toString();
        }
    }
}
