package dev.luq.openai.llamaserver;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.databind.JsonSerializable;
import com.fasterxml.jackson.databind.SerializerProvider;
import com.fasterxml.jackson.databind.jsontype.TypeSerializer;
import dev.luq.protocol.WorkerFrame;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.StandardCharsets;

/**
 * Tokens as they are written, without an object for each of a million: ids, or objects with an id and a piece, which is
 * text, or an array of bytes where these are only a part of a character.
 */
record TokenArray(WorkerFrame.Tokens tokens) implements JsonSerializable {

    @Override
    public void serialize(JsonGenerator json, SerializerProvider provider) throws IOException {
        int[] ids = tokens.tokens();
        WorkerFrame.Pieces pieces = tokens.pieces();
        json.writeStartArray(this, ids.length);
        if (pieces == null) {
            for (int id : ids) {
                json.writeNumber(id);
            }
        } else {
            CharsetDecoder utf8 = StandardCharsets.UTF_8.newDecoder();
            int at = 0;
            for (int i = 0; i < ids.length; i++) {
                json.writeStartObject();
                json.writeNumberField("id", ids[i]);
                json.writeFieldName("piece");
                write(ByteBuffer.wrap(pieces.bytes(), at, pieces.lengths()[i]), utf8, json);
                json.writeEndObject();
                at += pieces.lengths()[i];
            }
        }
        json.writeEndArray();
    }

    private static void write(ByteBuffer piece, CharsetDecoder utf8, JsonGenerator json) throws IOException {
        try {
            json.writeString(utf8.decode(piece.duplicate()).toString());
        } catch (CharacterCodingException e) {
            json.writeStartArray();
            while (piece.hasRemaining()) {
                json.writeNumber(piece.get() & 0xff);
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
