package dev.luq;

import static dev.luq.Until.ended;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A process that works until it is ended. Closing kills it where it has not ended. */
public record BusyProcess(Process process) implements AutoCloseable {

    /**
     * @param main writes a {@code !} once it has begun, and never ends
     * @return when it has begun
     */
    public static BusyProcess start(Class<?> main, String... arguments) throws IOException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx64m",
                "-XX:TieredStopAtLevel=1",
                "-Xshare:auto",
                "-cp",
                System.getProperty("java.class.path"),
                main.getName()));
        command.addAll(List.of(arguments));
        Process process = new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        assertEquals('!', process.getInputStream().read());
        return new BusyProcess(process);
    }

    /** Tells it to end, as Ctrl-C does, and waits until it has. */
    public void end() {
        process.destroy();
        ended("the process that was told to end", process);
    }

    @Override
    public void close() {
        process.destroyForcibly();
    }

    /** Fails where it had ended by itself. */
    public void kill() {
        process.destroyForcibly();
        assertEquals(128 + 9, ended("the killed process", process));
    }
}
