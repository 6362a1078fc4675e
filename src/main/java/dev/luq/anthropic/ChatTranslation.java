package dev.luq.anthropic;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.luq.anthropic.MessagesRequest.InputMessage;
import dev.luq.anthropic.MessagesRequest.OutputFormat;
import dev.luq.anthropic.MessagesRequest.Tool;
import dev.luq.anthropic.MessagesRequest.ToolChoice;
import dev.luq.http.errors.ApiException.InvalidRequest;
import dev.luq.http.intake.JsonBody;
import dev.luq.openai.chat.ChatRequest;
import dev.luq.openai.generation.Check;
import dev.luq.openai.generation.FieldNames;
import java.util.List;
import java.util.Map;

/**
 * A request to the Messages API as a chat request.
 *
 * @param request its values are not all checked: whatever means the same in both APIs is left to the chat's checks
 * @param names where the fields of the chat request come from
 */
record ChatTranslation(ChatRequest request, FieldNames names) {

    /**
     * @throws dev.luq.http.errors.ApiException naming the field of the original that is at fault
     */
    static ChatTranslation of(MessagesRequest original) {
        FieldNames names = new FieldNames();
        ObjectNode chat = JsonNodeFactory.instance.objectNode();
        putOthers(chat, original.others());
        chat.put("model", original.model());
        putMessages(chat, original.messages(), original.system(), names);
        putSampling(chat, original, names);
        putTools(chat, original.tools(), names);
        putToolChoice(chat, original, names);
        putFormat(chat, original, names);
        putThinking(chat, original, names);
        chat.put("stream", original.stream());
        if (original.mcpServers() != null && !original.mcpServers().isEmpty()) {
            throw new InvalidRequest("mcp_servers", "mcp_servers must be empty: this server calls no tools itself");
        }
        return new ChatTranslation(JsonBody.as(chat, ChatRequest.class), names);
    }

    /** Sampling and what else a chat knows; it refuses what would change the answer and is not there. */
    private static void putOthers(ObjectNode chat, Map<String, JsonNode> others) {
        if (others == null) {
            return;
        }
        JsonNode n = others.get("n");
        if (!Check.isNull(n) && !n.asText().equals("1")) {
            throw new InvalidRequest("n", "n must be 1: a message is one answer");
        }
        JsonNode format = others.get("reasoning_format");
        if (!Check.isNull(format) && !format.asText().equals("none")) {
            throw new InvalidRequest("reasoning_format", "reasoning_format must be none: thoughts are text here");
        }
        for (String field : List.of("max_completion_tokens", "n_predict")) {
            if (!Check.isNull(others.get(field))) {
                throw new InvalidRequest(field, field + " is not a field of messages: send max_tokens");
            }
        }
        chat.setAll(others);
    }

    private static void putMessages(ObjectNode chat, List<InputMessage> messages, JsonNode system, FieldNames names) {
        if (messages == null || messages.isEmpty()) {
            throw new InvalidRequest("messages", "messages must have at least one message");
        }
        ChatMessages translated = new ChatMessages(names);
        translated.addSystem(system);
        for (int i = 0; i < messages.size(); i++) {
            translated.add("messages[" + i + "]", messages.get(i));
        }
        ArrayNode all = translated.messages();
        chat.set("messages", all);
        int end = messages.size() - 1;
        if (messages.get(end).role().equals("assistant")) {
            JsonNode last = all.get(all.size() - 1);
            if (last.has("tool_calls") || last.has("reasoning_content")) {
                String field = "messages[" + end + "].content";
                throw new InvalidRequest(field, field + " must be text only: the answer continues it");
            }
            chat.put("continue_final_message", true);
        }
    }

    private static void putSampling(ObjectNode chat, MessagesRequest original, FieldNames names) {
        // The chat takes more: -1 for as many as there is room for, and hotter ones.
        Check.integer("max_tokens", original.maxTokens(), 1, Integer.MAX_VALUE, 0);
        Check.inRange("temperature", original.temperature(), 0, 1, 1);
        chat.put("temperature", original.temperature())
                .put("top_p", original.topP())
                .put("top_k", original.topK())
                .put("max_tokens", original.maxTokens());
        if (original.stopSequences() != null) {
            ArrayNode stops = chat.putArray("stop");
            original.stopSequences().forEach(stops::add);
            names.put("stop", "stop_sequences");
        }
    }

    private static void putTools(ObjectNode chat, List<Tool> tools, FieldNames names) {
        if (tools == null) {
            return;
        }
        ArrayNode translated = chat.putArray("tools");
        for (int i = 0; i < tools.size(); i++) {
            String field = "tools[" + i + "]";
            Tool tool = Check.present(field, tools.get(i));
            if (tool.type() != null && !tool.type().equals("custom")) {
                throw new InvalidRequest(
                        field + ".type",
                        field + ".type must be custom: tools that Anthropic defines or runs, such as web_search"
                                + " and bash, are not there");
            }
            names.put(field + ".function", field);
            names.put(field + ".function.parameters", field + ".input_schema");
            translated
                    .addObject()
                    .put("type", "function")
                    .putObject("function")
                    .put("name", tool.name())
                    .put("description", tool.description())
                    .put("strict", tool.strict())
                    .set("parameters", Check.object(field + ".input_schema", tool.inputSchema()));
        }
    }

    private static void putToolChoice(ObjectNode chat, MessagesRequest original, FieldNames names) {
        ToolChoice choice = original.toolChoice();
        if (choice == null) {
            return;
        }
        String field = "tool_choice.type";
        switch (Check.present(field, choice.type())) {
            case "auto", "none" -> chat.put("tool_choice", choice.type());
            case "any" -> {
                if (original.tools() == null || original.tools().isEmpty()) {
                    throw new InvalidRequest(field, field + " is any, but there are no tools");
                }
                chat.put("tool_choice", "required");
            }
            case "tool" -> {
                names.put("tool_choice.function", "tool_choice");
                chat.putObject("tool_choice")
                        .put("type", "function")
                        .putObject("function")
                        .put("name", choice.name());
            }
            default -> throw new InvalidRequest(field, field + " must be auto, any, tool or none");
        }
        chat.put("parallel_tool_calls", !Check.flag(choice.disableParallelToolUse(), false));
    }

    private static void putThinking(ObjectNode chat, MessagesRequest original, FieldNames names) {
        if (original.thinking() != null) {
            String field = "thinking.type";
            requireAbsent(chat, "enable_thinking", "thinking");
            names.put("enable_thinking", field);
            switch (Check.present(field, original.thinking().type())) {
                case "enabled", "adaptive" -> chat.put("enable_thinking", true);
                case "disabled" -> chat.put("enable_thinking", false);
                default -> throw new InvalidRequest(field, field + " must be enabled, adaptive or disabled");
            }
        }
        if (original.outputConfig() != null && original.outputConfig().effort() != null) {
            requireAbsent(chat, "reasoning_effort", "output_config.effort");
            names.put("reasoning_effort", "output_config.effort");
            chat.put("reasoning_effort", original.outputConfig().effort());
        }
    }

    private static void requireAbsent(ObjectNode chat, String field, String other) {
        if (chat.hasNonNull(field)) {
            throw new InvalidRequest(field, field + " and " + other + " say the same: send one of them");
        }
    }

    private static void putFormat(ObjectNode chat, MessagesRequest original, FieldNames names) {
        OutputFormat format = original.outputFormat();
        String field = "output_format";
        if (original.outputConfig() != null && original.outputConfig().format() != null) {
            format = original.outputConfig().format();
            field = "output_config.format";
        }
        if (format == null) {
            return;
        }
        if (!"json_schema".equals(format.type())) {
            throw new InvalidRequest(field + ".type", field + ".type must be json_schema");
        }
        names.put("response_format", field);
        names.put("response_format.json_schema", field);
        JsonNode schema = Check.object(field + ".schema", format.schema());
        chat.putObject("response_format")
                .put("type", "json_schema")
                .putObject("json_schema")
                .put("name", "answer")
                .set("schema", schema);
    }
}
