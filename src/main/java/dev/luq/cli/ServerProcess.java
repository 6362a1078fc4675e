package dev.luq.cli;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.IntFunction;

/** A server started by this command, on a free port of the loopback interface. Closing ends it. */
public final class ServerProcess implements AutoCloseable {

    /** The launcher's path; set by the launcher itself. */
    static final String LAUNCHER_PROPERTY = "luq.launcher";

    private static final Duration POLL = Duration.ofMillis(50);
    private static final Duration START_TIMEOUT = Duration.ofMinutes(10);
    private static final Duration END_TIMEOUT = Duration.ofSeconds(30);
    private static final int LOG_LINES = 15;

    private final Process process;
    private final Path log;
    private final URI address;
    private final CompletionClient client;
    private final Thread endWithUs = new Thread(this::end);

    /**
     * Starts a server through the launcher and waits until it is ready.
     *
     * @param options of {@code luq serve}
     * @throws CliException with the end of the server's log when it does not become ready
     */
    public static ServerProcess start(List<String> options, Duration timeout) {
        String launcher = Optional.ofNullable(System.getProperty(LAUNCHER_PROPERTY))
                .orElseThrow(() -> new CliException("Start this command with the launcher luq."));
        ServerProcess server = start(
                port -> {
                    List<String> command =
                            new ArrayList<>(List.of(launcher, "serve", "--port", Integer.toString(port)));
                    command.addAll(options);
                    return command;
                },
                "/q/health/started",
                timeout);
        try {
            if (!server.client.answers("/q/health/ready")) {
                server.fail("The model cannot be served.");
            }
            return server;
        } catch (IOException e) {
            throw notStarted(e);
        }
    }

    /**
     * Starts a server of one model.
     *
     * @param model null for the demo model
     * @param mmproj of the model; null where it has none
     * @throws CliException as {@link #start(List, Duration)}
     */
    static ServerProcess ofModel(Path model, Path mmproj) {
        List<String> options = new ArrayList<>();
        if (model != null) {
            options.addAll(List.of("--model", model.toAbsolutePath().toString()));
            if (mmproj != null) {
                options.addAll(List.of("--mmproj", mmproj.toAbsolutePath().toString()));
            }
        }
        return start(options, START_TIMEOUT);
    }

    /**
     * Starts any server that speaks HTTP and waits until it is up.
     *
     * @param command with its arguments, for a port
     * @param up the path that it answers with success from then on
     * @throws CliException with the end of the server's log when that does not come
     */
    public static ServerProcess start(IntFunction<List<String>> command, String up, Duration timeout) {
        try {
            int port = freePort();
            Path log = Files.createTempFile("luq-server-", ".log");
            Process process = new ProcessBuilder(command.apply(port))
                    .redirectErrorStream(true)
                    .redirectOutput(log.toFile())
                    .start();
            process.getOutputStream().close();
            ServerProcess server = new ServerProcess(process, log, URI.create("http://127.0.0.1:" + port));
            server.await(up, timeout);
            return server;
        } catch (IOException e) {
            throw notStarted(e);
        }
    }

    private static CliException notStarted(IOException e) {
        return new CliException("Cannot start a server: " + e.getMessage(), e);
    }

    private ServerProcess(Process process, Path log, URI address) {
        this.process = process;
        this.log = log;
        this.address = address;
        this.client = new CompletionClient(address, Optional.empty());
        Runtime.getRuntime().addShutdownHook(endWithUs);
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    private void await(String up, Duration timeout) throws IOException {
        long deadline = System.nanoTime() + timeout.toNanos();
        while (!client.answers(up)) {
            if (!process.isAlive()) {
                fail("The server ended with status " + process.exitValue() + ".");
            }
            if (System.nanoTime() > deadline) {
                fail("The server did not start in " + timeout.toSeconds() + " s.");
            }
            Waiting.sleep(POLL);
        }
    }

    private void fail(String reason) throws IOException {
        String end = logEnd();
        close();
        throw new CliException(reason + " The end of the server's log:\n" + end);
    }

    /** The last lines that the server wrote. */
    public String logEnd() throws IOException {
        List<String> lines = Files.readAllLines(log);
        return String.join("\n", lines.subList(Math.max(0, lines.size() - LOG_LINES), lines.size()));
    }

    /** Scheme, host and port. */
    public URI address() {
        return address;
    }

    /** The server's process; the launcher replaced itself by ours. Workers are its descendants. */
    public ProcessHandle handle() {
        return process.toHandle();
    }

    /** Asks the server to stop, waits, and insists if it must. Idempotent. */
    @Override
    public void close() {
        end();
        Runtime.getRuntime().removeShutdownHook(endWithUs);
    }

    private void end() {
        process.destroy();
        try {
            if (!process.waitFor(END_TIMEOUT.toSeconds(), TimeUnit.SECONDS)) {
                process.destroyForcibly();
            }
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
        }
        try {
            Files.deleteIfExists(log);
        } catch (IOException e) {
            // A log left behind in the temporary directory harms nobody.
        }
    }
}
