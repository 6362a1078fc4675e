package dev.luq.openai.chat;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.luq.http.errors.ApiException.ContextLengthExceeded;
import dev.luq.http.errors.ApiException.InvalidRequest;
import dev.luq.http.errors.ApiException.UnsupportedModality;
import dev.luq.openai.chat.ChatRequest.CalledFunction;
import dev.luq.openai.chat.ChatRequest.Message;
import dev.luq.openai.chat.ChatRequest.ToolCall;
import dev.luq.openai.generation.Check;
import dev.luq.openai.images.Detail;
import dev.luq.openai.images.ImageReference;
import dev.luq.protocol.WorkerFrame.ModelInfo;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * The messages of a request, checked, as chat templates take them: an image's place is a part
 * {@code {"type":"media_marker"}}.
 */
final class Conversation {

    /** Messages, parts and calls, even where the context holds more tokens: templates take time for each. */
    private static final int MOST_ITEMS = 16_384;

    private static final int DEEPEST_ARGUMENTS = 64;
    private static final JsonFactory ARGUMENTS = JsonFactory.builder()
            .streamReadConstraints(StreamReadConstraints.builder()
                    .maxStringLength(Integer.MAX_VALUE)
                    .maxNestingDepth(DEEPEST_ARGUMENTS)
                    .build())
            .build();

    private final boolean vision;
    private final int contextSize;
    private final int mostItems;
    private int items;
    private long textBytes;
    /** Messages at the beginning that the request does not have. */
    private int ownMessages;

    private final ArrayNode json = JsonNodeFactory.instance.arrayNode();
    private final List<ImageReference> images = new ArrayList<>();

    private Conversation(ModelInfo model) {
        vision = model.vision();
        contextSize = model.slotContextSize();
        mostItems = Math.min(MOST_ITEMS, contextSize);
    }

    /**
     * @param model that they are for
     * @throws InvalidRequest naming the field at fault
     * @throws ContextLengthExceeded if there are more messages, parts and calls than tokens in the context, or than may be
     * @throws UnsupportedModality if a part is of a kind that the model does not understand
     */
    static Conversation of(List<Message> messages, ModelInfo model) {
        if (messages == null || messages.isEmpty()) {
            throw new InvalidRequest("messages", "messages must have at least one message");
        }
        Conversation conversation = new Conversation(model);
        for (int i = 0; i < messages.size(); i++) {
            String field = "messages[" + i + "]";
            conversation.add(field, Check.present(field, messages.get(i)));
        }
        if (model.defaults().systemPrompt() != null && !conversation.hasSystemMessage()) {
            conversation.begin(model.defaults().systemPrompt());
        }
        return conversation;
    }

    private boolean hasSystemMessage() {
        for (JsonNode message : json) {
            if (message.path("role").asText().equals("system")) {
                return true;
            }
        }
        return false;
    }

    private void begin(String systemPrompt) {
        ownMessages = 1;
        json.insertObject(0).put("role", "system").put("content", counted(systemPrompt));
    }

    /** Puts the messages for the template, and how many of them the request does not have. */
    void put(ObjectNode chat) {
        chat.set("messages", json);
        if (ownMessages > 0) {
            chat.put("own_messages", ownMessages);
        }
    }

    /** Whether the last message is the assistant's. */
    boolean endsWithAssistant() {
        return isAssistant(json.size() - 1);
    }

    private boolean isAssistant(int index) {
        return json.path(index).path("role").asText().equals("assistant");
    }

    /** @throws InvalidRequest when an answer cannot continue the last message */
    void checkContinuation() {
        int last = json.size() - 1;
        String field = "messages[" + (last - ownMessages) + "]";
        if (!isAssistant(last)) {
            throw new InvalidRequest(
                    "continue_final_message", "continue_final_message needs a last message of the assistant");
        }
        if (last > 0 && isAssistant(last - 1)) {
            throw new InvalidRequest(field, field + " is the assistant's as the one before it: join them");
        }
        for (String name : List.of("tool_calls", "reasoning_content")) {
            if (json.get(last).hasNonNull(name)) {
                throw new InvalidRequest(
                        field + "." + name, "A message with " + name + " at the end cannot be continued");
            }
        }
    }

    /** Bytes of all texts in UTF-8. */
    long textBytes() {
        return textBytes;
    }

    /** In the order of their places. */
    List<ImageReference> images() {
        return List.copyOf(images);
    }

    /** Each takes one token at least. */
    private void countItem(String field) {
        if (++items > mostItems) {
            throw new ContextLengthExceeded(
                    field,
                    "This model's maximum context length is " + contextSize + " tokens, and it takes at most "
                            + mostItems + " messages, parts and tool calls. Send fewer of them.",
                    items,
                    contextSize);
        }
    }

    private String counted(String text) {
        textBytes += utf8Length(text);
        return text;
    }

    private static long utf8Length(String text) {
        long bytes = text.length();
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            // half of a character of four bytes counts as two of them
            bytes += c < 0x80 ? 0 : c < 0x800 || Character.isSurrogate(c) ? 1 : 2;
        }
        return bytes;
    }

    private void add(String field, Message message) {
        countItem(field);
        ObjectNode out = json.addObject();
        switch (Check.present(field + ".role", message.role())) {
            // Templates know no developer: it is the newer name of system.
            case "system", "developer" -> {
                out.put("role", "system");
                content(field, message.content(), out, true);
            }
            case "user" -> {
                out.put("role", "user");
                content(field, message.content(), out, true);
            }
            case "assistant" -> assistant(field, message, out);
            case "tool" -> {
                out.put("role", "tool");
                content(field, message.content(), out, true);
                out.put("tool_call_id", counted(Check.present(field + ".tool_call_id", message.toolCallId())));
            }
            // The older name of tool, which knows its call by the function's name.
            case "function" -> {
                out.put("role", "tool");
                content(field, message.content(), out, true);
                out.put("tool_call_id", counted(Check.present(field + ".name", message.name())));
            }
            default ->
                throw new InvalidRequest(
                        field + ".role", field + ".role must be system, developer, user, assistant, tool or function");
        }
        if (message.name() != null) {
            out.put("name", counted(message.name()));
        }
    }

    private void assistant(String field, Message message, ObjectNode out) {
        out.put("role", "assistant");
        boolean calls = message.toolCalls() != null && !message.toolCalls().isEmpty();
        boolean older = !calls && message.functionCall() != null;
        if (!Check.isNull(message.content())) {
            content(field, message.content(), out, false);
        } else if (message.refusal() != null) {
            out.put("content", counted(message.refusal()));
        } else if (calls || older) {
            out.putNull("content");
        } else {
            // Clients keep null of a stream in which no text came.
            out.put("content", "");
        }
        if (message.reasoningContent() != null) {
            out.put("reasoning_content", counted(message.reasoningContent()));
        }
        if (calls) {
            ArrayNode array = out.putArray("tool_calls");
            for (int i = 0; i < message.toolCalls().size(); i++) {
                toolCall(field + ".tool_calls[" + i + "]", message.toolCalls().get(i), array.addObject());
            }
        } else if (older) {
            // Its result is a message of role function, which knows it by this name.
            ObjectNode call = out.putArray("tool_calls")
                    .addObject()
                    .put("id", message.functionCall().name());
            called(field + ".function_call", message.functionCall(), call);
        }
    }

    private void toolCall(String field, ToolCall call, ObjectNode out) {
        countItem(field);
        Check.present(field, call);
        if (call.type() != null && !call.type().equals("function")) {
            throw new InvalidRequest(field + ".type", field + ".type must be function");
        }
        Check.present(field + ".function", call.function());
        out.put("id", counted(Check.present(field + ".id", call.id())));
        called(field + ".function", call.function(), out);
    }

    private void called(String field, CalledFunction function, ObjectNode out) {
        out.put("type", "function");
        out.putObject("function")
                .put("name", counted(Check.present(field + ".name", function.name())))
                .put("arguments", counted(arguments(field + ".arguments", function.arguments())));
    }

    /**
     * A call without arguments is written in several ways, and the end of an answer may cut arguments off: templates want
     * an object.
     */
    private static String arguments(String field, String text) {
        if (Check.present(field, text).isBlank()) {
            return "{}";
        }
        // Read, not kept: as objects they would take many times the memory that their text was charged for.
        boolean inside = false;
        try (JsonParser parser = ARGUMENTS.createParser(text)) {
            JsonToken first = parser.nextToken();
            inside = first == JsonToken.START_OBJECT;
            parser.skipChildren();
            inside = false;
            if ((first == JsonToken.START_OBJECT || first == JsonToken.VALUE_NULL) && parser.nextToken() == null) {
                return first == JsonToken.VALUE_NULL ? "{}" : text;
            }
        } catch (JsonProcessingException e) {
            if (inside && e.getLocation() != null && e.getLocation().getCharOffset() >= text.length()) {
                return "{}";
            }
        } catch (IOException e) {
            // said below
        }
        throw new InvalidRequest(
                field,
                field + " must be the text of a JSON object, nested at most " + DEEPEST_ARGUMENTS + " levels deep");
    }

    private void content(String messageField, JsonNode content, ObjectNode out, boolean imagesAllowed) {
        String field = messageField + ".content";
        if (Check.isNull(content)) {
            throw new InvalidRequest(field, field + " is missing");
        }
        if (content.isTextual()) {
            out.put("content", counted(content.textValue()));
            return;
        }
        if (!content.isArray()) {
            throw new InvalidRequest(field, field + " must be a string or an array of parts");
        }
        if (content.isEmpty()) {
            throw new InvalidRequest(field, field + " must have at least one part");
        }
        ArrayNode parts = out.putArray("content");
        for (int i = 0; i < content.size(); i++) {
            part(field + "[" + i + "]", content.get(i), parts.addObject(), imagesAllowed);
        }
    }

    private void part(String field, JsonNode part, ObjectNode out, boolean imagesAllowed) {
        countItem(field);
        String type = Check.text(field + ".type", Check.object(field, part).get("type"));
        switch (type) {
            case "text", "refusal" ->
                out.put("type", "text").put("text", counted(Check.text(field + "." + type, part.get(type))));
            case "image_url" -> {
                if (!imagesAllowed) {
                    throw new InvalidRequest(field, "Images are not allowed in messages of the assistant");
                }
                if (!vision) {
                    throw new UnsupportedModality(field, "This model does not understand images");
                }
                out.put("type", "media_marker");
                images.add(image(field + ".image_url", part.get("image_url")));
            }
            case "input_audio", "video_url", "file" ->
                throw new UnsupportedModality(field, "Parts of type " + type + " are not supported");
            default -> throw new InvalidRequest(field + ".type", field + ".type must be text or image_url");
        }
    }

    /** {@code {"url": ..., "detail": ...}}, or the bare URL as some clients send it. */
    private static ImageReference image(String field, JsonNode image) {
        if (!Check.isNull(image) && image.isTextual()) {
            return new ImageReference(image.textValue(), Detail.AUTO, field);
        }
        Check.object(field, image);
        JsonNode detail = image.get("detail");
        return new ImageReference(
                Check.text(field + ".url", image.get("url")),
                Check.isNull(detail) ? Detail.AUTO : detail(field + ".detail", detail),
                field + ".url");
    }

    private static Detail detail(String field, JsonNode value) {
        String name = Check.text(field, value);
        if (name.equals("original")) {
            return Detail.HIGH;
        }
        for (Detail detail : Detail.values()) {
            if (detail.name().toLowerCase(Locale.ROOT).equals(name)) {
                return detail;
            }
        }
        throw new InvalidRequest(field, field + " must be auto, low, high or original");
    }
}
