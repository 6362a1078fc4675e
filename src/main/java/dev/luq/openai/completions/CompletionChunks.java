package dev.luq.openai.completions;

import dev.luq.openai.generation.AnswerEvents;
import dev.luq.openai.generation.ChoiceFrame;
import dev.luq.openai.generation.ChoiceTimings;
import dev.luq.openai.generation.CompletionHeader;
import dev.luq.openai.generation.JsonEvent;
import dev.luq.openai.generation.StreamReports;
import dev.luq.openai.generation.StreamReports.PromptProgress;
import dev.luq.openai.generation.TextEvent;
import dev.luq.openai.generation.ValidRequest;
import dev.luq.protocol.WorkerFrame.Accepted;
import dev.luq.protocol.WorkerFrame.Delta;
import dev.luq.protocol.WorkerFrame.Finished;
import io.vertx.core.buffer.Buffer;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntFunction;

/** The server-sent events of one streamed completion. Usage never stands beside choices. Not thread-safe. */
final class CompletionChunks implements AnswerEvents {

    private final CompletionHeader header;
    private final int choicesPerPrompt;
    private final boolean includeUsage;
    private final boolean continuousUsage;
    private final boolean timings;
    private final IntFunction<String> echoed;
    private final TextEvent[] plain;
    /** Characters of each choice's text so far, where log probabilities tell their places. */
    private final int[] offsets;

    private final PromptUsage usage;
    private final StreamReports reports;
    /** Tokens of each choice so far. */
    private final int[] generated;

    /** @param echoed what the choices of a prompt begin with */
    CompletionChunks(CompletionHeader header, ValidRequest request, IntFunction<String> echoed) {
        int choices = request.choices();
        this.header = header;
        this.choicesPerPrompt = request.choicesPerPrompt();
        this.includeUsage = request.includeUsage();
        this.continuousUsage = request.continuousUsage();
        this.timings = request.timings();
        this.echoed = echoed;
        this.plain = new TextEvent[choices];
        this.offsets = new int[choices];
        this.generated = new int[choices];
        this.reports = new StreamReports(request);
        this.usage = new PromptUsage(request.prompts().size(), request.choicesPerPrompt());
    }

    @Override
    public Buffer of(ChoiceFrame choice) {
        int index = choice.choice();
        usage.add(choice);
        List<PromptProgress> progressed = reports.take(choice);
        if (choice.frame() instanceof Accepted) {
            Buffer events = progress(index, progressed);
            String prompt = echoed.apply(index / choicesPerPrompt);
            return prompt.isEmpty() ? events : events.appendBytes(chunk(index, prompt, null, null, null));
        }
        if (choice.frame() instanceof Delta delta) {
            String text = delta.content() == null ? "" : delta.content();
            generated[index] = delta.tokens();
            return delta.logprobs() == null && !continuousUsage && !reports.withTimings()
                    ? plain(index).of(text)
                    : Buffer.buffer(piece(index, text, delta));
        }
        if (choice.frame() instanceof Finished finished) {
            generated[index] = finished.completionTokens();
            return Buffer.buffer(chunk(
                    index,
                    "",
                    null,
                    finished.finishReason(),
                    timings ? ChoiceTimings.of(reports.accepted(index), finished) : null));
        }
        return progress(index, progressed);
    }

    private Buffer progress(int index, List<PromptProgress> progressed) {
        Buffer events = Buffer.buffer();
        for (PromptProgress progress : progressed) {
            events.appendBytes(event(json -> {
                json.writeArrayFieldStart("choices");
                json.writeStartObject();
                json.writeNumberField("index", index);
                json.writeStringField("text", "");
                json.writeNullField("logprobs");
                json.writeNullField("finish_reason");
                json.writeEndObject();
                json.writeEndArray();
                reports.write(json, progress);
            }));
        }
        return events;
    }

    private TextEvent plain(int index) {
        if (plain[index] == null) {
            plain[index] = new TextEvent(chunk(index, TextEvent.PLACEHOLDER, null, null, null));
        }
        return plain[index];
    }

    private byte[] piece(int index, String text, Delta delta) {
        if (delta.logprobs() == null) {
            return chunk(index, text, null, null, null);
        }
        TextLogprobs logprobs = TextLogprobs.of(delta.logprobs(), offsets[index]);
        offsets[index] += TextLogprobs.characters(delta.logprobs());
        return chunk(index, text, logprobs, null, null);
    }

    @Override
    public Buffer end() {
        Buffer events = Buffer.buffer();
        if (includeUsage) {
            events.appendBytes(event(json -> {
                json.writeArrayFieldStart("choices");
                json.writeEndArray();
                json.writeObjectField("usage", usage.sum());
                reports.writeTimings(json, 0);
            }));
        }
        return events.appendString("data: [DONE]\n\n");
    }

    private byte[] chunk(int index, String text, TextLogprobs logprobs, String finishReason, ChoiceTimings timings) {
        return event(json -> {
            json.writeArrayFieldStart("choices");
            json.writeStartObject();
            json.writeNumberField("index", index);
            json.writeStringField("text", text);
            json.writeObjectField("logprobs", logprobs);
            json.writeStringField("finish_reason", finishReason);
            if (timings != null) {
                json.writeObjectField("timings", timings);
            }
            json.writeEndObject();
            json.writeEndArray();
            if (continuousUsage) {
                json.writeObjectField(
                        "usage",
                        usage.sum().withCompletion(Arrays.stream(generated).sum()));
            } else if (includeUsage) {
                json.writeNullField("usage");
            }
            reports.writeTimings(json, index);
        });
    }

    private byte[] event(JsonEvent.Fields fields) {
        return JsonEvent.of(null, json -> {
            json.writeStringField("id", header.id());
            json.writeStringField("object", "text_completion");
            json.writeNumberField("created", header.created());
            json.writeStringField("model", header.model());
            json.writeStringField("system_fingerprint", header.systemFingerprint());
            fields.write(json);
        });
    }
}
