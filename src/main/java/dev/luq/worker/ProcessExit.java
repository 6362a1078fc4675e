package dev.luq.worker;

import java.util.Map;

/** How a child process ended. */
public record ProcessExit(int code) {

    private static final Map<Integer, String> SIGNALS = Map.of(1, "SIGHUP", 2, "SIGINT", 4, "SIGILL", 6, "SIGABRT",
            7, "SIGBUS", 8, "SIGFPE", 9, "SIGKILL", 11, "SIGSEGV", 15, "SIGTERM");

    /**
     * Name of the signal that ended the process; {@code crash} when its JVM wrote a crash report and ended, or did
     * not start; {@code exit} when it ended by itself.
     */
    public String signal() {
        if (code > 128) {
            return SIGNALS.getOrDefault(code - 128, "signal " + (code - 128));
        }
        return code == 1 ? "crash" : "exit";
    }

    @Override
    public String toString() {
        return code > 128 ? signal() : "exit code " + code;
    }
}
