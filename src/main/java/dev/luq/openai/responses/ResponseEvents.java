package dev.luq.openai.responses;

import dev.luq.http.errors.ApiError;
import dev.luq.openai.chat.Logprobs;
import dev.luq.openai.generation.AnswerEvents;
import dev.luq.openai.generation.ChoiceFrame;
import dev.luq.openai.generation.JsonEvent;
import dev.luq.openai.generation.JsonEvent.Fields;
import dev.luq.openai.generation.StreamReports;
import dev.luq.openai.generation.StreamReports.PromptProgress;
import dev.luq.openai.generation.TextEvent;
import dev.luq.openai.generation.Usage;
import dev.luq.openai.generation.ValidRequest;
import dev.luq.protocol.WorkerFrame.Finished;
import dev.luq.protocol.WorkerFrame.OfRequest;
import io.vertx.core.buffer.Buffer;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * The events of a streamed response, in OpenAI's order: clients build the response from them and count on it that
 * {@code response.created} comes first, an item's {@code added} before its deltas and its {@code done} after them.
 * Not thread-safe.
 */
final class ResponseEvents implements AnswerEvents, OutputItems.Listener {

    private final ResponseForm form;
    private final OutputItems items;
    private final StreamReports reports;
    private Usage usage = Usage.NONE;
    private Finished finished;
    private int sequence;
    /** Of the frame that is being written. */
    private Buffer written = Buffer.buffer();
    /** Id of the open item. */
    private String itemId;
    /** The beginning of the events of the open message's text; null for a call. */
    private TextEvent plain;

    ResponseEvents(ResponseForm form, ValidRequest request) {
        this.form = form;
        this.reports = new StreamReports(request);
        this.items = new OutputItems(form.idSuffix(), this);
    }

    @Override
    public Buffer of(ChoiceFrame choice) {
        begin();
        for (PromptProgress progress : reports.take(choice)) {
            ResponseObject response = form.begun();
            event("response.in_progress", json -> {
                json.writeObjectField("response", response);
                reports.write(json, progress);
            });
        }
        items.add(choice.frame());
        usage = usage.plus(choice.frame());
        if (choice.frame() instanceof Finished last) {
            finished = last;
        }
        return taken();
    }

    @Override
    public Buffer end() {
        ResponseObject response = form.ended(items.all(), usage, finished);
        event("response." + response.status(), json -> {
            json.writeObjectField("response", response);
            reports.writeTimings(json, 0);
        });
        return taken();
    }

    @Override
    public Buffer failure(ApiError error) {
        begin();
        written.appendBuffer(error(error, sequence++));
        ResponseObject response = form.failed(items.all(), usage, error);
        event("response.failed", json -> json.writeObjectField("response", response));
        return taken();
    }

    @Override
    public Buffer keepAlive(OfRequest latest) {
        begin();
        return taken().appendBuffer(AnswerEvents.super.keepAlive(latest));
    }

    private void begin() {
        if (sequence == 0) {
            ResponseObject response = form.begun();
            event("response.created", json -> json.writeObjectField("response", response));
            event("response.in_progress", json -> json.writeObjectField("response", response));
        }
    }

    private Buffer taken() {
        Buffer events = written;
        written = Buffer.buffer();
        return events;
    }

    @Override
    public void opened(int index, OutputItem empty) {
        item("response.output_item.added", index, empty);
        plain = null;
        if (empty instanceof OutputItem.Message message) {
            itemId = message.id();
            part("response.content_part.added", index, OutputItem.Text.of("", List.of()));
            plain = textDelta(index);
        } else if (empty instanceof OutputItem.FunctionCall call) {
            itemId = call.id();
        }
    }

    /** All fields but the number, which comes last. */
    private TextEvent textDelta(int index) {
        String event = new String(
                JsonEvent.of("response.output_text.delta", json -> {
                    json.writeStringField("type", "response.output_text.delta");
                    place(index).write(json);
                    json.writeArrayFieldStart("logprobs");
                    json.writeEndArray();
                    json.writeStringField("delta", TextEvent.PLACEHOLDER);
                }),
                StandardCharsets.UTF_8);
        return new TextEvent(event.substring(0, event.lastIndexOf('}')).getBytes(StandardCharsets.UTF_8));
    }

    @Override
    public void text(int index, String delta, List<Logprobs.Token> logprobs) {
        if (logprobs.isEmpty() && !reports.withTimings()) {
            written.appendBuffer(plain.of(delta)).appendString(",\"sequence_number\":" + sequence++ + "}\n\n");
            return;
        }
        event("response.output_text.delta", json -> {
            place(index).write(json);
            json.writeStringField("delta", delta);
            json.writeObjectField("logprobs", logprobs);
            reports.writeTimings(json, 0);
        });
    }

    @Override
    public void arguments(int index, String delta) {
        event("response.function_call_arguments.delta", json -> {
            json.writeStringField("item_id", itemId);
            json.writeNumberField("output_index", index);
            json.writeStringField("delta", delta);
        });
    }

    @Override
    public void closed(int index, OutputItem whole) {
        if (whole instanceof OutputItem.Message message) {
            OutputItem.Text text = message.content().get(0);
            event("response.output_text.done", json -> {
                place(index).write(json);
                json.writeStringField("text", text.text());
                json.writeObjectField("logprobs", text.logprobs());
            });
            part("response.content_part.done", index, text);
        } else if (whole instanceof OutputItem.FunctionCall call) {
            event("response.function_call_arguments.done", json -> {
                json.writeStringField("item_id", itemId);
                json.writeNumberField("output_index", index);
                json.writeStringField("name", call.name());
                json.writeStringField("arguments", call.arguments());
            });
        }
        item("response.output_item.done", index, whole);
    }

    private void item(String name, int index, OutputItem item) {
        event(name, json -> {
            json.writeNumberField("output_index", index);
            json.writeObjectField("item", item);
        });
    }

    private void part(String name, int index, OutputItem.Text part) {
        event(name, json -> {
            place(index).write(json);
            json.writeObjectField("part", part);
        });
    }

    /** Where a message's text is. */
    private Fields place(int index) {
        return json -> {
            json.writeStringField("item_id", itemId);
            json.writeNumberField("output_index", index);
            json.writeNumberField("content_index", 0);
        };
    }

    /** @param number of events before it */
    static Buffer error(ApiError error, int number) {
        return event("error", number, json -> {
            json.writeStringField("code", error.code());
            json.writeStringField("message", error.message());
            json.writeStringField("param", error.param());
        });
    }

    private void event(String name, Fields fields) {
        written.appendBuffer(event(name, sequence++, fields));
    }

    private static Buffer event(String name, int number, Fields fields) {
        return Buffer.buffer(JsonEvent.of(name, json -> {
            json.writeStringField("type", name);
            json.writeNumberField("sequence_number", number);
            fields.write(json);
        }));
    }
}
