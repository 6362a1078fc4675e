package dev.luq.llama;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.JsonNode;
import dev.luq.preset.global.llama;
import dev.luq.preset.llama_chat_message;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.PointerPointer;
import org.bytedeco.javacpp.PointerScope;

/** The chat templates that llama.cpp has by name. They know roles and texts alone: no tools and no variables. */
final class BuiltInTemplates {

    /** More than there are. */
    private static final int MOST_NAMES = 256;

    private BuiltInTemplates() {}

    static List<String> names() {
        try (PointerPointer<BytePointer> names = new PointerPointer<>(MOST_NAMES)) {
            int count = Math.min(llama.llama_chat_builtin_templates(names, MOST_NAMES), MOST_NAMES);
            List<String> all = new ArrayList<>();
            for (int i = 0; i < count; i++) {
                all.add(names.get(BytePointer.class, i).getString(UTF_8));
            }
            return all;
        }
    }

    /**
     * The conversation of a request.
     *
     * @param name one of {@link #names}
     * @param request see {@link ChatTemplates#apply}
     * @throws LlamaException.InvalidTemplate the template refuses the messages
     */
    static String render(String name, JsonNode request) {
        JsonNode messages = request.path("messages");
        boolean begins = request.path("add_generation_prompt").asBoolean(true);
        try (PointerScope scope = new PointerScope();
                llama_chat_message chat = new llama_chat_message(Math.max(1, messages.size()))) {
            int characters = 0;
            for (int i = 0; i < messages.size(); i++) {
                String text = text(messages.get(i).path("content"));
                characters += text.length();
                chat.getPointer(i)
                        .role(Native.utf8(messages.get(i).path("role").asText()))
                        .content(Native.utf8(text));
            }
            byte[] prompt = new byte[2 * characters + 1024];
            int length = apply(name, chat, messages.size(), begins, prompt);
            if (length > prompt.length) {
                prompt = new byte[length];
                apply(name, chat, messages.size(), begins, prompt);
            }
            return new String(prompt, 0, length, UTF_8);
        }
    }

    private static int apply(String name, llama_chat_message chat, int messages, boolean begins, byte[] prompt) {
        int length = llama.llama_chat_apply_template(name, chat, messages, begins, prompt, prompt.length);
        if (length < 0) {
            throw new LlamaException.InvalidTemplate("the chat template refuses the request");
        }
        return length;
    }

    /** Texts of parts directly behind each other. A text of C ends with U+0000, which no template needs. */
    private static String text(JsonNode content) {
        StringBuilder text = new StringBuilder(content.isTextual() ? content.textValue() : "");
        content.forEach(part -> text.append(part.path("text").asText()));
        return text.toString().replace('\0', '\ufffd');
    }
}
