package dev.luq.process;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * How the main class of each child process begins and ends. All have frames on standard output, log lines on standard
 * error, and end with their standard input, that is when the server asks for it, ends or is killed.
 */
public final class ChildMain {

    /** Exit code after the end of the input, or when all is done. */
    public static final int EXIT_ASKED = 0;
    /** Exit code when the server does not speak the protocol or reads no more. */
    public static final int EXIT_SERVER_LOST = 4;
    /** Exit code after a defect of ours. */
    public static final int EXIT_DEFECT = 5;

    /** See proc(5). */
    private static final int MOST_OOM_SCORE = 1000;

    private ChildMain() {}

    /**
     * Called first and once. Signals that reach a whole process group, such as a terminal's Ctrl-C or a service manager's
     * stop, are ignored from now on: the server decides when its child processes end.
     *
     * @return standard output for frames alone. What Java prints goes to standard error; what native code prints, the
     *     JVM's fatal error included, goes nowhere: the JVM writes the same into its report
     */
    public static OutputStream begin() {
        ignoreSignals();
        System.setOut(System.err);
        try {
            // The same pipe by another descriptor; closing the first one connects its number to /dev/null.
            OutputStream frames = new FileOutputStream("/proc/self/fd/1");
            new FileOutputStream(FileDescriptor.out).close();
            return frames;
        } catch (IOException e) {
            // No /proc, or no pipe: then nothing but frames must be printed.
            return new FileOutputStream(FileDescriptor.out);
        }
    }

    /** By reflection: javac warns of sun.misc.Signal whatever one says, and warnings are errors. */
    private static void ignoreSignals() {
        try {
            Class<?> signal = Class.forName("sun.misc.Signal");
            Class<?> handler = Class.forName("sun.misc.SignalHandler");
            Object ignore = handler.getField("SIG_IGN").get(null);
            for (String name : new String[] {"INT", "TERM", "HUP"}) {
                Object one = signal.getConstructor(String.class).newInstance(name);
                signal.getMethod("handle", signal, handler).invoke(null, one, ignore);
            }
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException("this JVM has no module jdk.unsupported", e);
        }
    }

    /**
     * Where memory runs out, the system ends the process with the highest score first: this one before the server.
     * Added to what the server has, which may not be undercut: a kubelet gives containers up to 999.
     *
     * @param adjustment of its score, 1..1000
     */
    public static void oomScore(int adjustment) {
        try {
            Path file = Path.of("/proc/self/oom_score_adj");
            int inherited = Integer.parseInt(Files.readString(file).strip());
            Files.writeString(file, Integer.toString(Math.min(inherited + adjustment, MOST_OOM_SCORE)));
        } catch (IOException e) {
            System.err.println("FINE The system decides which process ends when memory runs out: " + e.getMessage());
        }
    }

    /** Ends at once: threads inside native code cannot be asked to return. */
    public static void exit(int code) {
        Runtime.getRuntime().halt(code);
    }
}
