package dev.luq.cli;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** A launcher that notes how it was called, and starts no server: it ends with status 3. Closing forgets it. */
public final class NotedLauncher implements AutoCloseable {

    private final Path called;

    /** @param folder for its files */
    public NotedLauncher(Path folder) throws IOException {
        called = folder.resolve("called");
        Path launcher = Files.writeString(
                folder.resolve("luq"), "#!/bin/sh\nprintf '%s\\n' \"$@\" > '" + called + "'\nexit 3\n");
        assertTrue(launcher.toFile().setExecutable(true));
        System.setProperty(ServerProcess.LAUNCHER_PROPERTY, launcher.toString());
    }

    /** What it was called with, the last time. */
    public List<String> options() throws IOException {
        return Files.readAllLines(called);
    }

    @Override
    public void close() {
        System.clearProperty(ServerProcess.LAUNCHER_PROPERTY);
    }
}
