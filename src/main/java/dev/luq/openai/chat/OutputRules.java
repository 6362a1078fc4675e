package dev.luq.openai.chat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.luq.http.errors.ApiException.InvalidRequest;
import dev.luq.http.errors.ApiException.SchemaTooComplex;
import dev.luq.openai.chat.ChatRequest.Function;
import dev.luq.openai.chat.ChatRequest.Tool;
import dev.luq.schema.SchemaCheck;
import dev.luq.schema.SchemaException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Pattern;

/** Checks of the fields that shape the answer: tools, format, stop strings, token biases. */
final class OutputRules {

    private static final int MOST_TOOLS = 128;
    private static final int MOST_STOPS = 4;
    private static final int LONGEST_STOP = 1024;
    /** Characters of one schema, and of all tools together. */
    private static final int LONGEST_SCHEMA = 256 * 1024;

    private static final int LONGEST_TOOLS = 1024 * 1024;
    private static final Pattern TOOL_NAME = Pattern.compile("[A-Za-z0-9_.-]{1,64}");

    private OutputRules() {}

    /** @param schemas of this request @return OpenAI tools as a JSON array, or null without any */
    static String tools(List<Tool> tools, SchemaCheck schemas) {
        if (tools == null || tools.isEmpty()) {
            return null;
        }
        if (tools.size() > MOST_TOOLS) {
            throw new InvalidRequest("tools", "tools must have at most " + MOST_TOOLS + " tools");
        }
        ArrayNode json = JsonNodeFactory.instance.arrayNode();
        Set<String> names = new HashSet<>();
        for (int i = 0; i < tools.size(); i++) {
            String field = "tools[" + i + "]";
            Tool tool = Check.present(field, tools.get(i));
            if (!"function".equals(tool.type())) {
                throw new InvalidRequest(field + ".type", field + ".type must be function");
            }
            Function function = Check.present(field + ".function", tool.function());
            String name = Check.present(field + ".function.name", function.name());
            if (!TOOL_NAME.matcher(name).matches() || !names.add(name)) {
                throw new InvalidRequest(
                        field + ".function.name",
                        field + ".function.name must be unique and have 1 to"
                                + " 64 letters, digits, underscores, dots or dashes");
            }
            ObjectNode out = json.addObject()
                    .put("type", "function")
                    .putObject("function")
                    .put("name", name);
            if (function.description() != null) {
                out.put("description", function.description());
            }
            // Templates and grammars expect a schema; none means a call without arguments.
            out.set(
                    "parameters",
                    Check.isNull(function.parameters())
                            ? JsonNodeFactory.instance
                                    .objectNode()
                                    .put("type", "object")
                                    .set("properties", JsonNodeFactory.instance.objectNode())
                            : schema(
                                    field + ".function.parameters",
                                    function.parameters(),
                                    schemas,
                                    Boolean.TRUE.equals(function.strict())));
            if (function.strict() != null) {
                out.put("strict", function.strict());
            }
        }
        String text = Check.wellFormed(json.toString());
        if (text.length() > LONGEST_TOOLS) {
            throw new SchemaTooComplex("tools", "tools are longer than " + LONGEST_TOOLS + " characters");
        }
        return text;
    }

    /** @return auto, none, required, or a JSON object naming one function; null for auto */
    static String toolChoice(JsonNode choice, List<Tool> tools) {
        String field = "tool_choice";
        if (Check.isNull(choice)) {
            return null;
        }
        boolean anyTool = tools != null && !tools.isEmpty();
        if (choice.isTextual()) {
            String word = choice.textValue();
            if (!Set.of("auto", "none", "required").contains(word)) {
                throw new InvalidRequest(field, field + " must be auto, none, required or an object naming a function");
            }
            if (word.equals("required") && !anyTool) {
                throw new InvalidRequest(field, field + " is required, but there are no tools");
            }
            return word;
        }
        String type = Check.text(field + ".type", Check.object(field, choice).get("type"));
        if (!type.equals("function")) {
            throw new InvalidRequest(field + ".type", field + ".type must be function");
        }
        String name = Check.text(
                field + ".function.name",
                Check.object(field + ".function", choice.get("function")).get("name"));
        if (!anyTool
                || tools.stream().noneMatch(tool -> name.equals(tool.function().name()))) {
            throw new InvalidRequest(field + ".function.name", field + ".function.name names no tool of this request");
        }
        ObjectNode json = JsonNodeFactory.instance.objectNode().put("type", "function");
        json.putObject("function").put("name", name);
        return json.toString();
    }

    /** @param schemas of this request @return OpenAI response_format as JSON, or null for text */
    static String responseFormat(JsonNode format, SchemaCheck schemas) {
        String field = "response_format";
        if (Check.isNull(format)) {
            return null;
        }
        switch (Check.text(field + ".type", Check.object(field, format).get("type"))) {
            case "text" -> {
                return null;
            }
            case "json_object" -> {
                return "{\"type\":\"json_object\"}";
            }
            case "json_schema" -> {
                JsonNode described = Check.object(field + ".json_schema", format.get("json_schema"));
                JsonNode schema = schema(field + ".json_schema.schema", described.get("schema"), schemas, true);
                ObjectNode json = JsonNodeFactory.instance.objectNode().put("type", "json_schema");
                json.putObject("json_schema").set("schema", schema);
                return Check.wellFormed(json.toString());
            }
            default ->
                throw new InvalidRequest(field + ".type", field + ".type must be text, json_object or json_schema");
        }
    }

    private static JsonNode schema(String field, JsonNode schema, SchemaCheck schemas, boolean enforced) {
        Check.object(field, schema);
        if (schema.toString().length() > LONGEST_SCHEMA) {
            throw new SchemaTooComplex(field, field + " is longer than " + LONGEST_SCHEMA + " characters");
        }
        try {
            schemas.check(schema, field, enforced);
        } catch (SchemaException e) {
            throw e.tooComplex()
                    ? new SchemaTooComplex(e.path(), e.getMessage())
                    : new InvalidRequest(e.path(), e.getMessage());
        }
        return schema;
    }

    /** @return 0 to 4 strings, none of them empty */
    static List<String> stops(JsonNode stop) {
        String field = "stop";
        List<String> stops = new ArrayList<>();
        if (Check.isNull(stop)) {
            return stops;
        }
        if (stop.isTextual()) {
            stops.add(stop(field, stop));
        } else if (stop.isArray() && stop.size() <= MOST_STOPS) {
            for (int i = 0; i < stop.size(); i++) {
                stops.add(stop(field + "[" + i + "]", stop.get(i)));
            }
        } else {
            throw new InvalidRequest(field, field + " must be a string or an array of 1 to " + MOST_STOPS + " strings");
        }
        return stops;
    }

    private static String stop(String field, JsonNode value) {
        String text = Check.text(field, value);
        if (text.isEmpty() || text.length() > LONGEST_STOP) {
            throw new InvalidRequest(field, field + " must have 1 to " + LONGEST_STOP + " characters");
        }
        return Check.wellFormed(text);
    }

    /** @return token id to -100..100, in the order of the ids */
    static Map<Integer, Float> logitBias(Map<String, Double> biases) {
        Map<Integer, Float> checked = new TreeMap<>();
        if (biases == null) {
            return checked;
        }
        biases.forEach((token, bias) -> {
            if (!token.matches("\\d{1,9}")) {
                throw new InvalidRequest("logit_bias", "The keys of logit_bias must be token ids");
            }
            String field = "logit_bias." + token;
            checked.put(Integer.valueOf(token), Check.inRange(field, Check.present(field, bias), -100, 100, 0));
        });
        return checked;
    }
}
