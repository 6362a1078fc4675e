package dev.luq.engine;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;

/**
 * A generation request as the chat template takes it.
 *
 * @param json input of {@link dev.luq.llama.ChatTemplates#apply}
 * @param mediaMark stands for an image in the templated prompt
 * @param breakMark splits special tokens that users wrote, see {@link SpecialTextGuard}
 * @param images index into the request's images for each media mark, in order
 * @param schema the response's JSON schema, or null
 * @param callsTools whether the answer may contain tool calls
 */
record ChatRequest(String json, String mediaMark, String breakMark, List<Integer> images,
        String schema, boolean callsTools) {

    private static final ObjectMapper JSON = new ObjectMapper();

    /** @throws EngineException.InvalidRequest when a field is not what it should be */
    static ChatRequest of(GenerationRequest request, SpecialTextGuard guard) {
        String mediaMark = SpecialTextGuard.nonce();
        String breakMark = SpecialTextGuard.nonce();
        Messages messages = new Messages(guard, breakMark, mediaMark, request.images().size());
        ObjectNode out = JSON.createObjectNode();
        ArrayNode rewritten = out.putArray("messages");
        for (JsonNode message : parse(request.messages(), "messages")) {
            rewritten.add(messages.rewrite(message));
        }
        boolean callsTools = putTools(request, out);
        putResponseFormat(request, out);
        out.put("add_generation_prompt", true);
        String schema = out.has("json_schema") ? out.get("json_schema").toString() : null;
        return new ChatRequest(out.toString(), mediaMark, breakMark, messages.images, schema, callsTools);
    }

    private static boolean putTools(GenerationRequest request, ObjectNode out) {
        JsonNode tools = request.tools() == null ? JSON.createArrayNode() : parse(request.tools(), "tools");
        if (tools.isEmpty()) {
            return false;
        }
        String choice = request.toolChoice() == null ? "auto" : request.toolChoice();
        if (choice.startsWith("{")) {
            tools = only(tools, parse(choice, "tool_choice").path("function").path("name").asText());
            choice = "required";
        }
        out.set("tools", tools);
        out.put("tool_choice", choice);
        out.put("parallel_tool_calls", request.parallelToolCalls());
        return !choice.equals("none");
    }

    private static ArrayNode only(JsonNode tools, String name) {
        for (JsonNode tool : tools) {
            if (tool.path("function").path("name").asText().equals(name)) {
                return JSON.createArrayNode().add(tool);
            }
        }
        throw new EngineException.InvalidRequest("tool_choice",
                "tool_choice names a function that is not among the tools.", null);
    }

    private static void putResponseFormat(GenerationRequest request, ObjectNode out) {
        if (request.responseFormat() == null) {
            return;
        }
        JsonNode format = parse(request.responseFormat(), "response_format");
        switch (format.path("type").asText()) {
            case "text" -> { }
            case "json_object" -> out.set("json_schema", JSON.createObjectNode().put("type", "object"));
            case "json_schema" -> {
                JsonNode schema = format.path("json_schema").path("schema");
                if (!schema.isObject()) {
                    throw new EngineException.InvalidRequest("response_format",
                            "response_format.json_schema.schema must be a JSON schema object.", null);
                }
                out.set("json_schema", schema);
            }
            default -> throw new EngineException.InvalidRequest("response_format",
                    "response_format.type must be text, json_object or json_schema.", null);
        }
    }

    private static JsonNode parse(String json, String param) {
        try {
            return JSON.readTree(json);
        } catch (JsonProcessingException e) {
            throw new EngineException.InvalidRequest(param, param + " is not valid JSON.", e);
        }
    }

    /** Puts marks where images are, and breaks where users wrote special tokens. */
    private static final class Messages {
        private final SpecialTextGuard guard;
        private final String breakMark;
        private final String mediaMark;
        private final int imageCount;
        final List<Integer> images = new ArrayList<>();

        Messages(SpecialTextGuard guard, String breakMark, String mediaMark, int imageCount) {
            this.guard = guard;
            this.breakMark = breakMark;
            this.mediaMark = mediaMark;
            this.imageCount = imageCount;
        }

        JsonNode rewrite(JsonNode message) {
            if (!(message instanceof ObjectNode)) {
                throw new EngineException.InvalidRequest("messages", "Every message must be a JSON object.", null);
            }
            ObjectNode out = message.deepCopy();
            guardText(out, "name", "");
            guardText(out, "reasoning_content", "");
            guardText(out, "refusal", "");
            guardText(out, "content", "");
            for (JsonNode call : out.path("tool_calls")) {
                if (call.path("function") instanceof ObjectNode function) {
                    guardText(function, "name", "");
                    guardText(function, "arguments", "");
                }
            }
            if (message.path("content").isArray()) {
                ArrayNode parts = out.putArray("content");
                for (int i = 0; i < message.path("content").size(); i++) {
                    parts.add(part(message.path("content"), i));
                }
            }
            return out;
        }

        private ObjectNode part(JsonNode parts, int index) {
            JsonNode part = parts.get(index);
            switch (part.path("type").asText()) {
                case "image" -> {
                    int image = part.path("image").asInt(-1);
                    if (image < 0 || image >= imageCount) {
                        throw new EngineException.InvalidRequest("messages", "An image part has no image.", null);
                    }
                    images.add(image);
                    return JSON.createObjectNode().put("type", "media_marker").put("text", mediaMark);
                }
                case "text" -> {
                    StringBuilder following = new StringBuilder();
                    for (int i = index + 1; i < parts.size() && isText(parts.get(i)); i++) {
                        following.append(parts.get(i).path("text").asText());
                    }
                    ObjectNode text = part.deepCopy();
                    guardText(text, "text", following.toString());
                    return text;
                }
                default -> throw new EngineException.InvalidRequest("messages",
                        "A content part must be of type text or image.", null);
            }
        }

        private static boolean isText(JsonNode part) {
            return part.path("type").asText().equals("text");
        }

        private void guardText(ObjectNode node, String field, String following) {
            if (node.path(field).isTextual()) {
                node.put(field, guard.guard(node.get(field).asText(), following, breakMark));
            }
        }
    }
}
