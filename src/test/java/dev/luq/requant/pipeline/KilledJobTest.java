package dev.luq.requant.pipeline;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import dev.luq.requant.spec.Method;
import dev.luq.requant.spec.RequantizationSpec.Scope;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Kill -9 at random moments. {@code -Dkills.count=20} takes more of them than the suite does, {@code -Dkills.seed=2} others,
 * {@code -Dkills.method=best} has every layer measured at every precision, whose tables take each process 10 s.
 * The names are outside {@code luq.}, where servers of other tests take what they do not know for a mistake.
 */
class KilledJobTest {

    private static final int KILLS = Integer.getInteger("kills.count", 3);
    private static final long SEED = Long.getLong("kills.seed", 1);
    private static final Method METHOD = Method.parse(System.getProperty("kills.method", "error"));

    @TempDir
    Path folder;

    private Path data(String name) {
        Path data = Cache.folder(folder.resolve(name).resolve("data"));
        Jobs.create(data, Jobs.spec(folder, "tiny-90", "90%", METHOD, Scope.BRIEF));
        return data;
    }

    private static Process start(Path data) {
        return JobProcess.start(data, data.resolve("jobs/tiny-90"));
    }

    private void finish(Path data) throws Exception {
        Process process = start(data);
        assertEquals(true, process.waitFor(2, TimeUnit.MINUTES), "the job ends");
        assertEquals(0, process.exitValue(), () -> error(data));
    }

    private static String error(Path data) {
        try {
            return Files.readString(data.resolveSibling("stderr"));
        } catch (IOException e) {
            return e.toString();
        }
    }

    @Test
    void aKilledJobIsResumedAndEndsWithTheSameBytes() throws Exception {
        Jobs.writeSets(folder);
        Path undisturbed = data("undisturbed");
        long began = System.nanoTime();
        finish(undisturbed);
        long millis = (System.nanoTime() - began) / 1_000_000;
        Map<String, String> expected = Jobs.results(undisturbed);
        assertFalse(expected.isEmpty());
        Random random = new Random(SEED);
        for (int i = 0; i < KILLS; i++) {
            Path data = data("killed-" + i);
            // Not before the JVM has begun, which would test nothing.
            long moment = millis / 5 + (long) (random.nextDouble() * millis * 4 / 5);
            Process process = start(data);
            process.waitFor(moment, TimeUnit.MILLISECONDS);
            process.destroyForcibly().waitFor();
            finish(data);
            assertEquals(expected, Jobs.results(data), "killed after " + moment + " ms of " + millis);
        }
    }
}
