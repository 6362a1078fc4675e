package dev.luq.prompt.tools;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.StreamSupport;

/**
 * Puts tools, calls and their results into the texts of a conversation, in the form of Hermes models, for chat
 * templates that know none: tools into the system message, calls into the assistant's text, results into a message of
 * the user.
 */
public final class ToolMessages {

    private static final JsonNodeFactory JSON = JsonNodeFactory.instance;

    private ToolMessages() {}

    /**
     * The same conversation without roles and fields of tools.
     *
     * @param tools that may be called, possibly none
     */
    public static ArrayNode of(JsonNode messages, JsonNode tools) {
        ArrayNode out = JSON.arrayNode();
        JsonNode before = JSON.missingNode();
        for (JsonNode message : messages) {
            String role = message.path("role").asText();
            if (role.equals("tool")) {
                List<JsonNode> result = new ArrayList<>();
                result.add(text("<tool_response>\n"));
                result.addAll(parts(message.path("content")));
                result.add(text("\n</tool_response>"));
                if (before.path("role").asText().equals("tool")) {
                    // One message for all results: templates want user and assistant to take turns.
                    append((ObjectNode) out.get(out.size() - 1), "\n", result);
                } else {
                    append(out.addObject().put("role", "user"), "", result);
                }
            } else {
                ObjectNode copy = out.addObject().setAll((ObjectNode) message);
                JsonNode calls = copy.remove("tool_calls");
                if (calls != null) {
                    append(copy, "\n", List.of(text(calls(calls))));
                }
            }
            before = message;
        }
        if (!tools.isEmpty()) {
            if (!out.path(0).path("role").asText().equals("system")) {
                out.insertObject(0).put("role", "system");
            }
            append((ObjectNode) out.get(0), "\n\n", List.of(text(description(tools))));
        }
        return out;
    }

    private static String description(JsonNode tools) {
        return "# Tools\n\nYou may call one or more functions to assist with the user query.\n\n"
                + "Their signatures are within <tools></tools> tags:\n<tools>\n"
                + lines(tools)
                + "\n</tools>\n\nFor each call, answer with a JSON object of the function's name and arguments within "
                + "<tool_call></tool_call> tags:\n<tool_call>\n"
                + "{\"name\": <function-name>, \"arguments\": <arguments-object>}\n</tool_call>";
    }

    private static String lines(JsonNode array) {
        return StreamSupport.stream(array.spliterator(), false)
                .map(JsonNode::toString)
                .collect(Collectors.joining("\n"));
    }

    private static String calls(JsonNode calls) {
        return StreamSupport.stream(calls.spliterator(), false)
                .map(call -> call.path("function"))
                .map(function -> "<tool_call>\n{\"name\": " + function.path("name") + ", \"arguments\": "
                        + function.path("arguments").asText() + "}\n</tool_call>")
                .collect(Collectors.joining("\n"));
    }

    private static ObjectNode text(String text) {
        return JSON.objectNode().put("type", "text").put("text", text);
    }

    private static List<JsonNode> parts(JsonNode content) {
        List<JsonNode> parts = new ArrayList<>();
        if (!content.isTextual()) {
            content.forEach(parts::add);
        } else if (!content.textValue().isEmpty()) {
            parts.add(text(content.textValue()));
        }
        return parts;
    }

    /** @param between what stands before the parts where something is there already */
    private static void append(ObjectNode message, String between, List<? extends JsonNode> parts) {
        List<JsonNode> all = parts(message.path("content"));
        if (!all.isEmpty() && !between.isEmpty()) {
            all.add(text(between));
        }
        all.addAll(parts);
        if (all.stream().allMatch(part -> part.path("type").asText().equals("text"))) {
            message.put(
                    "content",
                    all.stream().map(part -> part.get("text").textValue()).collect(Collectors.joining()));
        } else {
            message.putArray("content").addAll(all);
        }
    }
}
