package dev.luq.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.luq.benchmarks.run.Respondent;
import java.time.Duration;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/** A model behind the OpenAI API, as any client asks it: the likeliest answer. Thread-safe. */
final class ServedModel implements Respondent {

    private static final String READY = "ready";
    private static final int BAD_REQUEST = 400;
    private static final int TOO_LARGE = 413;
    private static final int UNPROCESSABLE = 422;
    private static final int TOO_MANY_REQUESTS = 429;
    private static final int SERVER_ERROR = 500;
    private static final int MOST_TRIES = 8;
    private static final String MESSAGE = "/choices/0/message";
    private static final Duration FIRST_WAIT = Duration.ofMillis(250);

    private final CompletionClient client;
    private final String model;

    /** @param model its id or an alias */
    ServedModel(CompletionClient client, String model) {
        this.client = client;
        this.model = model;
    }

    /**
     * What the server's list of models says of it; a server of ours loads it first where it is not in memory.
     *
     * @throws CliException there is no such model, or no server, or it cannot be loaded
     */
    JsonNode description() {
        JsonNode description = listed();
        JsonNode luq = description.path("luq");
        // Until it is ready the list has what was loaded last: its files may have changed since.
        boolean current =
                !luq.path("bytes").isNull() && luq.path("state").asText(READY).equals(READY);
        if (!luq.isObject() || current) {
            return description;
        }
        try {
            answer("Hello.", new byte[0], 1);
        } catch (RefusedException e) {
            throw new CliException(e.getMessage(), e);
        }
        return listed();
    }

    private JsonNode listed() {
        Set<String> ids = new LinkedHashSet<>();
        for (JsonNode listed : client.get("/v1/models").path("data")) {
            ids.add(listed.path("id").asText());
            listed.path("aliases").forEach(alias -> ids.add(alias.asText()));
            if (ids.contains(model)) {
                return listed;
            }
        }
        throw new CliException("The server has no model " + model + "; it has " + String.join(", ", ids) + ".");
    }

    private ObjectNode request(String prompt, List<byte[]> pictures, int maxTokens) {
        ObjectNode request = CompletionClient.JSON
                .createObjectNode()
                .put("model", model)
                .put("temperature", 0)
                .put("max_completion_tokens", maxTokens);
        request.putArray("messages").add(ChatSession.message(pictures, prompt));
        return request;
    }

    @Override
    public String answer(String prompt, byte[] picture, int maxTokens) throws RefusedException {
        ObjectNode request = request(prompt, picture.length == 0 ? List.of() : List.of(picture), maxTokens);
        Duration wait = FIRST_WAIT;
        for (int tries = 1; ; tries++) {
            try {
                JsonNode message = client.post("/v1/chat/completions", request).at(MESSAGE);
                if (message.isObject()) {
                    return message.path("content").asText("");
                }
                // Some servers and proxies in between report their failures like this.
                if (tries == MOST_TRIES) {
                    throw new CliException("The server answered with success and without a message.");
                }
            } catch (CompletionClient.StatusException e) {
                int status = e.status();
                if (status == BAD_REQUEST || status == TOO_LARGE || status == UNPROCESSABLE) {
                    throw new RefusedException(e.getMessage(), e);
                }
                if (status != TOO_MANY_REQUESTS && status < SERVER_ERROR || tries == MOST_TRIES) {
                    throw e;
                }
            }
            Waiting.sleep(wait);
            wait = wait.multipliedBy(2);
        }
    }
}
