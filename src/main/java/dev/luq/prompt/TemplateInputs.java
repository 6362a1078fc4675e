package dev.luq.prompt;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What the chat template takes, with a mark where each image is and breaks where users wrote special tokens. What the
 * texts mean is not looked at: the server has checked it.
 *
 * @param json input of {@link dev.luq.llama.ChatTemplates#apply}
 * @param mediaMark stands for an image in the templated prompt
 * @param breakMark splits special tokens that users wrote, see {@link SpecialTokenGuard}; also in tools
 * @param schema the response's JSON schema, or null
 * @param patterns what the regular expressions of all schemas mean, see {@link dev.luq.llama.Schemas}
 * @param callsTools whether the answer may contain tool calls
 */
record TemplateInputs(
        String json,
        String mediaMark,
        String breakMark,
        String schema,
        Map<String, String> patterns,
        boolean callsTools) {

    /** As large as the frame was that brought the text. */
    private static final ObjectMapper JSON = new ObjectMapper(JsonFactory.builder()
            .streamReadConstraints(StreamReadConstraints.builder()
                    .maxStringLength(Integer.MAX_VALUE)
                    .build())
            .build());

    /** Fields of messages and their parts whose values are words of the API. All other texts are the user's. */
    private static final Set<String> WORDS_OF_THE_API = Set.of("role", "type");

    /** The field whose grammar the answer follows, or null. */
    String grammarField() {
        return schema != null ? "response_format" : callsTools ? "tools" : null;
    }

    /**
     * @param chat see {@link PromptContent.Chat}
     * @throws IllegalArgumentException it is no JSON object
     */
    static TemplateInputs of(String chat, SpecialTokenGuard guard) {
        ObjectNode json = parse(chat);
        String mediaMark = SpecialTokenGuard.nonce();
        String breakMark = SpecialTokenGuard.nonce();
        for (JsonNode message : json.path("messages")) {
            new MessageMarks(guard, mediaMark, breakMark).put(message);
        }
        Map<String, String> patterns = new HashMap<>();
        json.path("patterns").properties().forEach(pattern -> {
            String grammar = pattern.getValue().textValue();
            patterns.put(pattern.getKey(), grammar);
            patterns.put(guard.guard(pattern.getKey(), "", breakMark), grammar);
        });
        json.set("patterns", JSON.valueToTree(patterns));
        JsonNode tools = json.path("tools");
        if (!tools.isMissingNode()) {
            json.set("tools", broken(tools, guard, breakMark));
        }
        return new TemplateInputs(
                json.toString(),
                mediaMark,
                breakMark,
                json.has("json_schema") ? json.get("json_schema").toString() : null,
                patterns,
                !tools.isMissingNode() && !json.path("tool_choice").asText().equals("none"));
    }

    private static ObjectNode parse(String chat) {
        try {
            if (JSON.readTree(chat) instanceof ObjectNode json) {
                return json;
            }
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException("the chat is no JSON", e);
        }
        throw new IllegalArgumentException("the chat is no JSON object");
    }

    /** A tool with all of its texts broken. What is made of it besides the prompt is rid of the breaks again. */
    private static JsonNode broken(JsonNode tool, SpecialTokenGuard guard, String breakMark) {
        if (tool.isObject()) {
            ObjectNode out = JSON.createObjectNode();
            tool.properties()
                    .forEach(field -> out.set(
                            guard.guard(field.getKey(), "", breakMark), broken(field.getValue(), guard, breakMark)));
            return out;
        }
        if (tool.isArray()) {
            ArrayNode out = JSON.createArrayNode();
            tool.forEach(item -> out.add(broken(item, guard, breakMark)));
            return out;
        }
        return tool.isTextual() ? JSON.getNodeFactory().textNode(guard.guard(tool.textValue(), "", breakMark)) : tool;
    }

    /**
     * Puts the marks into one message. It goes from the end to the beginning, so that it knows what follows each text:
     * templates put the texts of parts directly behind each other.
     */
    private static final class MessageMarks {
        private final SpecialTokenGuard guard;
        private final String mediaMark;
        private final String breakMark;
        private String following = "";

        MessageMarks(SpecialTokenGuard guard, String mediaMark, String breakMark) {
            this.guard = guard;
            this.mediaMark = mediaMark;
            this.breakMark = breakMark;
        }

        void put(JsonNode node) {
            if (node.path("type").asText().equals("media_marker")) {
                ((ObjectNode) node).put("text", mediaMark);
                following = "";
            } else if (node instanceof ObjectNode object) {
                List<String> names = new ArrayList<>();
                object.fieldNames().forEachRemaining(names::add);
                Collections.reverse(names);
                names.forEach(name -> put(object, name));
            } else {
                for (int i = node.size() - 1; i >= 0; i--) {
                    put(node.get(i));
                }
            }
        }

        private void put(ObjectNode object, String name) {
            JsonNode value = object.get(name);
            if (!value.isTextual()) {
                put(value);
            } else if (!WORDS_OF_THE_API.contains(name)) {
                String text = value.textValue();
                object.put(name, guard.guard(text, following, breakMark));
                following = beginning(beginning(text) + following);
            }
        }

        private String beginning(String text) {
            return text.substring(0, Math.min(text.length(), guard.longest()));
        }
    }
}
