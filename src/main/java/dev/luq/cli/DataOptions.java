package dev.luq.cli;

import dev.luq.files.DataFolder;
import java.nio.file.Path;
import picocli.CommandLine.Option;

/** Where the data folder is. */
final class DataOptions {

    @Option(
            names = "--data-dir",
            paramLabel = "DIR",
            description = "Store, jobs and cache (default: $LUQ_DATA_DIR or ~/.local/share/luq).")
    private Path dataDir;

    /** The one given, that of the environment, or the one in the home folder. */
    DataFolder folder() {
        if (dataDir != null) {
            return new DataFolder(dataDir);
        }
        String environment = System.getenv("LUQ_DATA_DIR");
        return new DataFolder(
                environment != null && !environment.isEmpty()
                        ? Path.of(environment)
                        : Path.of(System.getProperty("user.home"), ".local", "share", "luq"));
    }
}
