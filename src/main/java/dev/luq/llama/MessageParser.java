package dev.luq.llama;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.JsonNode;
import dev.luq.preset.global.llama;
import dev.luq.preset.luq_parser;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.javacpp.BytePointer;

/** Separates content and tool calls in the text of one generation. Used by one thread at a time. */
public final class MessageParser implements AutoCloseable {

    private final luq_parser parser;
    private boolean closed;

    MessageParser(String parserState) {
        try (BytePointer state = Native.utf8(parserState)) {
            parser = llama.luq_parser_init(state);
            if (parser == null) {
                throw new LlamaException.InvalidTemplate("no parser for this template: " + Native.lastError());
            }
        }
    }

    /**
     * Parses the generated text.
     *
     * @param wholeTextSoFar everything generated, from the beginning; complete UTF-8 sequences only
     * @param partial whether more may follow, or the text was cut off by a limit
     * @return what is new since the last call, in order
     * @throws LlamaException.InvalidTemplate the text does not have the form that the template's parser expects
     */
    public List<MessageDelta> update(String wholeTextSoFar, boolean partial) {
        if (closed) {
            throw new IllegalStateException("the parser is closed");
        }
        byte[] bytes = wholeTextSoFar.getBytes(UTF_8);
        try (BytePointer text = new BytePointer(Math.max(bytes.length, 1L))) {
            text.put(bytes, 0, bytes.length);
            BytePointer deltas = llama.luq_parser_update(parser, text, bytes.length, partial);
            if (deltas == null) {
                throw new LlamaException.InvalidTemplate("the generated text cannot be parsed: " + Native.lastError());
            }
            return deltas(Json.parse(Native.take(deltas)));
        }
    }

    private static List<MessageDelta> deltas(JsonNode array) {
        List<MessageDelta> deltas = new ArrayList<>(array.size());
        for (JsonNode delta : array) {
            JsonNode call = delta.get("tool_call");
            deltas.add(
                    call == null
                            ? new MessageDelta.Content(delta.get("content").textValue())
                            : new MessageDelta.ToolCall(
                                    call.get("index").intValue(),
                                    call.path("id").textValue(),
                                    call.path("name").textValue(),
                                    call.get("arguments").textValue()));
        }
        return deltas;
    }

    @Override
    public void close() {
        if (!closed) {
            closed = true;
            llama.luq_parser_free(parser);
        }
    }
}
