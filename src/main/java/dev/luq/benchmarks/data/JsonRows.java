package dev.luq.benchmarks.data;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;

/** Objects of a JSON file; one of them is in memory at a time. */
final class JsonRows implements Rows {

    /** Where an object of {@link Shape#KEYED} has its key. */
    static final String KEY = "key";

    private static final ObjectMapper JSON = new ObjectMapper();

    private final String file;
    private final Shape shape;
    private final JsonParser parser;
    private long number;

    /** How objects lie in a file. */
    enum Shape {
        /** One after the other. */
        LINES,
        /** In one array. */
        ARRAY,
        /** As values of one object. */
        KEYED,
        /** In the array that is a field of one object. */
        FIELD
    }

    /** @param field of {@link Shape#FIELD}; else null */
    JsonRows(Path path, Shape shape, String field) throws IOException {
        this.file = path.getFileName().toString();
        this.shape = shape;
        this.parser = JSON.createParser(path.toFile());
        try {
            enter(field);
        } catch (JsonProcessingException e) {
            parser.close();
            throw fault(e);
        } catch (IOException | RuntimeException e) {
            parser.close();
            throw e;
        }
    }

    private void enter(String field) throws IOException {
        switch (shape) {
            case LINES -> {}
            case ARRAY -> expect(JsonToken.START_ARRAY);
            case KEYED -> expect(JsonToken.START_OBJECT);
            case FIELD -> {
                expect(JsonToken.START_OBJECT);
                while (parser.nextToken() == JsonToken.FIELD_NAME
                        && !parser.currentName().equals(field)) {
                    parser.nextToken();
                    parser.skipChildren();
                }
                if (parser.currentToken() != JsonToken.FIELD_NAME) {
                    throw new BenchmarkDataException(file + " has no field \"" + field + "\".");
                }
                expect(JsonToken.START_ARRAY);
            }
        }
    }

    private void expect(JsonToken token) throws IOException {
        if (parser.nextToken() != token) {
            throw new BenchmarkDataException(file + " has not the form in which it is published.");
        }
    }

    private BenchmarkDataException fault(JsonProcessingException e) {
        return new BenchmarkDataException(
                file + ", line "
                        + (e.getLocation() == null ? "?" : e.getLocation().getLineNr()) + ": " + e.getOriginalMessage(),
                e);
    }

    @Override
    public Optional<Row> next() throws IOException {
        try {
            JsonToken token = parser.nextToken();
            if (token == null && shape != Shape.LINES) {
                throw new BenchmarkDataException(file + " ends early.");
            }
            if (token == null || token == JsonToken.END_ARRAY || token == JsonToken.END_OBJECT) {
                return Optional.empty();
            }
            String key = null;
            if (shape == Shape.KEYED) {
                key = parser.currentName();
                parser.nextToken();
            }
            number++;
            JsonNode value = JSON.readTree(parser);
            if (!(value instanceof ObjectNode object)) {
                throw new BenchmarkDataException(file + ", row " + number + ": this is no object.");
            }
            if (key != null) {
                object.put(KEY, key);
            }
            return Optional.of(new Row(file, number, object));
        } catch (JsonProcessingException e) {
            throw fault(e);
        }
    }

    @Override
    public void close() throws IOException {
        parser.close();
    }
}
