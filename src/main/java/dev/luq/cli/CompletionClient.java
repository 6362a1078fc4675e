package dev.luq.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.MissingNode;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpConnectTimeoutException;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.net.http.HttpTimeoutException;
import java.time.Duration;
import java.util.Optional;
import java.util.function.Consumer;

/** A client of one OpenAI-style server, streaming over server-sent events. Thread-safe. */
public final class CompletionClient {

    /** Reads and writes what is sent. */
    public static final ObjectMapper JSON = new ObjectMapper();

    /** Longest wait for an answer in one piece: a large picture on few processors takes minutes, behind others more. */
    private static final Duration ANSWER_TIMEOUT = Duration.ofHours(1);

    /**
     * Longest wait for the next line of a stream and for what needs no model. This server sends comments every few
     * seconds; others have a token by then.
     */
    private static final Duration LONGEST_SILENCE = Duration.ofMinutes(10);

    private static final String DATA = "data: ";
    private static final String DONE = "[DONE]";

    private final URI server;
    private final Optional<String> apiKey;
    private final Duration longestSilence;
    private final HttpClient http = HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(Duration.ofSeconds(5))
            .build();
    private String model;

    /** An answer of the server that is no success. */
    public static final class StatusException extends CliException {
        private final int status;

        StatusException(int status, String body) {
            super(errorMessage(status, body));
            this.status = status;
        }

        /** Of HTTP. */
        public int status() {
            return status;
        }
    }

    /** @param server scheme, host and port */
    public CompletionClient(URI server, Optional<String> apiKey) {
        this(server, apiKey, LONGEST_SILENCE);
    }

    CompletionClient(URI server, Optional<String> apiKey, Duration longestSilence) {
        this.server = server;
        this.apiKey = apiKey;
        this.longestSilence = longestSilence;
    }

    /**
     * A client with a key from the environment.
     *
     * @param variable that holds the key; without it none is sent
     */
    static CompletionClient withKeyOf(URI server, String variable) {
        return new CompletionClient(server, Optional.ofNullable(System.getenv(variable)));
    }

    /**
     * Sends a chat completion and hands over each non-empty piece of text as it arrives.
     *
     * @param request the body; {@code stream} and {@code stream_options} are the caller's to set
     * @return the usage object of the stream's end, or a missing node
     * @throws CliException when the server refuses, fails, is gone or sends nothing for minutes
     */
    public JsonNode stream(JsonNode request, Consumer<String> text) {
        HttpResponse<InputStream> response = send(
                request("/v1/chat/completions")
                        // Other servers send nothing at all before the first token.
                        .timeout(ANSWER_TIMEOUT)
                        .header("Content-Type", "application/json")
                        .POST(BodyPublishers.ofString(request.toString()))
                        .build(),
                BodyHandlers.ofInputStream());
        try (LinesInTime lines = new LinesInTime(response.body(), longestSilence)) {
            if (response.statusCode() != 200) {
                StringBuilder body = new StringBuilder();
                for (String line = lines.next(); line != null; line = lines.next()) {
                    body.append(line).append('\n');
                }
                throw new StatusException(response.statusCode(), body.toString());
            }
            return new EventReader(text).read(lines);
        } catch (HttpTimeoutException e) {
            throw silent(server, longestSilence, e);
        } catch (IOException e) {
            throw new CliException("The server closed the connection in the middle of its answer.", e);
        }
    }

    /** What to throw when a server that is there sends nothing for that long. */
    public static CliException silent(URI server, Duration time, Exception cause) {
        return new CliException(
                server + " has sent nothing for " + time.toSeconds()
                        + " s and seems to hang: look at its log, end it and start it again.",
                cause);
    }

    /** Has another model asked than the server's first. */
    synchronized void setModel(String id) {
        model = id;
    }

    /**
     * Id of the model that is asked: the server's first, which it is asked for the first time.
     *
     * @throws CliException when it serves none, refuses, fails or is gone
     */
    public synchronized String model() {
        if (model == null) {
            JsonNode id = get("/v1/models").path("data").path(0).path("id");
            if (!id.isTextual()) {
                throw new CliException("The server serves no model.");
            }
            model = id.textValue();
        }
        return model;
    }

    /**
     * The body of a GET.
     *
     * @throws StatusException unless the status is 200
     * @throws CliException the server is gone or sends nothing for minutes
     */
    public JsonNode get(String path) {
        HttpResponse<String> response =
                send(request(path).timeout(longestSilence).GET().build(), BodyHandlers.ofString());
        if (response.statusCode() != 200) {
            throw new StatusException(response.statusCode(), response.body());
        }
        return parse(response.body());
    }

    /**
     * Sends JSON, and waits an hour for the answer at most.
     *
     * @return the answer's body.
     * @throws StatusException unless the status is one of success
     * @throws CliException the server is gone
     */
    public JsonNode post(String path, JsonNode body) {
        HttpResponse<String> response = send(
                request(path)
                        .timeout(ANSWER_TIMEOUT)
                        .header("Content-Type", "application/json")
                        .POST(BodyPublishers.ofString(body.toString()))
                        .build(),
                BodyHandlers.ofString());
        if (response.statusCode() / 100 != 2) {
            throw new StatusException(response.statusCode(), response.body());
        }
        return parse(response.body());
    }

    /** Whether a GET is answered with 200; false also when nobody listens. */
    public boolean answers(String path) {
        try {
            return send(request(path).timeout(Duration.ofSeconds(5)).GET().build(), BodyHandlers.discarding())
                            .statusCode()
                    == 200;
        } catch (CliException e) {
            return false;
        }
    }

    private HttpRequest.Builder request(String path) {
        HttpRequest.Builder builder = HttpRequest.newBuilder(server.resolve(path));
        apiKey.ifPresent(key -> builder.header("Authorization", "Bearer " + key));
        return builder;
    }

    private <T> HttpResponse<T> send(HttpRequest request, HttpResponse.BodyHandler<T> handler) {
        try {
            return http.send(request, handler);
        } catch (HttpConnectTimeoutException e) {
            throw noAnswer(e);
        } catch (HttpTimeoutException e) {
            throw silent(server, request.timeout().orElseThrow(), e);
        } catch (IOException e) {
            throw noAnswer(e);
        } catch (InterruptedException e) {
            throw Waiting.interrupted(e);
        }
    }

    private CliException noAnswer(IOException e) {
        return new CliException("No answer from " + server + ".", e);
    }

    private static String errorMessage(int status, String body) {
        try {
            JsonNode message = JSON.readTree(body).path("error").path("message");
            if (message.isTextual()) {
                return "The server answered " + status + ": " + message.asText();
            }
        } catch (JsonProcessingException e) {
            // Not an error of this API: the status says what is known.
        }
        return "The server answered " + status + ".";
    }

    /** @throws CliException when this is no JSON */
    public static JsonNode parse(String json) {
        try {
            return JSON.readTree(json);
        } catch (JsonProcessingException e) {
            throw new CliException("The server's answer is not JSON.", e);
        }
    }

    /** Reads one event stream. */
    private static final class EventReader {
        private final Consumer<String> text;
        private JsonNode usage = MissingNode.getInstance();
        private boolean done;

        EventReader(Consumer<String> text) {
            this.text = text;
        }

        JsonNode read(LinesInTime lines) throws IOException {
            while (!done) {
                String line = lines.next();
                if (line == null) {
                    throw new CliException("The answer ended early.");
                }
                line(line);
            }
            return usage;
        }

        private void line(String line) {
            if (!line.startsWith(DATA)) {
                return;
            }
            String data = line.substring(DATA.length());
            if (data.equals(DONE)) {
                done = true;
                return;
            }
            JsonNode event = parse(data);
            if (event.has("error")) {
                throw new CliException(event.path("error").path("message").asText("The generation failed."));
            }
            if (event.path("usage").isObject()) {
                usage = event.path("usage");
            }
            String content =
                    event.path("choices").path(0).path("delta").path("content").asText("");
            if (!content.isEmpty()) {
                text.accept(content);
            }
        }
    }
}
