package dev.luq.prompt;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.luq.schema.SchemaCheck;
import dev.luq.schema.SchemaException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * A generation request as the chat template takes it.
 *
 * @param json input of {@link dev.luq.llama.ChatTemplates#apply}
 * @param mediaMark stands for an image in the templated prompt
 * @param breakMark splits special tokens that users wrote, see {@link SpecialTokenGuard}; also in tools
 * @param images index into the request's images for each media mark, in order
 * @param schema the response's JSON schema, or null
 * @param patterns what the regular expressions of all schemas mean, see {@link dev.luq.llama.Schemas}
 * @param callsTools whether the answer may contain tool calls
 */
record TemplateInputs(
        String json,
        String mediaMark,
        String breakMark,
        List<Integer> images,
        String schema,
        Map<String, String> patterns,
        boolean callsTools) {

    /** As large as the frame was that brought the text. */
    private static final ObjectMapper JSON = new ObjectMapper(JsonFactory.builder()
            .streamReadConstraints(StreamReadConstraints.builder()
                    .maxStringLength(Integer.MAX_VALUE)
                    .build())
            .build());

    /** The field whose grammar the answer follows, or null. */
    String grammarField() {
        return schema != null ? "response_format" : callsTools ? "tools" : null;
    }

    /** @throws PromptException.InvalidRequest when a field is not what it should be */
    static TemplateInputs of(PromptRequest request, SpecialTokenGuard guard) {
        String mediaMark = SpecialTokenGuard.nonce();
        String breakMark = SpecialTokenGuard.nonce();
        MessageRewriter messages = new MessageRewriter(
                guard, breakMark, mediaMark, request.images().size());
        ObjectNode out = JSON.createObjectNode();
        ArrayNode rewritten = out.putArray("messages");
        for (JsonNode message : parse(request.messages(), "messages")) {
            rewritten.add(messages.rewrite(message));
        }
        SchemaCheck schemas = new SchemaCheck();
        boolean callsTools = putTools(request, out, schemas, messages);
        putResponseFormat(request, out, schemas);
        Map<String, String> patterns = new HashMap<>();
        schemas.patterns().forEach((pattern, grammar) -> {
            patterns.put(pattern, grammar);
            patterns.put(messages.broken(pattern), grammar);
        });
        out.set("patterns", JSON.valueToTree(patterns));
        out.put("add_generation_prompt", true);
        String schema = out.has("json_schema") ? out.get("json_schema").toString() : null;
        return new TemplateInputs(out.toString(), mediaMark, breakMark, messages.images, schema, patterns, callsTools);
    }

    private static boolean putTools(
            PromptRequest request, ObjectNode out, SchemaCheck schemas, MessageRewriter messages) {
        JsonNode tools = request.tools() == null ? JSON.createArrayNode() : parse(request.tools(), "tools");
        if (tools.isEmpty()) {
            return false;
        }
        String choice = request.toolChoice() == null ? "auto" : request.toolChoice();
        if (choice.startsWith("{")) {
            tools = only(
                    tools,
                    parse(choice, "tool_choice").path("function").path("name").asText());
            choice = "required";
        }
        ArrayNode rewritten = out.putArray("tools");
        for (int i = 0; i < tools.size(); i++) {
            JsonNode function = tools.get(i).path("function");
            if (function.has("parameters")) {
                check(
                        schemas,
                        function.get("parameters"),
                        "tools[" + i + "].function.parameters",
                        function.path("strict").asBoolean());
            }
            rewritten.add(messages.guarded(tools.get(i)));
        }
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
        throw new PromptException.InvalidRequest(
                "tool_choice", "tool_choice names a function that is not among the tools.", null);
    }

    private static void putResponseFormat(PromptRequest request, ObjectNode out, SchemaCheck schemas) {
        if (request.responseFormat() == null) {
            return;
        }
        JsonNode format = parse(request.responseFormat(), "response_format");
        switch (format.path("type").asText()) {
            case "text" -> {}
            case "json_object" -> out.set("json_schema", JSON.createObjectNode().put("type", "object"));
            case "json_schema" -> {
                JsonNode schema = format.path("json_schema").path("schema");
                if (!schema.isObject()) {
                    throw new PromptException.InvalidRequest(
                            "response_format",
                            "response_format.json_schema.schema must be a JSON schema object.",
                            null);
                }
                check(schemas, schema, "response_format.json_schema.schema", true);
                out.set("json_schema", schema);
            }
            default ->
                throw new PromptException.InvalidRequest(
                        "response_format", "response_format.type must be text, json_object or json_schema.", null);
        }
    }

    private static void check(SchemaCheck schemas, JsonNode schema, String field, boolean enforced) {
        try {
            schemas.check(schema, field, enforced);
        } catch (SchemaException e) {
            throw e.tooComplex()
                    ? new PromptException.SchemaTooComplex(e.path(), e.getMessage(), e)
                    : new PromptException.InvalidRequest(e.path(), e.getMessage(), e);
        }
    }

    private static JsonNode parse(String json, String param) {
        try {
            return JSON.readTree(json);
        } catch (JsonProcessingException e) {
            throw new PromptException.InvalidRequest(param, param + " is not valid JSON.", e);
        }
    }

    /** Puts marks where images are, and breaks where users wrote special tokens. */
    private static final class MessageRewriter {
        private final SpecialTokenGuard guard;
        private final String breakMark;
        private final String mediaMark;
        private final int imageCount;
        final List<Integer> images = new ArrayList<>();

        MessageRewriter(SpecialTokenGuard guard, String breakMark, String mediaMark, int imageCount) {
            this.guard = guard;
            this.breakMark = breakMark;
            this.mediaMark = mediaMark;
            this.imageCount = imageCount;
        }

        JsonNode rewrite(JsonNode message) {
            if (!(message instanceof ObjectNode)) {
                throw new PromptException.InvalidRequest("messages", "Every message must be a JSON object.", null);
            }
            ObjectNode out = message.deepCopy();
            guardText(out, "name", "");
            guardText(out, "tool_call_id", "");
            guardText(out, "reasoning_content", "");
            guardText(out, "refusal", "");
            guardText(out, "content", "");
            for (JsonNode call : out.path("tool_calls")) {
                if (call instanceof ObjectNode known) {
                    guardText(known, "id", "");
                }
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
                        throw new PromptException.InvalidRequest("messages", "An image part has no image.", null);
                    }
                    images.add(image);
                    return JSON.createObjectNode().put("type", "media_marker").put("text", mediaMark);
                }
                case "text" -> {
                    StringBuilder following = new StringBuilder();
                    for (int i = index + 1;
                            i < parts.size() && isText(parts.get(i)) && following.length() < guard.longest();
                            i++) {
                        String next = parts.get(i).path("text").asText();
                        following.append(next, 0, Math.min(next.length(), guard.longest()));
                    }
                    ObjectNode text = part.deepCopy();
                    guardText(text, "text", following.toString());
                    return text;
                }
                default ->
                    throw new PromptException.InvalidRequest(
                            "messages", "A content part must be of type text or image.", null);
            }
        }

        private static boolean isText(JsonNode part) {
            return part.path("type").asText().equals("text");
        }

        /** A tool with all of its texts broken. What is made of it besides the prompt is rid of the breaks again. */
        JsonNode guarded(JsonNode tool) {
            if (tool.isObject()) {
                ObjectNode out = JSON.createObjectNode();
                tool.properties().forEach(field -> out.set(broken(field.getKey()), guarded(field.getValue())));
                return out;
            }
            if (tool.isArray()) {
                ArrayNode out = JSON.createArrayNode();
                tool.forEach(item -> out.add(guarded(item)));
                return out;
            }
            return tool.isTextual() ? JSON.getNodeFactory().textNode(broken(tool.textValue())) : tool;
        }

        String broken(String text) {
            return guard.guard(text, "", breakMark);
        }

        private void guardText(ObjectNode node, String field, String following) {
            if (node.path(field).isTextual()) {
                node.put(field, guard.guard(node.get(field).asText(), following, breakMark));
            }
        }
    }
}
