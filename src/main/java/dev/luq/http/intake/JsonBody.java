package dev.luq.http.intake;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.exc.InputCoercionException;
import com.fasterxml.jackson.core.exc.StreamConstraintsException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JavaType;
import com.fasterxml.jackson.databind.JsonMappingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.MapperFeature;
import com.fasterxml.jackson.databind.cfg.CoercionAction;
import com.fasterxml.jackson.databind.cfg.CoercionInputShape;
import com.fasterxml.jackson.databind.exc.MismatchedInputException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.type.LogicalType;
import dev.luq.http.errors.ApiException.InvalidRequest;
import dev.luq.http.errors.ApiException.RequestTooLarge;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;

/**
 * Reads a JSON body of bounded length, depth and number of values: strict UTF-8, no key twice, nothing after the
 * value, no conversion between strings, numbers and booleans. Unknown fields are ignored.
 */
public final class JsonBody {

    // A request of a few megabytes could otherwise become gigabytes of small objects.
    private static final int MOST_TOKENS = 500_000;
    private static final int DEEPEST = 100;
    private static final int LONGEST_NUMBER = 100;

    private static final JsonMapper MAPPER = mapper();

    private JsonBody() {}

    private static JsonMapper mapper() {
        JsonFactory factory = JsonFactory.builder()
                .streamReadConstraints(StreamReadConstraints.builder()
                        .maxNestingDepth(DEEPEST)
                        .maxNumberLength(LONGEST_NUMBER)
                        .maxTokenCount(MOST_TOKENS)
                        // The body's own limit bounds its strings.
                        .maxStringLength(Integer.MAX_VALUE)
                        .build())
                .build();
        return JsonMapper.builder(factory)
                .enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION)
                .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
                .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
                .disable(MapperFeature.ALLOW_COERCION_OF_SCALARS)
                .withCoercionConfig(LogicalType.Textual, text -> {
                    text.setCoercion(CoercionInputShape.Integer, CoercionAction.Fail);
                    text.setCoercion(CoercionInputShape.Float, CoercionAction.Fail);
                    text.setCoercion(CoercionInputShape.Boolean, CoercionAction.Fail);
                })
                .build();
    }

    /**
     * @param maxBytes the body's length at most
     * @throws InvalidRequest if it is no JSON of this type
     * @throws RequestTooLarge if it is longer
     * @throws IOException if the client does not deliver it
     */
    public static <T> T read(InputStream body, long maxBytes, Class<T> type) throws IOException {
        try {
            T value = MAPPER.readValue(
                    new InputStreamReader(
                            new Bounded(body, maxBytes),
                            StandardCharsets.UTF_8
                                    .newDecoder()
                                    .onMalformedInput(CodingErrorAction.REPORT)
                                    .onUnmappableCharacter(CodingErrorAction.REPORT)),
                    type);
            if (value == null) {
                throw new InvalidRequest(null, "The body must be a JSON object");
            }
            return value;
        } catch (JsonProcessingException e) {
            throw refusal(e);
        } catch (CharacterCodingException e) {
            throw new InvalidRequest(null, "The body is not valid UTF-8");
        }
    }

    /**
     * A part of a body that was read as a tree.
     *
     * @throws InvalidRequest if it is no JSON of this type
     */
    public static <T> T as(JsonNode tree, Class<T> type) {
        try {
            return MAPPER.treeToValue(tree, type);
        } catch (JsonProcessingException e) {
            throw refusal(e);
        }
    }

    private static RuntimeException refusal(JsonProcessingException e) {
        for (Throwable cause = e; cause != null; cause = cause.getCause()) {
            if (cause instanceof CharacterCodingException) {
                return new InvalidRequest(null, "The body is not valid UTF-8");
            }
            if (cause instanceof RequestTooLarge tooLarge) {
                return tooLarge;
            }
            if (cause instanceof StreamConstraintsException) {
                return new InvalidRequest(
                        null,
                        "The body is nested deeper than " + DEEPEST + " levels, has more than " + MOST_TOKENS
                                + " values or a number longer than " + LONGEST_NUMBER + " digits");
            }
        }
        if (e instanceof MismatchedInputException mismatch) {
            String field = path(mismatch);
            return field.isEmpty()
                    ? new InvalidRequest(null, "The body must be a JSON object")
                    : new InvalidRequest(field, field + " must be " + expected(mismatch));
        }
        if (e instanceof JsonMappingException mapping && mapping.getCause() instanceof InputCoercionException) {
            return new InvalidRequest(path(mapping), path(mapping) + " is out of range");
        }
        String where = e.getLocation() == null
                ? ""
                : " at line " + e.getLocation().getLineNr() + ", column "
                        + e.getLocation().getColumnNr();
        String reason = e.getOriginalMessage() != null && e.getOriginalMessage().startsWith("Duplicate field")
                ? "has the same key twice in one object"
                : "is not valid JSON";
        return new InvalidRequest(null, "The body " + reason + where);
    }

    private static String path(JsonMappingException e) {
        StringBuilder path = new StringBuilder();
        for (JsonMappingException.Reference reference : e.getPath()) {
            if (reference.getFieldName() == null) {
                path.append('[').append(reference.getIndex()).append(']');
            } else {
                path.append(path.length() == 0 ? "" : ".").append(reference.getFieldName());
            }
        }
        return path.toString();
    }

    private static String expected(MismatchedInputException e) {
        Class<?> type = e.getTargetType();
        if (type == null) {
            return "of another type";
        }
        if (Number.class.isAssignableFrom(type)) {
            return "a number";
        }
        if (type == Boolean.class) {
            return "true or false";
        }
        if (type == String.class) {
            return "a string";
        }
        JavaType java = MAPPER.constructType(type);
        return java.isCollectionLikeType() ? "an array" : "an object";
    }

    /** Ends a body that is longer than announced or than anything announced may be. */
    private static final class Bounded extends FilterInputStream {
        private final long maxBytes;
        private long left;

        Bounded(InputStream in, long maxBytes) {
            super(in);
            this.maxBytes = maxBytes;
            this.left = maxBytes;
        }

        @Override
        public int read() throws IOException {
            int value = super.read();
            if (value >= 0) {
                count(1);
            }
            return value;
        }

        @Override
        public int read(byte[] buffer, int offset, int length) throws IOException {
            int read = super.read(buffer, offset, length);
            if (read > 0) {
                count(read);
            }
            return read;
        }

        private void count(int bytes) {
            left -= bytes;
            if (left < 0) {
                throw new RequestTooLarge(maxBytes);
            }
        }
    }
}
