package dev.luq.prompt.tools;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.cfg.JsonNodeFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.luq.schema.SchemaMatch;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * Reads JSON as calls of given tools, in the forms that models write: strictly, because text is no call by accident.
 */
final class CallReader {

    /**
     * A call.
     *
     * @param arguments JSON text of an object that fits the tool's schema
     */
    record Call(String name, String arguments) {}

    private static final Set<String> BESIDE = Set.of("type", "id", "name", "arguments", "parameters");
    /** Numbers stay as they were written. */
    private static final ObjectMapper JSON = JsonMapper.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS, DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
            .disable(JsonNodeFeature.STRIP_TRAILING_BIGDECIMAL_ZEROES)
            .build();

    private final ToolSet tools;

    CallReader(ToolSet tools) {
        this.tools = tools;
    }

    /**
     * @param values texts of JSON values: each an object, or an array of objects
     * @return empty unless all of them are calls
     */
    List<Call> read(List<String> values) {
        List<Call> calls = new ArrayList<>();
        for (String text : values) {
            // Qwen2.5-Coder's chat template shows calls with doubled braces.
            JsonNode value = parse(text.startsWith("{{") ? text.substring(1, text.length() - 1) : text);
            for (JsonNode one : value.isArray() ? value : List.of(value)) {
                Call call = call(one);
                if (call == null) {
                    return List.of();
                }
                calls.add(call);
            }
        }
        return calls;
    }

    private static JsonNode parse(String text) {
        try {
            return JSON.readTree(text);
        } catch (JsonProcessingException e) {
            return JSON.missingNode();
        }
    }

    private Call call(JsonNode value) {
        // As the OpenAI API writes calls.
        JsonNode function = value.path("function").isObject()
                        && Set.of("type", "id", "function").containsAll(names(value))
                ? value.get("function")
                : value;
        JsonNode schema = tools.schemas().get(function.path("name").asText());
        if (schema == null || !BESIDE.containsAll(names(function))) {
            return null;
        }
        JsonNode arguments = arguments(function);
        return arguments.isObject() && SchemaMatch.fits(arguments, schema)
                ? new Call(function.get("name").textValue(), written(arguments))
                : null;
    }

    /** Half of a surrogate pair, which a model may write as an escape, stays one: it has no UTF-8. */
    private static String written(JsonNode arguments) {
        String text = arguments.toString();
        StringBuilder escaped = new StringBuilder(text.length());
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (i + 1 < text.length() && Character.isSurrogatePair(c, text.charAt(i + 1))) {
                escaped.append(c).append(text.charAt(++i));
            } else if (Character.isSurrogate(c)) {
                escaped.append(String.format("\\u%04x", (int) c));
            } else {
                escaped.append(c);
            }
        }
        return escaped.toString();
    }

    private static List<String> names(JsonNode value) {
        List<String> names = new ArrayList<>();
        value.fieldNames().forEachRemaining(names::add);
        return names;
    }

    /** Under either name, also as JSON within a string; none are an empty object. */
    private static JsonNode arguments(JsonNode function) {
        JsonNode arguments = function.has("arguments") ? function.get("arguments") : function.path("parameters");
        if (arguments.isMissingNode()) {
            return JSON.createObjectNode();
        }
        return arguments.isTextual() ? parse(arguments.textValue()) : arguments;
    }
}
