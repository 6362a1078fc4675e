package dev.luq.anthropic;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.luq.anthropic.MessagesRequest.InputMessage;
import dev.luq.http.errors.ApiException.InvalidRequest;
import dev.luq.openai.generation.Check;
import dev.luq.openai.generation.FieldNames;
import java.util.ArrayList;
import java.util.List;

/**
 * The conversation of a request as messages of a chat request. Results of tools become messages of their own, before what
 * else the user says: templates want them right behind the calls. Messages of one role that follow each other become one.
 * Not thread-safe.
 */
final class ChatMessages {

    /** Claude Code's first block of the system prompt is for Anthropic's servers; it differs in every request. */
    private static final String BILLING_HEADER = "x-anthropic-billing-header:";

    private final FieldNames names;
    private final ArrayNode messages = JsonNodeFactory.instance.arrayNode();

    /** @param names learns where the messages come from */
    ChatMessages(FieldNames names) {
        this.names = names;
    }

    /** Adds the system prompt, which may be absent. */
    void addSystem(JsonNode system) {
        if (!Check.isNull(system)) {
            addTexts("system", system);
        }
    }

    /** @param field where the message comes from */
    void add(String field, InputMessage message) {
        Check.present(field, message);
        String content = field + ".content";
        switch (Check.present(field + ".role", message.role())) {
            case "user" -> addUser(content, message.content());
            case "assistant" -> addAssistant(content, message.content());
            case "system" -> addTexts(content, message.content());
            default -> throw new InvalidRequest(field + ".role", field + ".role must be user or assistant");
        }
    }

    /** All messages, in the form of chat requests. Called once, at the end. */
    ArrayNode messages() {
        for (JsonNode message : messages) {
            joinTexts((ObjectNode) message);
            joinThoughts((ObjectNode) message);
        }
        return messages;
    }

    private void addTexts(String field, JsonNode content) {
        for (Block block : blocks(field, content)) {
            if (!block.type().equals("text")) {
                throw block.refused("text");
            }
            if (!content.isArray() || !isBillingHeader(block.text("text"))) {
                addText("system", block);
            }
        }
    }

    private static boolean isBillingHeader(String text) {
        return text.startsWith(BILLING_HEADER) && text.indexOf('\n') < 0;
    }

    private void addUser(String field, JsonNode content) {
        List<Block> blocks = blocks(field, content);
        if (blocks.isEmpty()) {
            throw new InvalidRequest(field, field + " must have at least one block");
        }
        blocks.stream().filter(block -> block.type().equals("tool_result")).forEach(this::addToolResult);
        for (Block block : blocks) {
            switch (block.type()) {
                case "tool_result" -> {}
                case "text" -> addText("user", block);
                case "image" -> addImage(part("user", block.field()), block);
                default -> throw block.refused("text, image or tool_result");
            }
        }
    }

    private void addAssistant(String field, JsonNode content) {
        ObjectNode message = message("assistant", field);
        for (Block block : blocks(field, content)) {
            switch (block.type()) {
                case "text" -> addText("assistant", block);
                case "tool_use" -> addToolUse(message, block);
                case "thinking" -> message.withArray("reasoning_content").add(block.text("thinking"));
                // Encrypted for Anthropic's models.
                case "redacted_thinking" -> {}
                default -> throw block.refused("text, tool_use or thinking");
            }
        }
    }

    private void addToolUse(ObjectNode message, Block block) {
        ArrayNode calls = message.withArray("tool_calls");
        String call = here() + ".tool_calls[" + calls.size() + "]";
        names.put(call, block.field());
        names.put(call + ".function", block.field());
        names.put(call + ".function.arguments", block.field() + ".input");
        JsonNode input = Check.object(block.field() + ".input", block.json().get("input"));
        calls.addObject()
                .put("id", ToolUseIds.toCall(block.text("id")))
                .put("type", "function")
                .putObject("function")
                .put("name", block.text("name"))
                .put("arguments", input.toString());
    }

    private void addToolResult(Block block) {
        ObjectNode message = messages.addObject().put("role", "tool");
        names.put(here(), block.field());
        names.put(here() + ".tool_call_id", block.field() + ".tool_use_id");
        message.put("tool_call_id", ToolUseIds.toCall(block.text("tool_use_id")));
        ArrayNode parts = message.putArray("content");
        if (block.flag("is_error")) {
            // Templates have no field for it.
            parts.addObject().put("type", "text").put("text", "Error:");
        }
        JsonNode content = block.json().get("content");
        if (Check.isNull(content)) {
            return;
        }
        for (Block result : blocks(block.field() + ".content", content)) {
            names.put(here() + ".content[" + parts.size() + "]", result.field());
            switch (result.type()) {
                case "text" -> parts.addObject().put("type", "text").put("text", result.text("text"));
                case "image" -> addImage(parts.addObject(), result);
                default -> throw result.refused("text or image");
            }
        }
    }

    private void addText(String role, Block block) {
        part(role, block.field()).put("type", "text").put("text", block.text("text"));
    }

    /** @param part of the last message */
    private void addImage(ObjectNode part, Block block) {
        String field = block.field() + ".source";
        JsonNode source = Check.object(field, block.json().get("source"));
        String at = here() + ".content[" + (lastMessage().path("content").size() - 1) + "].image_url";
        names.put(at, field);
        String url;
        switch (Check.text(field + ".type", source.get("type"))) {
            case "base64" -> {
                // The bytes say what they are.
                Check.text(field + ".media_type", source.get("media_type"));
                url = "data:;base64," + Check.text(field + ".data", source.get("data"));
                names.put(at + ".url", field + ".data");
            }
            case "url" -> url = Check.text(field + ".url", source.get("url"));
            default -> throw new InvalidRequest(field + ".type", field + ".type must be base64 or url");
        }
        part.put("type", "image_url").putObject("image_url").put("url", url);
    }

    /** A new part at the end of the last message, if that has this role, else of a new one. */
    private ObjectNode part(String role, String field) {
        ArrayNode parts = message(role, field).withArray("content");
        names.put(here() + ".content[" + parts.size() + "]", field);
        return parts.addObject();
    }

    /** The last message if it has this role, else a new one. */
    private ObjectNode message(String role, String field) {
        if (!messages.isEmpty() && lastMessage().path("role").asText().equals(role)) {
            return lastMessage();
        }
        ObjectNode message = messages.addObject().put("role", role);
        names.put(here(), field);
        names.put(here() + ".content", field);
        return message;
    }

    private ObjectNode lastMessage() {
        return (ObjectNode) messages.get(messages.size() - 1);
    }

    /** What a chat request calls its last message. */
    private String here() {
        return "messages[" + (messages.size() - 1) + "]";
    }

    /** Few templates take parts in messages that are not the user's, and some do not take a single one there either. */
    private static void joinTexts(ObjectNode message) {
        JsonNode parts = message.path("content");
        List<String> texts = new ArrayList<>();
        for (JsonNode part : parts) {
            if (!part.path("type").asText().equals("text")) {
                return;
            }
            texts.add(part.path("text").asText());
        }
        switch (message.path("role").asText()) {
            case "user" -> {
                if (texts.size() == 1) {
                    message.put("content", texts.get(0));
                }
            }
            // One text that was cut where something else came between, such as a citation.
            case "assistant" -> message.put("content", String.join("", texts));
            default -> message.put("content", String.join("\n", texts));
        }
    }

    private static void joinThoughts(ObjectNode message) {
        JsonNode thoughts = message.get("reasoning_content");
        if (thoughts != null) {
            StringBuilder joined = new StringBuilder();
            thoughts.forEach(thought -> joined.append(thought.textValue()));
            message.put("reasoning_content", joined.toString());
        }
    }

    private static List<Block> blocks(String field, JsonNode content) {
        if (Check.isNull(content)) {
            throw new InvalidRequest(field, field + " is missing");
        }
        if (content.isTextual()) {
            ObjectNode text = JsonNodeFactory.instance.objectNode().put("type", "text");
            text.set("text", content);
            return List.of(new Block(field, "text", text));
        }
        if (!content.isArray()) {
            throw new InvalidRequest(field, field + " must be a string or an array of blocks");
        }
        List<Block> blocks = new ArrayList<>(content.size());
        for (int i = 0; i < content.size(); i++) {
            String name = field + "[" + i + "]";
            JsonNode json = Check.object(name, content.get(i));
            blocks.add(new Block(name, Check.text(name + ".type", json.get("type")), json));
        }
        return blocks;
    }

    /**
     * A block of content.
     *
     * @param field where it comes from
     */
    private record Block(String field, String type, JsonNode json) {

        String text(String name) {
            return Check.text(field + "." + name, json.get(name));
        }

        /** @return false where it is absent */
        boolean flag(String name) {
            JsonNode value = json.get(name);
            if (!Check.isNull(value) && !value.isBoolean()) {
                String flag = field + "." + name;
                throw new InvalidRequest(flag, flag + " must be true or false");
            }
            return !Check.isNull(value) && value.booleanValue();
        }

        InvalidRequest refused(String allowed) {
            return new InvalidRequest(field + ".type", field + ".type must be " + allowed);
        }
    }
}
