package dev.luq.llama;

import com.fasterxml.jackson.databind.JsonNode;
import dev.luq.preset.global.llama;
import dev.luq.preset.luq_chat;
import java.util.List;
import org.bytedeco.javacpp.BytePointer;

/**
 * The chat template of a model, a Jinja program or one that llama.cpp has by name, as llama.cpp runs it. Thread-safe, except that it must not be closed
 * while it is used; keeps its model in memory until it is closed.
 */
public final class ChatTemplates implements AutoCloseable {

    /** Known to llama.cpp's Jinja engine by its name. */
    private static final String CHATML = "chatml";

    private final Model model;
    private final luq_chat chat;
    /** Name of the template that takes the place of {@link #chat}; null where that is used. */
    private final String builtIn;

    private boolean closed;

    private ChatTemplates(Model model, luq_chat chat, String builtIn) {
        this.model = model;
        this.chat = chat;
        this.builtIn = builtIn;
    }

    /**
     * The model's own template, or ChatML when it has none.
     *
     * @throws LlamaException.InvalidTemplate the model's template cannot be parsed
     */
    public static ChatTemplates of(Model model) {
        return of(model, "", null);
    }

    /**
     * Another template, whatever the model brings.
     *
     * @param template Jinja text, or the name of one that llama.cpp has, such as {@code vicuna}
     * @throws LlamaException.InvalidTemplate the template cannot be parsed, or llama.cpp has none of this name
     */
    public static ChatTemplates of(Model model, String template) {
        if (template.contains("{{") || template.contains("{%") || template.equals(CHATML)) {
            return of(model, template, null);
        }
        List<String> names = BuiltInTemplates.names();
        if (!names.contains(template)) {
            throw new LlamaException.InvalidTemplate("there is no chat template " + template
                    + ": give a Jinja program, or one of the names " + String.join(", ", names));
        }
        return of(model, CHATML, template);
    }

    private static ChatTemplates of(Model model, String jinja, String builtIn) {
        model.use();
        luq_chat chat = null;
        try (BytePointer template = Native.utf8(jinja)) {
            chat = llama.luq_chat_init(model.pointer(), template);
            if (chat == null) {
                throw new LlamaException.InvalidTemplate("the chat template cannot be used: " + Native.lastError());
            }
            return new ChatTemplates(model, chat, builtIn);
        } finally {
            if (chat == null) {
                model.releaseUse();
            }
        }
    }

    /**
     * Renders a conversation.
     *
     * @param requestJson {@code {"messages":[..], "tools":[..]?, "tool_choice":"auto|none|required"?,
     *        "parallel_tool_calls":bool?, "patterns":{..}?, "add_generation_prompt":bool?,
     *        "enable_thinking":bool?, "chat_template_kwargs":{..}?}} with
     *        OpenAI messages and tools; the place of an image is a content part
     *        {@code {"type":"media_marker","text":marker}} whose text appears in the prompt unchanged. patterns is what
     *        {@link Schemas#toGrammar(String, java.util.Map)} takes, for all schemas
     * @throws LlamaException.TooComplex the grammar of the schemas would be too large
     * @throws LlamaException.InvalidTemplate the request is malformed or the template refuses the messages
     */
    public ChatPrompt apply(String requestJson) {
        if (builtIn != null) {
            return ChatPrompt.of(BuiltInTemplates.render(builtIn, Json.parse(requestJson)));
        }
        try (BytePointer request = Native.utf8(requestJson)) {
            BytePointer answer = llama.luq_chat_apply(pointer(), request);
            if (answer == null) {
                String reason = "the chat template refuses the request: " + Native.lastError();
                throw Native.lastErrorIsLimit()
                        ? new LlamaException.TooComplex(reason)
                        : new LlamaException.InvalidTemplate(reason);
            }
            JsonNode json = Json.parse(Native.take(answer));
            return new ChatPrompt(
                    json.get("prompt").textValue(),
                    json.get("grammar").textValue(),
                    json.get("grammar_lazy").booleanValue(),
                    json.get("triggers").toString(),
                    Json.strings(json.get("preserved_tokens")),
                    Json.strings(json.get("stops")),
                    json.get("grammar_prefix").textValue(),
                    json.get("parser").toString(),
                    thinking(json));
        }
    }

    private static ThinkingTags thinking(JsonNode json) {
        String start = json.get("thinking_start").textValue();
        List<String> ends = Json.strings(json.get("thinking_ends"));
        return start.isEmpty() || ends.isEmpty() ? null : new ThinkingTags(start, ends);
    }

    /**
     * Whether the template describes tools to the model. llama.cpp has no way of its own to describe them: tools given to
     * a template that knows none are not seen by the model.
     */
    public boolean supportsTools() {
        return builtIn == null && llama.luq_chat_supports_tools(pointer());
    }

    /** A parser for what is generated after this prompt; the caller closes it. */
    public MessageParser parser(ChatPrompt prompt) {
        pointer();
        return new MessageParser(prompt.parserState());
    }

    @Override
    public void close() {
        if (!closed) {
            closed = true;
            llama.luq_chat_free(chat);
            model.releaseUse();
        }
    }

    private luq_chat pointer() {
        if (closed) {
            throw new IllegalStateException("the chat template is closed");
        }
        return chat;
    }
}
