package dev.luq.openai.responses;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import dev.luq.http.errors.ApiException.InvalidRequest;
import dev.luq.http.errors.ApiException.UnsupportedModality;
import dev.luq.openai.chat.ChatRequest.CalledFunction;
import dev.luq.openai.chat.ChatRequest.Message;
import dev.luq.openai.chat.ChatRequest.ToolCall;
import dev.luq.openai.generation.Check;
import dev.luq.openai.generation.FieldNames;
import java.util.ArrayList;
import java.util.List;

/**
 * Makes the messages of a chat request of {@code instructions} and {@code input}. A call of a function is an item of its
 * own there; in a chat, calls belong to the message of the assistant before them. What a message consists of is
 * checked where chat requests are.
 */
final class InputTranslation {

    private final FieldNames names;
    private final List<Message> messages = new ArrayList<>();
    /** Of the latest message while that may take calls, else null. */
    private List<ToolCall> calls;
    /** Of the assistant's next message; null for none. */
    private String reasoning;

    private InputTranslation(FieldNames names) {
        this.names = names;
    }

    /**
     * @param names learns where messages and their parts come from
     * @throws InvalidRequest naming the field at fault, as the client knows it
     * @throws UnsupportedModality if a part is of a kind that no model here understands
     */
    static List<Message> messages(String instructions, JsonNode input, FieldNames names) {
        InputTranslation translation = new InputTranslation(names);
        names.put("messages", "input");
        if (instructions != null) {
            translation.text("instructions", "system", instructions);
        }
        if (Check.isNull(input)) {
            throw new InvalidRequest("input", "input is missing");
        }
        if (input.isTextual()) {
            translation.text("input", "user", input.textValue());
        } else if (input.isArray() && !input.isEmpty()) {
            for (int i = 0; i < input.size(); i++) {
                String field = "input[" + i + "]";
                translation.item(field, Check.object(field, input.get(i)));
            }
        } else {
            throw new InvalidRequest("input", "input must be a string or an array of at least one item");
        }
        return translation.messages;
    }

    private void item(String field, JsonNode item) {
        String type = Check.isNull(item.get("type")) ? "message" : Check.text(field + ".type", item.get("type"));
        switch (type) {
            case "message" -> message(field, item);
            case "function_call" -> call(field, item);
            case "function_call_output" -> callOutput(field, item);
            case "reasoning" -> reasoning = reasoning(field, item);
            case "item_reference" ->
                throw new InvalidRequest(field, "This server keeps no items to refer to: send the item itself");
            default ->
                throw new InvalidRequest(
                        field + ".type",
                        field + ".type must be message, function_call, function_call_output or reasoning");
        }
    }

    private void text(String field, String role, String text) {
        names.put(next() + ".content", field);
        add(field, role, TextNode.valueOf(text), null);
    }

    private void message(String field, JsonNode item) {
        String role = Check.text(field + ".role", item.get("role"));
        JsonNode content = content(field + ".content", next() + ".content", item.get("content"));
        switch (role) {
            case "user", "system", "developer" -> add(field, role, content, null);
            case "assistant" -> assistant(field, content);
            default ->
                throw new InvalidRequest(field + ".role", field + ".role must be user, assistant, system or developer");
        }
    }

    private void call(String field, JsonNode item) {
        if (calls == null || reasoning != null) {
            assistant(field, null);
        }
        String call = "messages[" + (messages.size() - 1) + "].tool_calls[" + calls.size() + "]";
        names.put(call, field);
        names.put(call + ".id", field + ".call_id");
        names.put(call + ".function", field);
        calls.add(new ToolCall(
                Check.text(field + ".call_id", item.get("call_id")),
                "function",
                new CalledFunction(
                        Check.text(field + ".name", item.get("name")),
                        Check.text(field + ".arguments", item.get("arguments")))));
    }

    private void callOutput(String field, JsonNode item) {
        names.put(next() + ".content", field + ".output");
        JsonNode output = content(field + ".output", next() + ".content", item.get("output"));
        add(field, "tool", output, Check.text(field + ".call_id", item.get("call_id")));
    }

    private void assistant(String field, JsonNode content) {
        names.put(next(), field);
        calls = new ArrayList<>();
        messages.add(new Message("assistant", content, null, null, reasoning, calls, null, null));
        reasoning = null;
    }

    private void add(String field, String role, JsonNode content, String callId) {
        names.put(next(), field);
        calls = null;
        reasoning = null;
        messages.add(new Message(role, content, null, null, null, null, callId, null));
    }

    /** The name of the message that follows. */
    private String next() {
        return "messages[" + messages.size() + "]";
    }

    /** What a model of another server thought; templates show it or not. */
    private static String reasoning(String field, JsonNode item) {
        JsonNode content = item.get("content");
        if (Check.isNull(content)) {
            return null;
        }
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < content.size(); i++) {
            String part = field + ".content[" + i + "]";
            text.append(Check.text(
                    part + ".text", Check.object(part, content.get(i)).get("text")));
        }
        return text.toString();
    }

    private JsonNode content(String field, String name, JsonNode content) {
        if (Check.isNull(content) || !content.isArray()) {
            return content;
        }
        ArrayNode parts = JsonNodeFactory.instance.arrayNode(content.size());
        for (int i = 0; i < content.size(); i++) {
            String part = field + "[" + i + "]";
            parts.add(part(part, name + "[" + i + "]", Check.object(part, content.get(i))));
        }
        return parts;
    }

    private JsonNode part(String field, String name, JsonNode part) {
        String type = Check.text(field + ".type", part.get("type"));
        ObjectNode translated = JsonNodeFactory.instance.objectNode();
        switch (type) {
            case "input_text", "output_text" -> translated.put("type", "text").set("text", part.get("text"));
            case "refusal" -> translated.put("type", "refusal").set("refusal", part.get("refusal"));
            case "input_image" -> image(field, name, part, translated.put("type", "image_url"));
            case "input_file", "input_audio" ->
                throw new UnsupportedModality(field, "Parts of type " + type + " are not supported");
            default ->
                throw new InvalidRequest(
                        field + ".type", field + ".type must be input_text, input_image, output_text or refusal");
        }
        return translated;
    }

    private void image(String field, String name, JsonNode part, ObjectNode translated) {
        if (!Check.isNull(part.get("file_id"))) {
            throw new InvalidRequest(
                    field + ".file_id", "This server keeps no files: send the image as a data: URL in image_url");
        }
        names.put(name + ".image_url.url", field + ".image_url");
        names.put(name + ".image_url.detail", field + ".detail");
        ObjectNode image = translated.putObject("image_url");
        image.put("url", Check.text(field + ".image_url", part.get("image_url")));
        image.set("detail", part.get("detail"));
    }
}
