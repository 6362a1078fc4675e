package dev.luq.openai.generation;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.luq.http.errors.ApiError;
import dev.luq.http.errors.ErrorResponses;
import io.vertx.core.buffer.Buffer;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;

/** A server-sent event whose data is one JSON object. */
public final class JsonEvent {

    private static final JsonMapper JSON = new JsonMapper();

    private JsonEvent() {}

    /** Writes fields of an object that is open. */
    public interface Fields {
        void write(JsonGenerator json) throws IOException;
    }

    /** The event of a failure, in OpenAI's form. */
    public static Buffer ofError(ApiError error) {
        return Buffer.buffer("event: error\ndata: " + ErrorResponses.json(error) + "\n\n");
    }

    /**
     * The event in UTF-8, with the blank line that ends it.
     *
     * @param name the event's name; null for one without
     */
    public static byte[] of(String name, Fields fields) {
        ByteArrayOutputStream out = new ByteArrayOutputStream(256);
        try {
            out.writeBytes(
                    (name == null ? "data: " : "event: " + name + "\ndata: ").getBytes(StandardCharsets.US_ASCII));
            try (JsonGenerator json = JSON.createGenerator(out)) {
                json.writeStartObject();
                fields.write(json);
                json.writeEndObject();
            }
            out.writeBytes("\n\n".getBytes(StandardCharsets.US_ASCII));
            return out.toByteArray();
        } catch (IOException e) {
            throw new UncheckedIOException("writing to memory", e);
        }
    }
}
