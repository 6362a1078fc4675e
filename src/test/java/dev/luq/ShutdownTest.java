package dev.luq;

import static dev.luq.Until.completed;
import static dev.luq.Until.until;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.luq.requant.plan.Precision;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What clients see of a server that is told to stop, as a service manager or Kubernetes does. */
@Integration
class ShutdownTest {

    private final HttpClient client =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

    @Test
    void aStreamThatTakesTooLongIsToldAndNothingNewBegins(@TempDir Path directory) throws Exception {
        String models = "src/test/resources/reference/";
        try (PackagedServer server = PackagedServer.start(
                directory,
                "luq.model=" + models + "llava-tiny-F16.gguf",
                "luq.worker.threads=1",
                "luq.worker.drain-time=3S")) {
            List<ProcessHandle> workers = server.process().children().toList();
            assertEquals(1, workers.size());
            HttpResponse<InputStream> endless = speak(server, 0);
            assertEquals(200, endless.statusCode());
            StringBuilder received = new StringBuilder();
            try (BufferedReader lines = new BufferedReader(new InputStreamReader(endless.body(), UTF_8))) {
                int chunks = 0;
                for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                    received.append(line).append('\n');
                    if (line.startsWith("data: ") && ++chunks == 3) {
                        server.terminate();
                        until("new requests to be refused", () -> isRefused(server));
                    }
                }
            }
            assertTrue(
                    received.toString().matches("(?s).*\nevent: error\ndata: \\{\"error\":.*\"draining\".*\n\n"),
                    received.toString());
            assertEquals(143, server.awaitExit(), server.log());
            until("the worker's end", () -> workers.stream().noneMatch(ProcessHandle::isAlive));
        }
    }

    /** The old worker ends a long answer before the new one may start: that is when the signal comes. */
    @Test
    void aChangeOfVariantUnderWayLeavesAServerThatStartsAgain(@TempDir Path directory) throws Exception {
        Path reference = Path.of("src/test/resources/reference").toAbsolutePath();
        Path model = reference.resolve("llava-tiny-F16.gguf");
        Path mmproj = reference.resolve("mmproj-llava-tiny-F16.gguf");
        Path data = directory.resolve("data");
        TestVariants.publish(data, "low", model, mmproj, Precision.Q4_K);
        String[] settings = {
            "luq.model=" + model,
            "luq.mmproj=" + mmproj,
            "luq.model-id=tiny",
            "luq.data-dir=" + data,
            "luq.worker.threads=1",
            "luq.worker.drain-time=1S"
        };
        try (PackagedServer server = PackagedServer.start(directory, settings)) {
            List<ProcessHandle> workers = server.process().children().toList();
            HttpResponse<InputStream> endless = speak(server, 0);
            assertEquals('d', endless.body().read());
            CompletableFuture<HttpResponse<String>> change = client.sendAsync(
                    HttpRequest.newBuilder(server.address("/admin/v1/models/tiny/activation"))
                            .header("Content-Type", "application/json")
                            .POST(HttpRequest.BodyPublishers.ofString("{\"variant\":\"low\",\"swap\":\"pause\"}"))
                            .build(),
                    HttpResponse.BodyHandlers.ofString());
            until(
                    "the change is under way",
                    () -> server.get("/admin/v1/models/tiny").body().contains("\"swapping\""));
            server.terminate();
            assertEquals(143, server.awaitExit(), server.log());
            completed("the answer to the change", change.handle((answer, failure) -> null));
            until("the worker's end", () -> workers.stream().noneMatch(ProcessHandle::isAlive));
        }
        try (PackagedServer server = PackagedServer.start(directory, settings)) {
            assertEquals(200, speak(server, 1).statusCode());
            assertTrue(server.get("/admin/v1/variants").body().contains("\"low\""), "what was made is there");
        }
    }

    private boolean isRefused(PackagedServer server) {
        try {
            HttpResponse<InputStream> response = speak(server, 1);
            String body = new String(response.body().readAllBytes(), UTF_8);
            if (response.statusCode() == 200) {
                return false;
            }
            assertEquals(503, response.statusCode());
            assertTrue(body.contains("\"code\":\"draining\""), body);
            assertTrue(response.headers().firstValue("Retry-After").isPresent());
            return true;
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    /** @param maxTokens 0 for as many as the context holds */
    private static HttpResponse<InputStream> speak(PackagedServer server, int maxTokens) {
        String json = "{\"stream\":true,\"max_tokens\":" + (maxTokens == 0 ? "null" : maxTokens)
                + ",\"logit_bias\":{\"2\":-100},\"messages\":[{\"role\":\"user\",\"content\":\"Speak.\"}]}";
        return server.post("/v1/chat/completions", json, HttpResponse.BodyHandlers.ofInputStream());
    }
}
