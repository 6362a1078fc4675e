package dev.luq.openai.chat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.luq.http.errors.ApiException.InvalidRequest;
import dev.luq.http.errors.ApiException.SchemaTooComplex;
import dev.luq.openai.chat.ChatRequest.Function;
import dev.luq.openai.chat.ChatRequest.Tool;
import dev.luq.openai.generation.Check;
import dev.luq.schema.SchemaCheck;
import dev.luq.schema.SchemaException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Pattern;

/** Checks of the fields that shape the answer: tools, format, stop strings, token biases. */
final class OutputRules {

    /** Clients with several tool servers have hundreds; OpenAI takes 128. */
    private static final int MOST_TOOLS = 512;

    private static final int MOST_STOPS = 64;
    /** Characters of one stop string, and of all of them. */
    private static final int LONGEST_STOP = 1024;

    private static final int LONGEST_STOPS = 8 * 1024;
    /** Characters of one schema, and of all tools together. */
    private static final int LONGEST_SCHEMA = 256 * 1024;

    private static final int LONGEST_TOOLS = 1024 * 1024;
    private static final int LONGEST_GRAMMAR = 256 * 1024;
    /** Texts with a bias, and characters of one. */
    private static final int MOST_BIASED = 1024;

    private static final int LONGEST_BIASED = 256;
    private static final Pattern TOKEN_ID = Pattern.compile("\\d{1,9}");
    private static final Pattern NUMBER = Pattern.compile("-?\\d+");
    private static final Pattern TOOL_NAME = Pattern.compile("[A-Za-z0-9_.-]{1,128}");

    private OutputRules() {}

    /**
     * Puts tools and the choice between them where the template takes them.
     *
     * @param schemas of this request
     */
    static void putTools(ObjectNode chat, ChatRequest request, SchemaCheck schemas) {
        ArrayNode tools = tools(request.tools(), schemas);
        JsonNode choice = request.toolChoice();
        String word = "auto";
        if (choice != null && choice.path("type").asText().equals("allowed_tools")) {
            JsonNode allowed = Check.object("tool_choice.allowed_tools", choice.get("allowed_tools"));
            tools = allowed(allowed.get("tools"), tools);
            choice = allowed.get("mode");
            if (!"auto".equals(Check.text("tool_choice.allowed_tools.mode", choice))
                    && !choice.textValue().equals("required")) {
                throw new InvalidRequest(
                        "tool_choice.allowed_tools.mode", "tool_choice.allowed_tools.mode must be auto or required");
            }
        }
        boolean named = !Check.isNull(choice) && !choice.isTextual();
        if (!Check.isNull(choice)) {
            tools = named ? only(chosenName(choice), tools) : tools;
            word = named ? "required" : choiceWord(choice, tools);
        }
        if (!tools.isEmpty()) {
            chat.set("tools", tools);
            chat.put("tool_choice", word);
            // A function by name is called exactly once, as OpenAI has it.
            chat.put("parallel_tool_calls", !named && Check.flag(request.parallelToolCalls(), true));
        }
    }

    private static ArrayNode tools(List<Tool> tools, SchemaCheck schemas) {
        ArrayNode json = JsonNodeFactory.instance.arrayNode();
        if (tools == null) {
            return json;
        }
        if (tools.size() > MOST_TOOLS) {
            throw new InvalidRequest("tools", "tools must have at most " + MOST_TOOLS + " tools");
        }
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
                                + " 128 letters, digits, underscores, dots or dashes");
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
        if (json.toString().length() > LONGEST_TOOLS) {
            throw new SchemaTooComplex("tools", "tools are longer than " + LONGEST_TOOLS + " characters");
        }
        return json;
    }

    private static String choiceWord(JsonNode choice, ArrayNode tools) {
        String field = "tool_choice";
        String word = choice.textValue();
        if (!Set.of("auto", "none", "required").contains(word)) {
            throw new InvalidRequest(field, field + " must be auto, none, required or an object naming a function");
        }
        if (word.equals("required") && tools.isEmpty()) {
            throw new InvalidRequest(field, field + " is required, but there are no tools");
        }
        return word;
    }

    /** The name in {@code {"type": "function", "function": {"name": ...}}}. */
    private static String chosenName(JsonNode choice) {
        String field = "tool_choice";
        String type = Check.text(field + ".type", Check.object(field, choice).get("type"));
        if (!type.equals("function")) {
            throw new InvalidRequest(field + ".type", field + ".type must be function");
        }
        return Check.text(
                field + ".function.name",
                Check.object(field + ".function", choice.get("function")).get("name"));
    }

    /** Of the tools those that the model may call now, named as in {@code tools}. */
    private static ArrayNode allowed(JsonNode names, ArrayNode tools) {
        String field = "tool_choice.allowed_tools.tools";
        if (Check.isNull(names) || !names.isArray()) {
            throw new InvalidRequest(field, field + " must be an array of functions");
        }
        Map<String, String> allowed = new LinkedHashMap<>(); // to the field that names it
        for (int i = 0; i < names.size(); i++) {
            String tool = field + "[" + i + "].function";
            JsonNode function = names.get(i).path("function");
            allowed.put(Check.text(tool + ".name", Check.object(tool, function).get("name")), tool + ".name");
        }
        ArrayNode few = JsonNodeFactory.instance.arrayNode();
        tools.forEach(tool -> {
            if (allowed.remove(tool.at("/function/name").asText()) != null) {
                few.add(tool);
            }
        });
        if (!allowed.isEmpty()) {
            String unknown = allowed.values().iterator().next();
            throw new InvalidRequest(unknown, unknown + " names no tool of this request");
        }
        return few;
    }

    /** A function that must be called is the only one that the model is told of. */
    private static ArrayNode only(String name, ArrayNode tools) {
        for (JsonNode tool : tools) {
            if (tool.path("function").path("name").asText().equals(name)) {
                return JsonNodeFactory.instance.arrayNode().add(tool);
            }
        }
        String field = "tool_choice.function.name";
        throw new InvalidRequest(field, field + " names no tool of this request");
    }

    /**
     * Puts the schema that the answer has to follow, if there is one, where the template takes it.
     *
     * @param format the request's {@code response_format}, or null
     * @param schema the request's {@code json_schema}, or null
     * @param schemas of this request
     */
    static void putSchema(ObjectNode chat, JsonNode format, JsonNode schema, SchemaCheck schemas) {
        String field = "response_format";
        if (!Check.isNull(format)) {
            switch (Check.text(field + ".type", Check.object(field, format).get("type"))) {
                case "text" -> {}
                case "json_object" -> {
                    if (Check.isNull(format.get("schema"))) {
                        chat.putObject("json_schema").put("type", "object");
                    } else {
                        chat.set("json_schema", schema(field + ".schema", format.get("schema"), schemas, true));
                    }
                }
                case "json_schema" -> {
                    JsonNode described = Check.object(field + ".json_schema", format.get("json_schema"));
                    boolean enforced = described.path("strict").asBoolean(true);
                    chat.set(
                            "json_schema",
                            schema(field + ".json_schema.schema", described.get("schema"), schemas, enforced));
                }
                default ->
                    throw new InvalidRequest(field + ".type", field + ".type must be text, json_object or json_schema");
            }
        }
        if (!Check.isNull(schema)) {
            if (chat.has("json_schema")) {
                throw new InvalidRequest("json_schema", "json_schema cannot be used together with response_format");
            }
            chat.set("json_schema", schema("json_schema", schema, schemas, true));
        }
    }

    /**
     * Puts the grammar that the answer has to follow, if there is one, where the worker takes it.
     *
     * @param chat with tools and schema
     */
    static void putGrammar(ObjectNode chat, String grammar) {
        String field = "grammar";
        if (grammar == null || grammar.isBlank()) {
            return;
        }
        if (grammar.length() > LONGEST_GRAMMAR) {
            throw new SchemaTooComplex(field, field + " is longer than " + LONGEST_GRAMMAR + " characters");
        }
        boolean calls = chat.has("tools") && !chat.path("tool_choice").asText().equals("none");
        if (calls || chat.has("json_schema")) {
            throw new InvalidRequest(
                    field, field + " cannot be used together with tools, response_format or json_schema");
        }
        chat.put(field, grammar);
    }

    /**
     * A schema of a request.
     *
     * @param schemas of this request
     * @param enforced whether it is refused where it cannot be enforced as a whole
     */
    static JsonNode schema(String field, JsonNode schema, SchemaCheck schemas, boolean enforced) {
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

    /** @return 0 to 64 strings, none of them empty */
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
        if (stops.stream().mapToInt(String::length).sum() > LONGEST_STOPS) {
            throw new InvalidRequest(field, field + " must have at most " + LONGEST_STOPS + " characters in all");
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
        if (biases != null) {
            biases.forEach((key, bias) -> {
                if (TOKEN_ID.matcher(key).matches()) {
                    checked.put(Integer.valueOf(key), bias(key, bias));
                }
            });
        }
        return checked;
    }

    /**
     * What is no id is a text, as llama-server has it.
     *
     * @return text to -100..100 for each of its tokens, in alphabetical order
     */
    static Map<String, Float> textBias(Map<String, Double> biases) {
        Map<String, Float> checked = new TreeMap<>();
        if (biases != null) {
            biases.forEach((key, bias) -> {
                if (!TOKEN_ID.matcher(key).matches()) {
                    boolean fits = !key.isEmpty() && key.length() <= LONGEST_BIASED && checked.size() < MOST_BIASED;
                    if (!fits || NUMBER.matcher(key).matches()) {
                        throw new InvalidRequest(
                                "logit_bias",
                                "The keys of logit_bias must be ids of tokens, or at most " + MOST_BIASED
                                        + " texts of 1 to " + LONGEST_BIASED + " characters");
                    }
                    checked.put(Check.wellFormed(key), bias(key, bias));
                }
            });
        }
        return checked;
    }

    private static float bias(String key, Double bias) {
        String field = "logit_bias." + key;
        return Check.inRange(field, Check.present(field, bias), -100, 100, 0);
    }
}
