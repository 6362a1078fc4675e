package dev.luq;

import static dev.luq.Until.until;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A worker that dies of whatever takes its requests along, with an error that says so, and nothing else. */
@Integration
class WorkerDeathsTest {

    private static PackagedServer server;

    @BeforeAll
    static void start(@TempDir Path directory) throws Exception {
        server = PackagedServer.start(
                directory,
                "luq.model=src/test/resources/reference/llava-tiny-F16.gguf",
                "luq.data-dir=" + directory.resolve("data"),
                "luq.worker.threads=1",
                "luq.worker.process.crash-dir=" + directory,
                "luq.worker.restart.back-off=0.01S");
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    /** The kernel ends a process by SIGKILL when memory runs out. */
    @ParameterizedTest
    @ValueSource(strings = {"KILL", "ABRT", "SEGV", "BUS"})
    void theStreamSaysSoAndTheNextRequestIsAnswered(String signal) throws Exception {
        ProcessHandle worker = server.workers().get(0);
        StringBuilder received = new StringBuilder();
        try (BufferedReader lines = speak("Speak of " + signal, 0)) {
            int chunks = 0;
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                received.append(line).append('\n');
                if (line.startsWith("data: ") && ++chunks == 3) {
                    Signals.send(signal, worker.pid());
                }
            }
        }
        assertTrue(
                received.toString().matches("(?s).*\nevent: error\ndata: \\{\"error\":.*\"worker_restarting\".*\n\n"),
                received.toString());
        until("the model is back", () -> server.isReady() && !worker.isAlive());
        try (BufferedReader lines = speak("And now?", 2)) {
            List<String> answer = lines.lines().filter(line -> !line.isEmpty()).toList();
            assertEquals("data: [DONE]", answer.get(answer.size() - 1));
        }
        assertEquals(1, server.workers().size(), "one worker, and none that ended");
    }

    /** @param maxTokens 0 for as many as the context holds */
    private static BufferedReader speak(String text, int maxTokens) {
        String json = "{\"stream\":true,\"max_tokens\":" + (maxTokens == 0 ? "null" : maxTokens)
                + ",\"logit_bias\":{\"2\":-100},\"messages\":[{\"role\":\"user\",\"content\":\"" + text + "\"}]}";
        HttpResponse<InputStream> response =
                server.post("/v1/chat/completions", json, HttpResponse.BodyHandlers.ofInputStream());
        assertEquals(200, response.statusCode());
        return new BufferedReader(new InputStreamReader(response.body(), UTF_8));
    }
}
