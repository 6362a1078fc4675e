package dev.luq.prompt.tools;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.luq.llama.GrammarOptions;
import dev.luq.llama.Schemas;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Grammars of calls in the form that Hermes models write, {@code <tool_call>}, an object of {@code name} and
 * {@code arguments}, {@code </tool_call>}: for calls that have to come, before which llama.cpp's grammars let any text
 * pass, and for models whose chat template has no form of its own.
 */
final class CallGrammar {

    static final String OPEN = "<tool_call>";
    static final String CLOSE = "</tool_call>";

    /** Keywords whose values are data: what looks like a reference there is none. */
    private static final Set<String> DATA = Set.of("const", "enum", "default", "examples");
    /** Keywords whose values have names of the schema's author as keys. */
    private static final Set<String> NAMED = Set.of("properties", "$defs", "definitions");

    private CallGrammar() {}

    /**
     * From the first token on.
     *
     * @param answer schema of an answer that may come in place of a call; null for none
     * @param patterns see {@link Schemas#toGrammar}
     * @throws dev.luq.llama.LlamaException as {@link Schemas#toGrammar} does
     */
    static GrammarOptions atOnce(ToolSet tools, JsonNode answer, Map<String, String> patterns) {
        return new GrammarOptions(of(tools, answer, patterns), false, "[]", List.of(OPEN, CLOSE), "");
    }

    /** From the first {@link #OPEN} on. */
    static GrammarOptions whenCalled(ToolSet tools, Map<String, String> patterns) {
        // 1 is llama.cpp's trigger of a word.
        String triggers = "[{\"type\":1,\"value\":\"" + OPEN + "\"}]";
        return new GrammarOptions(of(tools, null, patterns), true, triggers, List.of(OPEN, CLOSE), "");
    }

    private static String of(ToolSet tools, JsonNode answer, Map<String, String> patterns) {
        ObjectNode schema = JsonNodeFactory.instance.objectNode();
        ArrayNode alternatives = schema.putArray("anyOf");
        tools.schemas().forEach((name, parameters) -> {
            String place = "#/anyOf/" + alternatives.size() + "/properties/arguments";
            ObjectNode call = alternatives.addObject().put("type", "object");
            ObjectNode properties = call.putObject("properties");
            properties.putObject("name").put("const", name);
            properties.set("arguments", moved(parameters, place));
            call.putArray("required").add("name").add("arguments");
            call.put("additionalProperties", false);
        });
        if (answer != null) {
            alternatives.add(moved(answer, "#/anyOf/" + alternatives.size()));
        }
        List<String> rules = new ArrayList<>();
        List<String> roots = new ArrayList<>();
        Schemas.toGrammar(schema.toString(), patterns).lines().forEach(rule -> {
            if (rule.startsWith("root ::= ")) {
                roots.addAll(List.of(rule.substring("root ::= ".length()).split(" \\| ")));
            } else {
                rules.add(rule);
            }
        });
        int calls = tools.schemas().size();
        rules.add("tool-call ::= \"" + OPEN + "\" space (" + String.join(" | ", roots.subList(0, calls)) + ") space \""
                + CLOSE + "\"");
        rules.add("root ::= tool-call" + (tools.parallel() ? " (space tool-call)*" : "")
                + (answer == null ? "" : " | " + roots.get(calls)));
        return String.join("\n", rules) + "\n";
    }

    /** The schema with its references made to where it is now. */
    private static JsonNode moved(JsonNode schema, String place) {
        if (schema.isArray()) {
            ArrayNode out = JsonNodeFactory.instance.arrayNode();
            schema.forEach(item -> out.add(moved(item, place)));
            return out;
        }
        if (!schema.isObject()) {
            return schema;
        }
        ObjectNode out = JsonNodeFactory.instance.objectNode();
        for (Map.Entry<String, JsonNode> field : schema.properties()) {
            String keyword = field.getKey();
            JsonNode value = field.getValue();
            if (keyword.equals("$ref") && value.asText().startsWith("#")) {
                out.put(keyword, place + value.textValue().substring(1));
            } else if (NAMED.contains(keyword)) {
                ObjectNode named = out.putObject(keyword);
                value.properties().forEach(one -> named.set(one.getKey(), moved(one.getValue(), place)));
            } else {
                out.set(keyword, DATA.contains(keyword) ? value : moved(value, place));
            }
        }
        return out;
    }
}
