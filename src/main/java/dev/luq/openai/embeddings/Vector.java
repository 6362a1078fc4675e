package dev.luq.openai.embeddings;

import com.fasterxml.jackson.core.Base64Variants;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.databind.JsonSerializable;
import com.fasterxml.jackson.databind.SerializerProvider;
import com.fasterxml.jackson.databind.jsontype.TypeSerializer;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * A vector as it is written: scaled only then, so that no second one is held.
 *
 * @param values as the model has it
 * @param isBase64 whether as four bytes a number, little-endian, in base64; otherwise as numbers
 */
record Vector(float[] values, Normalization normalization, boolean isBase64) implements JsonSerializable {

    /** Bytes of JSON that a number takes, rounded up. */
    static int jsonBytes(boolean isBase64) {
        return isBase64 ? 6 : 12;
    }

    @Override
    public void serialize(JsonGenerator json, SerializerProvider provider) throws IOException {
        float[] scaled = normalization.of(values);
        if (isBase64) {
            ByteBuffer bytes = ByteBuffer.allocate(scaled.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
            bytes.asFloatBuffer().put(scaled);
            json.writeBinary(Base64Variants.MIME_NO_LINEFEEDS, bytes.array(), 0, bytes.capacity());
        } else {
            json.writeStartArray(this, scaled.length);
            for (float value : scaled) {
                json.writeNumber(value);
            }
            json.writeEndArray();
        }
    }

    @Override
    public void serializeWithType(JsonGenerator json, SerializerProvider provider, TypeSerializer type)
            throws IOException {
        serialize(json, provider);
    }
}
