package dev.luq.openai.chat;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.luq.openai.generation.AnswerEvents;
import dev.luq.openai.generation.ChoiceFrame;
import dev.luq.openai.generation.ChoiceTimings;
import dev.luq.openai.generation.CompletionHeader;
import dev.luq.openai.generation.JsonEvent;
import dev.luq.openai.generation.JsonEvent.Fields;
import dev.luq.openai.generation.StreamReports;
import dev.luq.openai.generation.StreamReports.PromptProgress;
import dev.luq.openai.generation.TextEvent;
import dev.luq.openai.generation.Usage;
import dev.luq.openai.generation.ValidRequest;
import dev.luq.protocol.WorkerFrame.Accepted;
import dev.luq.protocol.WorkerFrame.Delta;
import dev.luq.protocol.WorkerFrame.Finished;
import dev.luq.protocol.WorkerFrame.ToolCallDelta;
import io.vertx.core.buffer.Buffer;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;

/**
 * The server-sent events of one streamed answer. Clients depend on the details: {@code "data: "} has one space; the
 * role comes once per choice and alone; a chunk has at most one tool call delta; usage never stands beside choices,
 * unless a request asks for it. Not thread-safe.
 */
final class Chunks implements AnswerEvents {

    private final CompletionHeader header;
    private final boolean includeUsage;
    private final boolean continuousUsage;
    private final boolean timings;
    private final StreamReports reports;
    private final TextEvent[] plain;
    /** Tokens of each choice so far. */
    private final int[] generated;

    private Usage usage = Usage.NONE;

    Chunks(CompletionHeader header, ValidRequest request) {
        int choices = request.choices();
        this.header = header;
        this.includeUsage = request.includeUsage();
        this.continuousUsage = request.continuousUsage();
        this.generated = new int[choices];
        this.timings = request.timings();
        this.reports = new StreamReports(request);
        this.plain = new TextEvent[choices];
        for (int i = 0; i < choices; i++) {
            plain[i] = new TextEvent(
                    chunk(i, json -> json.writeStringField("content", TextEvent.PLACEHOLDER), null, null, null));
        }
    }

    @Override
    public Buffer of(ChoiceFrame choice) {
        int index = choice.choice();
        List<PromptProgress> progressed = reports.take(choice);
        if (choice.frame() instanceof Delta delta) {
            generated[index] = delta.tokens();
            if (isPlain(delta)) {
                return plain[index].of(delta.content());
            }
        }
        Buffer events = Buffer.buffer();
        progressed.forEach(progress -> events.appendBytes(progress(index, progress)));
        if (choice.frame() instanceof Accepted frame) {
            usage = usage.plus(frame);
            events.appendBytes(chunk(index, Chunks::role, null, null, null));
        } else if (choice.frame() instanceof Delta delta) {
            Logprobs logprobs = delta.logprobs() == null ? null : Logprobs.of(delta.logprobs());
            if (delta.thought() != null) {
                events.appendBytes(chunk(
                        index,
                        json -> json.writeStringField("reasoning_content", delta.thought()),
                        logprobs,
                        null,
                        null));
                logprobs = null;
            }
            if (delta.content() != null || delta.toolCall() == null && delta.thought() == null) {
                String content = delta.content() == null ? "" : delta.content();
                events.appendBytes(
                        chunk(index, json -> json.writeStringField("content", content), logprobs, null, null));
                logprobs = null;
            }
            if (delta.toolCall() != null) {
                events.appendBytes(chunk(index, json -> toolCall(json, delta.toolCall()), logprobs, null, null));
            }
        } else if (choice.frame() instanceof Finished finished) {
            usage = usage.plus(finished);
            generated[index] = finished.completionTokens();
            events.appendBytes(chunk(
                    index,
                    json -> {},
                    null,
                    finished.finishReason(),
                    timings ? ChoiceTimings.of(reports.accepted(index), finished) : null));
        }
        return events;
    }

    @Override
    public Buffer end() {
        Buffer events = Buffer.buffer();
        if (includeUsage) {
            events.appendBytes(event(json -> {
                json.writeArrayFieldStart("choices");
                json.writeEndArray();
                json.writeObjectField("usage", usage);
                reports.writeTimings(json, 0);
            }));
        }
        return events.appendString("data: [DONE]\n\n");
    }

    /** Text only, as nearly every delta is. */
    private boolean isPlain(Delta delta) {
        return !continuousUsage
                && !reports.withTimings()
                && delta.content() != null
                && delta.toolCall() == null
                && delta.logprobs() == null;
    }

    private static void role(JsonGenerator json) throws IOException {
        json.writeStringField("role", "assistant");
        json.writeNullField("content");
    }

    private static void toolCall(JsonGenerator json, ToolCallDelta call) throws IOException {
        json.writeArrayFieldStart("tool_calls");
        json.writeStartObject();
        json.writeNumberField("index", call.index());
        if (call.id() != null) {
            json.writeStringField("id", call.id());
            json.writeStringField("type", "function");
        }
        json.writeObjectFieldStart("function");
        if (call.name() != null) {
            json.writeStringField("name", call.name());
        }
        json.writeStringField("arguments", call.argumentsDelta() == null ? "" : call.argumentsDelta());
        json.writeEndObject();
        json.writeEndObject();
        json.writeEndArray();
    }

    private byte[] chunk(int index, Fields delta, Logprobs logprobs, String finishReason, ChoiceTimings choiceTimings) {
        return event(json -> {
            json.writeArrayFieldStart("choices");
            json.writeStartObject();
            json.writeNumberField("index", index);
            json.writeObjectFieldStart("delta");
            delta.write(json);
            json.writeEndObject();
            json.writeObjectField("logprobs", logprobs);
            json.writeStringField("finish_reason", finishReason);
            if (choiceTimings != null) {
                json.writeObjectField("timings", choiceTimings);
            }
            json.writeEndObject();
            json.writeEndArray();
            if (continuousUsage) {
                json.writeObjectField(
                        "usage", usage.withCompletion(Arrays.stream(generated).sum()));
            } else if (includeUsage) {
                json.writeNullField("usage");
            }
            reports.writeTimings(json, index);
        });
    }

    private byte[] progress(int index, PromptProgress progress) {
        return event(json -> {
            json.writeArrayFieldStart("choices");
            json.writeStartObject();
            json.writeNumberField("index", index);
            json.writeObjectFieldStart("delta");
            json.writeEndObject();
            json.writeNullField("finish_reason");
            json.writeEndObject();
            json.writeEndArray();
            reports.write(json, progress);
        });
    }

    private byte[] event(Fields fields) {
        return JsonEvent.of(null, json -> {
            json.writeStringField("id", header.id());
            json.writeStringField("object", "chat.completion.chunk");
            json.writeNumberField("created", header.created());
            json.writeStringField("model", header.model());
            json.writeStringField("system_fingerprint", header.systemFingerprint());
            fields.write(json);
        });
    }
}
