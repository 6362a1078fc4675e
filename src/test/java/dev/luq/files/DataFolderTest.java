package dev.luq.files;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

class DataFolderTest {

    /** Folders of earlier versions are found again: these names do not change. */
    @Test
    void everythingHasItsPlace() {
        Path data = Path.of("/var/lib/luq");
        DataFolder folder = new DataFolder(data);
        assertEquals(
                List.of(
                        data.resolve("store"),
                        data.resolve("jobs"),
                        data.resolve("jobs/rq-1"),
                        data.resolve("cache"),
                        data.resolve("embeddings"),
                        data.resolve("prompts"),
                        data.resolve("calibration"),
                        data.resolve("models"),
                        data.resolve("catalog.json")),
                List.of(
                        folder.store(),
                        folder.jobs(),
                        folder.job("rq-1"),
                        folder.cache(),
                        folder.embeddings(),
                        folder.prompts(),
                        folder.sets(),
                        folder.models(),
                        folder.catalog()));
    }

    /** The processes of jobs need not have the server's working folder. */
    @Test
    void aRelativePathIsOfTheWorkingFolder() {
        assertEquals(Path.of("").toAbsolutePath().resolve("data"), new DataFolder(Path.of("x/../data")).path());
        assertEquals(
                new DataFolder(Path.of("data")), new DataFolder(Path.of("data").toAbsolutePath()));
    }
}
