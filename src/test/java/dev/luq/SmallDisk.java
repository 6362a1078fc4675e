package dev.luq;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;

/** A disk that is soon full, in a folder of its own until it is closed. */
public record SmallDisk(Path path) implements AutoCloseable {

    /**
     * Skips the test where this may not be done.
     *
     * @param path made if it is not there
     */
    public static SmallDisk mount(Path path, int bytes) throws Exception {
        Files.createDirectories(path);
        assumeTrue(
                run("mount", "-t", "tmpfs", "-o", "size=" + bytes, "tmpfs", path.toString()),
                "mounting a small tmpfs takes root's rights");
        return new SmallDisk(path);
    }

    private static boolean run(String... command) throws InterruptedException {
        try {
            Process process =
                    new ProcessBuilder(command).redirectErrorStream(true).start();
            process.getInputStream().transferTo(OutputStream.nullOutputStream());
            return process.waitFor() == 0;
        } catch (IOException e) {
            return false;
        }
    }

    @Override
    public void close() throws InterruptedException {
        assertTrue(run("umount", path.toString()));
    }
}
