package dev.luq.prompt;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.luq.llama.ChatTemplates;
import dev.luq.llama.LlamaException;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Messages of role system. Clients send several, and between others; some templates refuse that, as Qwen3.5's, and some
 * leave out all but the first.
 */
final class SystemMessages {

    private static final String BETWEEN = "\n\n";

    private static final String TRIED =
            """
            {"messages":[{"role":"system","content":"first rule"},{"role":"system","content":"second rule"},\
            {"role":"user","content":"a"},{"role":"assistant","content":"b"},\
            {"role":"system","content":"third rule"},{"role":"user","content":"c"}]}""";

    private SystemMessages() {}

    /** Whether a template takes each of them where it stands. */
    static boolean standAnywhere(ChatTemplates templates) {
        try {
            String prompt = templates.apply(TRIED).prompt();
            return Stream.of("first rule", "second rule", "third rule").allMatch(prompt::contains);
        } catch (LlamaException e) {
            return false;
        }
    }

    /** Puts the contents of all of them into one, which comes first, unless there is no other. */
    static void gather(ArrayNode messages) {
        List<JsonNode> contents = new ArrayList<>();
        ArrayNode others = JsonNodeFactory.instance.arrayNode();
        boolean stray = false;
        for (int i = 0; i < messages.size(); i++) {
            JsonNode message = messages.get(i);
            if (message.path("role").asText().equals("system")) {
                contents.add(message.path("content"));
                stray |= i > 0;
            } else {
                others.add(message);
            }
        }
        if (!stray) {
            return;
        }
        ObjectNode first = JsonNodeFactory.instance.objectNode().put("role", "system");
        first.set("content", joined(contents));
        messages.removeAll();
        messages.add(first).addAll(others);
    }

    private static JsonNode joined(List<JsonNode> contents) {
        if (contents.stream().noneMatch(SystemMessages::hasPictures)) {
            return JsonNodeFactory.instance.textNode(
                    contents.stream().map(SystemMessages::textOf).collect(Collectors.joining(BETWEEN)));
        }
        ArrayNode parts = JsonNodeFactory.instance.arrayNode();
        for (JsonNode content : contents) {
            if (!parts.isEmpty()) {
                parts.add(text(BETWEEN));
            }
            if (content.isTextual()) {
                parts.add(text(content.textValue()));
            } else {
                content.forEach(parts::add);
            }
        }
        return parts;
    }

    private static boolean hasPictures(JsonNode content) {
        return content.findValuesAsText("type").contains("media_marker");
    }

    /** Its parts in lines, as llama.cpp gives them to templates that know no parts. */
    private static String textOf(JsonNode content) {
        return content.isTextual() ? content.textValue() : String.join("\n", content.findValuesAsText("text"));
    }

    private static ObjectNode text(String text) {
        return JsonNodeFactory.instance.objectNode().put("type", "text").put("text", text);
    }
}
