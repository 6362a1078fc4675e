package dev.luq.cli;

import java.io.IOException;
import java.time.Duration;

/** Waiting of the commands. Where the thread is interrupted it stays so, and the command ends with a {@link CliException}. */
public final class Waiting {

    private Waiting() {}

    /** @throws CliException when the thread is interrupted */
    public static void sleep(Duration time) {
        try {
            Thread.sleep(time.toMillis());
        } catch (InterruptedException e) {
            throw interrupted(e);
        }
    }

    /**
     * Runs a program to its end; an interrupt of the thread ends it too.
     *
     * @return what it printed where standard output is a pipe to us, as it is unless redirected; otherwise nothing
     * @throws IOException when it cannot be started
     * @throws CliException when its status is not 0, or the thread is interrupted
     */
    public static byte[] run(ProcessBuilder program) throws IOException {
        Process process = program.start();
        byte[] output = process.getInputStream().readAllBytes();
        try {
            if (process.waitFor() != 0) {
                throw new CliException(program.command().get(0) + " ended with status " + process.exitValue() + ".");
            }
        } catch (InterruptedException e) {
            process.destroy();
            throw interrupted(e);
        }
        return output;
    }

    /** What to throw instead of it; the thread is marked as interrupted again. */
    public static CliException interrupted(InterruptedException e) {
        Thread.currentThread().interrupt();
        return new CliException("Interrupted.", e);
    }
}
