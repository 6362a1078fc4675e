package dev.luq.bench;

import dev.luq.cli.CliException;
import dev.luq.cli.CompletionClient;
import dev.luq.cli.Waiting;
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

/** llama.cpp's own server in a process, on a free port of the loopback interface. Closing ends it. */
final class LlamaServer implements AutoCloseable {

    private static final Duration POLL = Duration.ofMillis(50);
    private static final Duration END_TIMEOUT = Duration.ofSeconds(30);
    private static final int LOG_LINES = 15;

    private final Process process;
    private final Path log;
    private final URI address;
    private final Thread endWithUs = new Thread(this::end);

    /**
     * How a model is served.
     *
     * @param mmproj its vision projector, if any
     * @param threads for prompts, generation and pictures
     * @param slots sequences at once
     * @param context tokens of KV cache, shared by all slots
     * @param further options as on its command line
     */
    record Options(Path model, Optional<Path> mmproj, int threads, int slots, int context, List<String> further) {

        /** Slots share one KV cache, which is llama-server's default where it chooses the slots itself. */
        List<String> arguments() {
            List<String> arguments = new ArrayList<>(List.of("--model", model.toString()));
            mmproj.ifPresent(file -> arguments.addAll(List.of("--mmproj", file.toString())));
            arguments.addAll(List.of(
                    "--threads",
                    Integer.toString(threads),
                    "--parallel",
                    Integer.toString(slots),
                    "--ctx-size",
                    Integer.toString(context),
                    "--kv-unified",
                    "--no-webui"));
            arguments.addAll(further);
            return arguments;
        }
    }

    /**
     * Starts a server and waits until it is ready.
     *
     * @param program the file llama-server
     * @throws CliException with the end of the server's log when it does not become ready
     */
    static LlamaServer start(Path program, Options options, Duration timeout) throws IOException {
        int port = freePort();
        List<String> command =
                new ArrayList<>(List.of(program.toString(), "--host", "127.0.0.1", "--port", Integer.toString(port)));
        command.addAll(options.arguments());
        Path log = Files.createTempFile("luq-llama-server-", ".log");
        Process process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start();
        process.getOutputStream().close();
        LlamaServer server = new LlamaServer(process, log, URI.create("http://127.0.0.1:" + port));
        server.awaitReady(timeout);
        return server;
    }

    private LlamaServer(Process process, Path log, URI address) {
        this.process = process;
        this.log = log;
        this.address = address;
        Runtime.getRuntime().addShutdownHook(endWithUs);
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    private void awaitReady(Duration timeout) throws IOException {
        CompletionClient client = new CompletionClient(address, Optional.empty());
        long deadline = System.nanoTime() + timeout.toNanos();
        while (!client.answers("/health")) {
            if (!process.isAlive() || System.nanoTime() > deadline) {
                String end = logEnd();
                close();
                throw new CliException("llama-server did not become ready. The end of its log:\n" + end);
            }
            Waiting.sleep(POLL);
        }
    }

    /** The last lines that the server wrote. */
    String logEnd() throws IOException {
        List<String> lines = Files.readAllLines(log);
        return String.join("\n", lines.subList(Math.max(0, lines.size() - LOG_LINES), lines.size()));
    }

    /** Scheme, host and port. */
    URI address() {
        return address;
    }

    ProcessHandle handle() {
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
