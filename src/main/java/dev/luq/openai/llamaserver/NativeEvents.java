package dev.luq.openai.llamaserver;

import com.fasterxml.jackson.databind.JsonNode;
import dev.luq.openai.generation.AnswerEvents;
import dev.luq.openai.generation.ChoiceFrame;
import dev.luq.openai.generation.JsonEvent;
import dev.luq.openai.generation.StreamReports;
import dev.luq.openai.generation.StreamReports.PromptProgress;
import dev.luq.openai.generation.ValidRequest;
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
    /** Whether the text of a choice has a new line so far. */
    private final boolean[] newLines;

    private final StreamReports reports;

    NativeEvents(NativeResults results, ValidRequest request, boolean probabilities) {
        int choices = request.choices();
        this.results = results;
        this.probabilities = probabilities;
        this.generated = new int[choices];
        this.newLines = new boolean[choices];
        this.reports = new StreamReports(request);
    }

    @Override
    public Buffer of(ChoiceFrame choice) {
        int index = choice.choice();
        List<PromptProgress> progressed = reports.take(choice);
        if (choice.frame() instanceof Delta delta) {
            newLines[index] |= delta.content() != null && delta.content().indexOf('\n') >= 0;
            return Buffer.buffer(piece(index, delta));
        } else if (choice.frame() instanceof Finished finished) {
            JsonNode end = results.end(index, reports.accepted(index), finished, newLines[index]);
            return Buffer.buffer(JsonEvent.of(null, json -> {
                for (Map.Entry<String, JsonNode> field : end.properties()) {
                    json.writeObjectField(field.getKey(), field.getValue());
                }
            }));
        }
        Buffer events = Buffer.buffer();
        progressed.forEach(progress -> events.appendBytes(progress(index, progress)));
        return events;
    }

    private byte[] progress(int index, PromptProgress progress) {
        return JsonEvent.of(null, json -> {
            json.writeNumberField("index", index);
            json.writeStringField("content", "");
            json.writeArrayFieldStart("tokens");
            json.writeEndArray();
            json.writeBooleanField("stop", false);
            json.writeNumberField("tokens_predicted", 0);
            json.writeNumberField("tokens_evaluated", progress.total());
            reports.write(json, progress);
        });
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
            json.writeNumberField("tokens_evaluated", reports.accepted(index).promptTokens());
            if (probabilities) {
                json.writeObjectField("completion_probabilities", NativeCompletion.Probability.of(tokens));
            }
            reports.writeTimings(json, index);
        });
    }

    @Override
    public Buffer end() {
        return Buffer.buffer();
    }
}
