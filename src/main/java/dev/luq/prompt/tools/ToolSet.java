package dev.luq.prompt.tools;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The tools that an answer may call.
 *
 * @param schemas of the arguments, by the name of the function, in the order of the request
 * @param required whether the answer is a call
 * @param parallel whether it may be several
 */
public record ToolSet(Map<String, JsonNode> schemas, boolean required, boolean parallel) {

    public ToolSet {
        schemas = Collections.unmodifiableMap(new LinkedHashMap<>(schemas));
    }

    /**
     * @param chat what the chat template takes, see {@link dev.luq.llama.ChatTemplates#apply}
     * @return null when the answer calls nothing
     */
    public static ToolSet of(JsonNode chat) {
        String choice = chat.path("tool_choice").asText("auto");
        if (choice.equals("none") || chat.path("tools").isEmpty()) {
            return null;
        }
        Map<String, JsonNode> schemas = new LinkedHashMap<>();
        for (JsonNode tool : chat.get("tools")) {
            JsonNode function = tool.path("function");
            JsonNode parameters = function.path("parameters");
            // Arguments are an object, also where the schema says nothing.
            schemas.put(
                    function.path("name").asText(),
                    parameters.isEmpty() ? JsonNodeFactory.instance.objectNode().put("type", "object") : parameters);
        }
        return new ToolSet(
                schemas,
                choice.equals("required"),
                chat.path("parallel_tool_calls").asBoolean(true));
    }
}
