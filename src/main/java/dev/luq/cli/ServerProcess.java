package dev.luq.cli;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
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

    private static final String HOST = "127.0.0.1";
    private static final Duration POLL = Duration.ofMillis(50);
    private static final Duration START_TIMEOUT = Duration.ofMinutes(10);
    private static final Duration END_TIMEOUT = Duration.ofSeconds(30);
    private static final int LOG_LINES = 15;

    private final Process process;
    private final Path log;
    private final URI address;
    private final CompletionClient client;
    private final Thread endWithUs = new Thread(this::end);
    /** Of the model that it was started for; empty where its own configuration says which. */
    private Optional<String> model = Optional.empty();

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
                    List<String> command = new ArrayList<>(
                            List.of(launcher, "serve", "--host", HOST, "--port", Integer.toString(port)));
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
     * Starts a server that has a model, whatever else it is configured to have.
     *
     * @throws CliException as {@link #start(List, Duration)}
     */
    static ServerProcess ofModel(ModelOptions model) {
        return ofModel(model, List.of());
    }

    /**
     * The same with options of one's own.
     *
     * @param more options of {@code luq serve}
     */
    public static ServerProcess ofModel(ModelOptions model, List<String> more) {
        List<String> options =
                new ArrayList<>(List.of("--model", model.modelFile().toString(), "-Dluq.model-id=" + model.id()));
        // Empty where there is none: a configured one is of another model.
        options.add("-Dluq.mmproj=" + model.mmprojFile().map(Path::toString).orElse(""));
        options.addAll(more);
        ServerProcess server = start(options, START_TIMEOUT);
        server.model = Optional.of(model.id());
        return server;
    }

    /**
     * Starts a server of what its configuration says: the demo model where it names none.
     *
     * @throws CliException as {@link #start(List, Duration)}
     */
    static ServerProcess asConfigured() {
        return start(List.of(), START_TIMEOUT);
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
            ServerProcess server = new ServerProcess(process, log, URI.create("http://" + HOST + ":" + port));
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
        List<String> lines = new String(Files.readAllBytes(log), StandardCharsets.UTF_8)
                .lines()
                .toList();
        return String.join("\n", lines.subList(Math.max(0, lines.size() - LOG_LINES), lines.size()));
    }

    /** For the model that it was started for, with the key in $LUQ_API_KEY: its keys are those of the configuration. */
    public CompletionClient client() {
        CompletionClient client = CompletionClient.withKeyOf(address, "LUQ_API_KEY");
        model.ifPresent(client::setModel);
        return client;
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
