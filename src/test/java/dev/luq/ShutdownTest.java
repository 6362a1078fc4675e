package dev.luq;

import static dev.luq.Until.until;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What clients see of a server that is told to stop, as a service manager or Kubernetes does. */
class ShutdownTest {

    private final HttpClient client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

    @Test
    void aStreamThatTakesTooLongIsToldAndNothingNewBegins(@TempDir Path directory) throws Exception {
        String models = "src/test/resources/reference/";
        try (PackagedServer server = PackagedServer.start(directory, "luq.model=" + models + "llava-tiny-F16.gguf",
                "luq.worker.threads=1", "luq.worker.drain-time=3S")) {
            List<ProcessHandle> workers = server.process().children().toList();
            assertEquals(1, workers.size());
            HttpResponse<InputStream> endless = speak(server, 0);
            assertEquals(200, endless.statusCode());
            StringBuilder received = new StringBuilder();
            try (BufferedReader lines = new BufferedReader(new InputStreamReader(endless.body()))) {
                int chunks = 0;
                for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                    received.append(line).append('\n');
                    if (line.startsWith("data: ") && ++chunks == 3) {
                        server.terminate();
                        until("new requests to be refused", () -> isRefused(server));
                    }
                }
            }
            assertTrue(received.toString().matches("(?s).*\nevent: error\ndata: \\{\"error\":.*\"draining\".*\n\n"),
                    received.toString());
            assertEquals(143, server.awaitExit(), server.log());
            until("the worker's end", () -> workers.stream().noneMatch(ProcessHandle::isAlive));
        }
    }

    private boolean isRefused(PackagedServer server) {
        try {
            HttpResponse<InputStream> response = speak(server, 1);
            String body = new String(response.body().readAllBytes());
            if (response.statusCode() == 200) {
                return false;
            }
            assertEquals(503, response.statusCode());
            assertTrue(body.contains("\"code\":\"draining\""), body);
            assertTrue(response.headers().firstValue("Retry-After").isPresent());
            return true;
        } catch (IOException | InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    /** @param maxTokens 0 for as many as the context holds */
    private HttpResponse<InputStream> speak(PackagedServer server, int maxTokens) throws IOException, InterruptedException {
        String json = "{\"stream\":true,\"max_tokens\":" + (maxTokens == 0 ? "null" : maxTokens)
                + ",\"logit_bias\":{\"2\":-100},\"messages\":[{\"role\":\"user\",\"content\":\"Speak.\"}]}";
        return client.send(HttpRequest.newBuilder(server.address("/v1/chat/completions"))
                .header("Content-Type", "application/json").POST(HttpRequest.BodyPublishers.ofString(json)).build(),
                HttpResponse.BodyHandlers.ofInputStream());
    }
}
