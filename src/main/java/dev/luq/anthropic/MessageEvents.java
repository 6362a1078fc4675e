package dev.luq.anthropic;

import com.fasterxml.jackson.core.io.JsonStringEncoder;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import dev.luq.anthropic.Message.Block;
import dev.luq.http.errors.ApiError;
import dev.luq.openai.generation.AnswerEvents;
import dev.luq.openai.generation.ChoiceFrame;
import dev.luq.openai.generation.CompletionHeader;
import dev.luq.openai.generation.JsonEvent;
import dev.luq.protocol.WorkerFrame.Accepted;
import dev.luq.protocol.WorkerFrame.Delta;
import dev.luq.protocol.WorkerFrame.Finished;
import dev.luq.protocol.WorkerFrame.OfRequest;
import dev.luq.protocol.WorkerFrame.ToolCallDelta;
import io.vertx.core.buffer.Buffer;

/**
 * The server-sent events of one streamed answer: {@code message_start}, for each block {@code content_block_start}, its
 * deltas and {@code content_block_stop}, then {@code message_delta} and {@code message_stop}. Not thread-safe.
 */
final class MessageEvents implements AnswerEvents {

    private static final int TEXT = -1;

    private final CompletionHeader header;
    private final String requestId;

    private Accepted accepted;
    /** Index of the open block, or of the next one. */
    private int block;

    private boolean isOpen;
    /** What the open block is: {@link #TEXT}, or the index of a tool call. */
    private int kind;

    /** @param requestId told when the answer fails */
    MessageEvents(CompletionHeader header, String requestId) {
        this.header = header;
        this.requestId = requestId;
    }

    @Override
    public Buffer of(ChoiceFrame frame) {
        Buffer events = Buffer.buffer();
        if (frame.frame() instanceof Accepted first) {
            accepted = first;
            events.appendBuffer(
                    event("message_start", json -> json.writeObjectField("message", Message.begun(header, accepted))));
        } else if (frame.frame() instanceof Delta delta) {
            if (delta.content() != null && !delta.content().isEmpty()) {
                if (!isOpen(TEXT)) {
                    begin(TEXT, Block.text(""), events);
                }
                events.appendBuffer(delta("text_delta", "text", delta.content()));
            }
            if (delta.toolCall() != null) {
                addToolCall(delta.toolCall(), events);
            }
        } else if (frame.frame() instanceof Finished finished) {
            endBlock(events);
            events.appendBuffer(event("message_delta", json -> {
                json.writeObjectFieldStart("delta");
                json.writeStringField("stop_reason", Message.stopReason(finished));
                json.writeStringField("stop_sequence", finished.stop());
                json.writeEndObject();
                json.writeObjectField("usage", MessageUsage.of(accepted, finished.completionTokens()));
            }));
        }
        return events;
    }

    @Override
    public Buffer end() {
        return event("message_stop", json -> {});
    }

    @Override
    public Buffer failure(ApiError error) {
        return failure(error, requestId);
    }

    /** The event that ends a stream, whatever came before it. */
    static Buffer failure(ApiError error, String requestId) {
        MessagesError body = MessagesError.of(error, requestId);
        return event("error", json -> {
            json.writeObjectField("error", body.error());
            json.writeStringField("request_id", body.requestId());
        });
    }

    @Override
    public Buffer keepAlive(OfRequest latest) {
        return event("ping", json -> {});
    }

    private void addToolCall(ToolCallDelta call, Buffer events) {
        if (!isOpen(call.index())) {
            begin(call.index(), Block.toolUse(call.id(), call.name(), JsonNodeFactory.instance.objectNode()), events);
        }
        if (call.argumentsDelta() != null && !call.argumentsDelta().isEmpty()) {
            events.appendBuffer(delta("input_json_delta", "partial_json", call.argumentsDelta()));
        }
    }

    private boolean isOpen(int wanted) {
        return isOpen && kind == wanted;
    }

    private void begin(int newKind, Block empty, Buffer events) {
        endBlock(events);
        isOpen = true;
        kind = newKind;
        events.appendBuffer(event("content_block_start", json -> {
            json.writeNumberField("index", block);
            json.writeObjectField("content_block", empty);
        }));
    }

    private void endBlock(Buffer events) {
        if (isOpen) {
            events.appendBuffer(event("content_block_stop", json -> json.writeNumberField("index", block)));
            isOpen = false;
            block++;
        }
    }

    /** The event that comes for every token, without a detour. */
    private Buffer delta(String type, String field, String text) {
        return Buffer.buffer("event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":" + block
                        + ",\"delta\":{\"type\":\"" + type + "\",\"" + field + "\":\"")
                .appendBytes(JsonStringEncoder.getInstance().quoteAsUTF8(text))
                .appendString("\"}}\n\n");
    }

    private static Buffer event(String type, JsonEvent.Fields fields) {
        return Buffer.buffer(JsonEvent.of(type, json -> {
            json.writeStringField("type", type);
            fields.write(json);
        }));
    }
}
