package dev.luq;

import java.io.IOException;

/** Signals to processes, beyond the two that {@link ProcessHandle} can send. */
public final class Signals {

    private Signals() {}

    /** @param signal its name, as {@code SEGV} */
    public static void send(String signal, long pid) {
        try {
            // The shell's own: kill(1) is not installed everywhere.
            int exit = new ProcessBuilder("sh", "-c", "kill -" + signal + " " + pid)
                    .inheritIO()
                    .start()
                    .waitFor();
            if (exit != 0) {
                throw new IllegalStateException("SIG" + signal + " could not be sent to " + pid);
            }
        } catch (IOException | InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Ends this process by a signal; does not return. */
    public static void dieOf(String signal) {
        send(signal, ProcessHandle.current().pid());
        while (true) {
            try {
                Thread.sleep(Long.MAX_VALUE);
            } catch (InterruptedException e) {
                // the signal comes
            }
        }
    }
}
