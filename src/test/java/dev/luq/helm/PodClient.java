package dev.luq.helm;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.function.Supplier;

/**
 * Asks a server over HTTP: curl of this machine in another network.
 *
 * @param network how a command is begun that is of this machine, but in that network
 * @param server where it listens there, as in addresses of the web
 * @param key one of the server's keys, or another one
 * @param scratch a folder for bodies of requests
 */
record PodClient(Supplier<List<String>> network, String server, String key, Path scratch) {

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Path EXAMPLES = Path.of("models", "demo", "examples");
    private static final Path PICTURE = EXAMPLES.resolve("describe.png");
    private static final int SHORT = 16;

    /** For the server of a pod, in the pod's network. */
    PodClient(Pod pod, String key, Path scratch) {
        this(pod::inItsNetwork, "127.0.0.1:8080", key, scratch);
    }

    /** A streamed question about a picture, with a short answer. */
    Process ask() throws IOException {
        return ask(Files.readAllBytes(PICTURE), SHORT);
    }

    /**
     * A streamed question about a picture.
     *
     * @param png a file
     * @param tokens of the answer
     */
    Process ask(byte[] png, int tokens) throws IOException {
        Path body = Files.writeString(
                Files.createTempFile(scratch, "question", ".json"),
                """
                {"stream": true, "max_tokens": %d, "ignore_eos": true, "messages": [{"role": "user", "content": [
                  {"type": "image_url", "image_url": {"url": "data:image/png;base64,%s"}},
                  {"type": "text", "text": "What do you see?"}]}]}"""
                        .formatted(tokens, Base64.getEncoder().encodeToString(png)));
        return curl("--no-buffer", "--data-binary", "@" + body, url("/v1/chat/completions"));
    }

    /** The same, with an answer of so many tokens. */
    Process ask(int tokens) throws IOException {
        return ask(Files.readAllBytes(PICTURE), tokens);
    }

    /** The answer to a question about a picture of the demo model's examples. */
    String ask(String picture, String question) throws IOException {
        return post(
                        "/v1/chat/completions",
                        """
                        {"temperature": 0, "messages": [{"role": "user", "content": [
                          {"type": "image_url", "image_url": {"url": "data:image/png;base64,%s"}},
                          {"type": "text", "text": "%s"}]}]}"""
                                .formatted(
                                        Base64.getEncoder()
                                                .encodeToString(Files.readAllBytes(EXAMPLES.resolve(picture))),
                                        question))
                .at("/choices/0/message/content")
                .asText();
    }

    /** What came of a request, once it has ended. */
    static String answer(Process curl) throws InterruptedException, IOException {
        String answer = new String(curl.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, curl.waitFor(), answer);
        return answer;
    }

    /** The status that a path answers with. */
    int status(String path) {
        return Integer.parseInt(done("--output", "/dev/null", "--write-out", "%{http_code}", url(path)));
    }

    JsonNode get(String path) {
        return read(done(url(path)));
    }

    JsonNode post(String path, String body) {
        return read(done("--request", "POST", "--data-binary", body, url(path)));
    }

    private String url(String path) {
        return "http://" + server + path;
    }

    private static JsonNode read(String json) {
        try {
            return JSON.readTree(json);
        } catch (IOException e) {
            throw new AssertionError(json, e);
        }
    }

    private String done(String... options) {
        try {
            return answer(curl(options));
        } catch (IOException e) {
            throw new AssertionError(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError(e);
        }
    }

    private Process curl(String... options) throws IOException {
        List<String> line = new ArrayList<>(network.get());
        // An emulator takes minutes for a picture.
        line.addAll(List.of("curl", "--silent", "--show-error", "--max-time", "900"));
        line.addAll(List.of("--header", "Authorization: Bearer " + key));
        line.addAll(List.of("--header", "Content-Type: application/json"));
        line.addAll(List.of(options));
        return new ProcessBuilder(line).redirectErrorStream(true).start();
    }
}
