package dev.luq.prompt;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.luq.prompt.tools.ToolCalling;
import dev.luq.prompt.tools.ToolMessages;
import dev.luq.prompt.tools.ToolSet;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * What the chat template takes, with a mark where each image is and breaks where users wrote special tokens. What the
 * texts mean is not looked at: the server has checked it.
 *
 * @param json input of {@link dev.luq.llama.ChatTemplates#apply}
 * @param continuation text of the message that the answer continues, with breaks too; empty for none
 * @param mediaMark stands for an image in the templated prompt, followed by the number of the image and a semicolon
 * @param images the place of each image, such as {@code messages[2].content[0]}, and the role of its message
 * @param breakMark splits special tokens that users wrote, see {@link SpecialTokenGuard}; also in tools and variables
 * @param schema the response's JSON schema, or null
 * @param grammar the response's grammar, or null
 * @param patterns what the regular expressions of all schemas mean, see {@link dev.luq.llama.Schemas}
 * @param tellsThoughts whether thoughts are told from the answer, where that is possible
 * @param tools that the answer may call, or null
 * @param calling how it calls them, or null
 */
record TemplateInputs(
        String json,
        String continuation,
        String mediaMark,
        List<ImagePlace> images,
        String breakMark,
        JsonNode schema,
        String grammar,
        Map<String, String> patterns,
        boolean tellsThoughts,
        ToolSet tools,
        ToolCalling calling) {

    /** Where an image is in the request. */
    record ImagePlace(String field, String role) {}

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
        return grammar != null ? "grammar" : schema != null ? "response_format" : tools != null ? "tools" : null;
    }

    /** Finds the marks in the templated prompt; the group {@code image} is the number of an image. */
    Pattern marks() {
        return Pattern.compile(mediaMark + "(?<image>\\d+);|" + breakMark);
    }

    /**
     * @param chat see {@link PromptContent.Chat}
     * @param templateKnowsTools see {@link dev.luq.llama.ChatTemplates#supportsTools}
     * @param systemAnywhere see {@link SystemMessages#standAnywhere}
     * @throws IllegalArgumentException it is no JSON object
     */
    static TemplateInputs of(String chat, SpecialTokenGuard guard, boolean templateKnowsTools, boolean systemAnywhere) {
        ObjectNode json = parse(chat);
        String mediaMark = SpecialTokenGuard.nonce();
        String breakMark = SpecialTokenGuard.nonce();
        JsonNode own = json.remove("own_messages");
        List<ImagePlace> images = markImages(json.path("messages"), mediaMark, own == null ? 0 : own.asInt());
        for (JsonNode message : json.path("messages")) {
            new MessageMarks(guard, breakMark).put(message);
        }
        if (!systemAnywhere && json.get("messages") instanceof ArrayNode messages) {
            SystemMessages.gather(messages);
        }
        Map<String, String> patterns = new HashMap<>();
        json.path("patterns").properties().forEach(pattern -> {
            String grammar = pattern.getValue().textValue();
            patterns.put(pattern.getKey(), grammar);
            patterns.put(guard.guard(pattern.getKey(), "", breakMark), grammar);
        });
        json.set("patterns", JSON.valueToTree(patterns));
        JsonNode schema = json.remove("json_schema");
        JsonNode grammar = json.remove("grammar");
        JsonNode reasoningFormat = json.remove("reasoning_format");
        String continuation = json.path("continue_final_message").asBoolean() ? takeLast(json) : "";
        if (json.get("chat_template_kwargs") instanceof ObjectNode variables) {
            variables.properties().forEach(field -> field.setValue(broken(field.getValue(), guard, breakMark)));
        }
        ToolSet tools = ToolSet.of(json);
        ToolCalling calling = tools == null ? null : ToolCalling.of(tools, schema != null, templateKnowsTools);
        if (calling != ToolCalling.OF_TEMPLATE) {
            json.put("tool_choice", "none"); // the template makes no grammar of its own
        }
        JsonNode described = broken(json.path("tools"), guard, breakMark);
        json.remove("tools");
        if (!templateKnowsTools) {
            json.set(
                    "messages", ToolMessages.of(json.path("messages"), tools == null ? JSON.missingNode() : described));
        } else if (!described.isEmpty()) {
            json.set("tools", described);
        }
        return new TemplateInputs(
                json.toString(),
                continuation,
                mediaMark,
                images,
                breakMark,
                schema,
                grammar == null ? null : grammar.textValue(),
                patterns,
                reasoningFormat != null,
                tools,
                calling);
    }

    /**
     * Numbers the images.
     *
     * @param own messages in front that the request does not have
     */
    private static List<ImagePlace> markImages(JsonNode messages, String mediaMark, int own) {
        List<ImagePlace> places = new ArrayList<>();
        for (int i = 0; i < messages.size(); i++) {
            JsonNode content = messages.get(i).path("content");
            for (int k = 0; content.isArray() && k < content.size(); k++) {
                if (content.get(k).path("type").asText().equals("media_marker")) {
                    ((ObjectNode) content.get(k)).put("text", mediaMark + places.size() + ";");
                    places.add(new ImagePlace(
                            "messages[" + (i - own) + "].content[" + k + "]",
                            messages.get(i).path("role").asText()));
                }
            }
        }
        return places;
    }

    /** Takes the last message out; its text. */
    private static String takeLast(ObjectNode json) {
        ArrayNode messages = (ArrayNode) json.get("messages");
        JsonNode content = messages.remove(messages.size() - 1).path("content");
        if (content.isTextual()) {
            return content.textValue();
        }
        StringBuilder text = new StringBuilder();
        content.forEach(part -> text.append(part.path("text").asText()));
        return text.toString();
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

    /** A tool or a variable with all of its texts broken. What is made of it besides the prompt is rid of them again. */
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
     * Puts the breaks into one message. It goes from the end to the beginning, so that it knows what follows each text:
     * templates put the texts of parts directly behind each other.
     */
    private static final class MessageMarks {
        private final SpecialTokenGuard guard;
        private final String breakMark;
        private String following = "";

        MessageMarks(SpecialTokenGuard guard, String breakMark) {
            this.guard = guard;
            this.breakMark = breakMark;
        }

        void put(JsonNode node) {
            if (node.path("type").asText().equals("media_marker")) {
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
