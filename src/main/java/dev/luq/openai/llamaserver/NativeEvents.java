package dev.luq.openai.llamaserver;

import com.fasterxml.jackson.databind.JsonNode;
import dev.luq.http.errors.ApiError;
import dev.luq.http.errors.ErrorResponses;
import dev.luq.openai.generation.AnswerEvents;
import dev.luq.openai.generation.ChoiceFrame;
import dev.luq.openai.generation.JsonEvent;
import dev.luq.protocol.WorkerFrame.Delta;
import dev.luq.protocol.WorkerFrame.Finished;
import dev.luq.protocol.WorkerFrame.TokenLogprob;
import io.vertx.core.buffer.Buffer;
import java.util.List;
import java.util.Map;

/** The server-sent events of completions in llama-server's form; the last of each has {@code stop: true}. */
final class NativeEvents implements AnswerEvents {

    private final NativeResults results;
    private final boolean probabilities;
    private final int[] generated;

    NativeEvents(NativeResults results, int choices, boolean probabilities) {
        this.results = results;
        this.generated = new int[choices];
        this.probabilities = probabilities;
    }

    @Override
    public Buffer of(ChoiceFrame choice) {
        results.add(choice);
        int index = choice.choice();
        if (choice.frame() instanceof Delta delta) {
            return Buffer.buffer(piece(index, delta));
        }
        if (choice.frame() instanceof Finished) {
            return Buffer.buffer(JsonEvent.of(null, json -> {
                for (Map.Entry<String, JsonNode> field : results.end(index).properties()) {
                    json.writeObjectField(field.getKey(), field.getValue());
                }
            }));
        }
        return Buffer.buffer();
    }

    private byte[] piece(int index, Delta delta) {
        List<TokenLogprob> tokens = delta.logprobs() == null ? List.of() : delta.logprobs();
        generated[index] += tokens.size();
        return JsonEvent.of(null, json -> {
            json.writeNumberField("index", index);
            json.writeStringField("content", delta.content() == null ? "" : delta.content());
            json.writeObjectField(
                    "tokens", tokens.stream().map(TokenLogprob::id).toList());
            json.writeBooleanField("stop", false);
            json.writeNumberField("tokens_predicted", generated[index]);
            json.writeNumberField("tokens_evaluated", results.promptTokens(index));
            if (probabilities) {
                json.writeObjectField("completion_probabilities", NativeCompletion.Probability.of(tokens));
            }
        });
    }

    @Override
    public Buffer end() {
        return Buffer.buffer();
    }

    @Override
    public Buffer failure(ApiError error) {
        return Buffer.buffer("event: error\ndata: " + ErrorResponses.json(error) + "\n\n");
    }
}
