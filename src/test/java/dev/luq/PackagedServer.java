package dev.luq;

import static dev.luq.Until.ended;
import static dev.luq.Until.until;

import dev.luq.files.Folders;
import io.quarkus.bootstrap.app.AugmentResult;
import io.quarkus.bootstrap.app.CuratedApplication;
import io.quarkus.bootstrap.app.QuarkusBootstrap;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The application packaged as for its users, in a process of its own: for what a test in the same process cannot do. */
final class PackagedServer implements AutoCloseable {

    private static final HttpClient CLIENT =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

    /** Packaged once for all tests. */
    private static Path jar;

    private final Process process;
    private final Path log;
    private final int port;

    private PackagedServer(Process process, Path log, int port) {
        this.process = process;
        this.log = log;
        this.port = port;
    }

    /**
     * Packages the application, unless another test did, and starts it.
     *
     * @param directory for the log
     * @param settings {@code key=value}
     */
    static PackagedServer start(Path directory, String... settings) throws Exception {
        return start(directory, List.of("-Xmx256m"), settings);
    }

    /**
     * Packages the application, unless another test did, and starts it.
     *
     * @param directory for the log
     * @param options of its Java
     * @param settings {@code key=value}
     */
    static PackagedServer start(Path directory, List<String> options, String... settings) throws Exception {
        Path application = packaged();
        int port = freePort();
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "-Djava.util.logging.manager=org.jboss.logmanager.LogManager",
                "-Dquarkus.http.port=" + port));
        command.addAll(options);
        for (String setting : settings) {
            command.add("-D" + setting);
        }
        command.addAll(List.of("-jar", application.toString()));
        Path log = directory.resolve("server.log");
        Process process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start();
        PackagedServer server = new PackagedServer(process, log, port);
        boolean ready = false;
        try {
            until("the server to be ready", () -> {
                if (!process.isAlive()) {
                    throw new AssertionError("the server ended: " + server.log());
                }
                return server.log().contains(" is ready: ");
            });
            ready = true;
            return server;
        } finally {
            if (!ready) {
                server.close();
            }
        }
    }

    private static synchronized Path packaged() throws Exception {
        if (jar != null) {
            return jar;
        }
        Path directory = Path.of("target", "packaged-test").toAbsolutePath();
        Folders.delete(directory);
        QuarkusBootstrap bootstrap = QuarkusBootstrap.builder()
                .setApplicationRoot(Path.of("target", "classes").toAbsolutePath())
                .setProjectRoot(Path.of("").toAbsolutePath())
                .setTargetDirectory(directory)
                .setLocalProjectDiscovery(true)
                .setIsolateDeployment(true)
                .setMode(QuarkusBootstrap.Mode.PROD)
                .build();
        try (CuratedApplication application = bootstrap.bootstrap()) {
            AugmentResult result = application.createAugmentor().createProductionApplication();
            jar = result.getJar().getPath();
        }
        return jar;
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    ProcessHandle process() {
        return process.toHandle();
    }

    /** Those that run now, one for each model that is served. */
    List<ProcessHandle> workers() {
        return Children.of(process(), "WorkerMain");
    }

    /** Whether its models are served. */
    boolean isReady() {
        return get("/q/health/ready").statusCode() == 200;
    }

    HttpResponse<String> get(String path) {
        return send(HttpRequest.newBuilder(address(path)).build(), HttpResponse.BodyHandlers.ofString());
    }

    HttpResponse<String> post(String path, String json) {
        return post(path, json, HttpResponse.BodyHandlers.ofString());
    }

    <T> HttpResponse<T> post(String path, String json, HttpResponse.BodyHandler<T> body) {
        return send(
                HttpRequest.newBuilder(address(path))
                        .header("Content-Type", "application/json")
                        .POST(HttpRequest.BodyPublishers.ofString(json))
                        .build(),
                body);
    }

    private static <T> HttpResponse<T> send(HttpRequest request, HttpResponse.BodyHandler<T> body) {
        try {
            return CLIENT.send(request, body);
        } catch (IOException | InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    /** Sends SIGTERM. */
    void terminate() {
        process.destroy();
    }

    /** @return the exit code */
    int awaitExit() {
        try {
            return ended("the server to end", process);
        } catch (AssertionError e) {
            throw new AssertionError(e.getMessage() + ": " + log(), e);
        }
    }

    URI address(String path) {
        return URI.create("http://127.0.0.1:" + port + path);
    }

    String log() {
        try {
            return Files.readString(log);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() {
        process.destroyForcibly();
    }
}
