package dev.luq.process;

import java.util.Map;
import java.util.Optional;

/**
 * How a child process ended.
 *
 * @param code its exit code; 128 and the signal's number when a signal ended it
 * @param crash what its JVM reported, if it crashed
 */
public record ProcessExit(int code, Optional<CrashReport> crash) {

    private static final Map<Integer, String> SIGNALS = Map.of(
            1, "SIGHUP", 2, "SIGINT", 4, "SIGILL", 6, "SIGABRT", 7, "SIGBUS", 8, "SIGFPE", 9, "SIGKILL", 11, "SIGSEGV",
            15, "SIGTERM");

    /** Exit code of a JVM that was told to end when its heap is full. */
    private static final int HEAP_FULL = 3;

    /** One without a report. */
    public ProcessExit(int code) {
        this(code, Optional.empty());
    }

    /**
     * Name of the signal that ended the process; {@code crash} when its JVM ended with an error of its own, or did not
     * start; {@code exit} when it ended by itself.
     */
    public String signal() {
        if (crash.isPresent()) {
            return crash.get().signal();
        }
        if (code > 128) {
            return SIGNALS.getOrDefault(code - 128, "signal " + (code - 128));
        }
        return code == 1 ? "crash" : "exit";
    }

    /** Says for everybody what happened: the signal and where, or what the code means. Names no path and no address. */
    @Override
    public String toString() {
        if (crash.isPresent() || code > 128) {
            return signal()
                    + crash.flatMap(CrashReport::library)
                            .map(library -> " in " + library)
                            .orElse("");
        }
        return code == HEAP_FULL ? "exit code 3: its Java heap is too small" : "exit code " + code;
    }

    /** The same for the operator's log: also where the report lies, or what most likely happened. */
    public String forOperator() {
        if (signal().equals("SIGKILL")) {
            return "SIGKILL: somebody ended it, or the system because memory ran out";
        }
        return crash.map(CrashReport::toString).orElseGet(this::toString);
    }
}
