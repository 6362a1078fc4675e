package dev.luq.datasets;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.luq.Integration;
import dev.luq.Until;
import dev.luq.files.DataFolder;
import dev.luq.serving.TestConfig;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** An archive whose unpacking takes long: a pipe in its place, of which whoever opens it waits for a writer. */
@Integration
class SlowUploadTest {

    @TempDir
    Path folder;

    @Test
    void aFolderOfTheRootIsReadMeanwhile() throws Exception {
        Path root = folder.resolve("root");
        Files.createDirectories(root.resolve("shapes"));
        Files.writeString(root.resolve("shapes/set.jsonl"), "{\"question\": \"x\", \"answer\": \"y\"}\n", UTF_8);
        CalibrationSets sets = new CalibrationSets(
                TestConfig.of(SetsConfig.class, Map.of("root", root.toString())),
                new DataFolder(folder.resolve("data")));
        ExecutorService threads = Executors.newCachedThreadPool();
        try (CalibrationSets.Upload upload = sets.receive("a")) {
            Process pipe = new ProcessBuilder("mkfifo", upload.archive().toString()).start();
            assertEquals(0, Until.ended("mkfifo", pipe));
            Future<CalibrationSet> accepted = threads.submit(upload::accept);
            Until.until("it is unpacked", () -> Files.exists(upload.archive().resolveSibling("set/files")));
            Future<CalibrationSet> other = threads.submit(() -> sets.get("shapes"));
            assertEquals(1, other.get(1, TimeUnit.MINUTES).examples());
            assertFalse(accepted.isDone());
            Files.newByteChannel(upload.archive(), StandardOpenOption.WRITE).close();
            ExecutionException refused =
                    assertThrows(ExecutionException.class, () -> accepted.get(1, TimeUnit.MINUTES));
            assertInstanceOf(SetException.class, refused.getCause());
        } finally {
            threads.shutdownNow();
        }
    }
}
