package dev.luq.openai.responses;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import dev.luq.http.errors.ApiException.InvalidRequest;
import dev.luq.openai.chat.ChatRequest;
import dev.luq.openai.generation.Check;
import dev.luq.openai.generation.FieldNames;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;

/** Makes a chat request of a request for a response, and refuses what has no place in one. */
final class ChatTranslation {

    private static final String LOGPROBS = "message.output_text.logprobs";
    /** Of these only {@link #LOGPROBS} is there; the others belong to items that no answer here has. */
    private static final Set<String> INCLUDABLE = Set.of(
            LOGPROBS,
            "code_interpreter_call.outputs",
            "computer_call_output.output.image_url",
            "file_search_call.results",
            "message.input_image.image_url",
            "reasoning.encrypted_content",
            "web_search_call.action.sources",
            "web_search_call.results");

    private static final int MOST_METADATA = 16;
    private static final int LONGEST_METADATA_KEY = 64;
    private static final int LONGEST_METADATA_VALUE = 512;

    private static final String ELSEWHERE = "send it to /v1/chat/completions";

    /** Fields of other endpoints that would change the answer, and what to send in their place. */
    private static final Map<String, String> OF_CHATS = Map.ofEntries(
            Map.entry("n", "send several requests"),
            Map.entry("max_tool_calls", "calls are made by the client, which counts them"),
            Map.entry("max_tokens", "send max_output_tokens"),
            Map.entry("max_completion_tokens", "send max_output_tokens"),
            Map.entry("n_predict", "send max_output_tokens"),
            Map.entry("repeat_last_n", ELSEWHERE),
            Map.entry("n_probs", "send top_logprobs"),
            Map.entry("response_format", "send text.format"),
            Map.entry("grammar", "send text.format"),
            Map.entry("json_schema", "send text.format"),
            Map.entry("ignore_eos", ELSEWHERE),
            Map.entry("continue_final_message", ELSEWHERE),
            Map.entry("add_generation_prompt", ELSEWHERE),
            Map.entry("reasoning_format", ELSEWHERE));

    private final ResponseRequest request;
    private final FieldNames names;

    private ChatTranslation(ResponseRequest request, FieldNames names) {
        this.request = request;
        this.names = names;
    }

    /**
     * @param names learns where the fields of the chat request come from
     * @throws dev.luq.http.errors.ApiException naming the field at fault, as the client knows it
     */
    static ChatRequest of(ResponseRequest request, FieldNames names) {
        return new ChatTranslation(request, names).chat();
    }

    private ChatRequest chat() {
        refuseState();
        checkMetadata();
        names.put("max_completion_tokens", "max_output_tokens");
        names.put("reasoning_effort", "reasoning.effort");
        List<ChatRequest.Tool> tools = tools();
        boolean logprobs = logprobs();
        return new ChatRequest(
                request.model(),
                InputTranslation.messages(request.instructions(), request.input(), names),
                request.temperature(),
                request.topP(),
                request.topK(),
                request.minP(),
                request.frequencyPenalty(),
                request.presencePenalty(),
                request.repeatPenalty(),
                request.seed(),
                request.logitBias(),
                null,
                request.maxOutputTokens(),
                null,
                request.stop(),
                logprobs,
                logprobs ? request.topLogprobs() : null,
                format(),
                tools,
                choice(request.toolChoice()),
                request.parallelToolCalls(),
                request.stream(),
                null,
                request.cachePrompt(),
                request.cacheSalt(),
                null,
                request.timingsPerToken(),
                request.returnProgress(),
                null,
                null,
                null,
                null,
                null,
                null,
                null,
                null,
                true,
                request.chatTemplateKwargs(),
                request.enableThinking(),
                request.reasoning() == null ? null : request.reasoning().effort(),
                null,
                null,
                others());
    }

    private void refuseState() {
        refuse("previous_response_id", request.previousResponse(), "send the conversation so far as items of input");
        refuse("conversation", request.conversation(), "send the conversation so far as items of input");
        refuse("prompt", request.prompt(), "send its text as instructions and input");
        if (Check.flag(request.background(), false)) {
            throw new InvalidRequest(
                    "background",
                    "background must be false: this server keeps no responses to come back for. Send stream: true");
        }
        if (request.truncation() != null && !request.truncation().equals("disabled")) {
            throw new InvalidRequest(
                    "truncation", "truncation must be disabled: this server leaves out nothing of a conversation");
        }
        if (!Check.isNull(request.contextManagement())) {
            throw new InvalidRequest(
                    "context_management",
                    "context_management is not supported: shorten the conversation in the client");
        }
        if (!Check.isNull(request.moderation())) {
            throw new InvalidRequest("moderation", "moderation is not supported: this server moderates nothing");
        }
    }

    /** What of the other fields means something to a chat, or would have changed its answer. */
    private Map<String, JsonNode> others() {
        Map<String, JsonNode> others = Objects.requireNonNullElse(request.others(), Map.of());
        OF_CHATS.forEach((field, advice) -> {
            if (!Check.isNull(others.get(field))) {
                throw new InvalidRequest(field, field + " is not a field of responses: " + advice);
            }
        });
        return others;
    }

    private static void refuse(String field, JsonNode value, String instead) {
        if (!Check.isNull(value)) {
            throw new InvalidRequest(field, field + " refers to what this server does not keep: " + instead);
        }
    }

    private void checkMetadata() {
        Map<String, String> metadata = request.metadata();
        if (metadata == null) {
            return;
        }
        boolean fits = metadata.size() <= MOST_METADATA
                && metadata.entrySet().stream()
                        .allMatch(entry -> entry.getKey().length() <= LONGEST_METADATA_KEY
                                && entry.getValue() != null
                                && entry.getValue().length() <= LONGEST_METADATA_VALUE);
        if (!fits) {
            throw new InvalidRequest(
                    "metadata",
                    "metadata must have at most " + MOST_METADATA + " keys of up to " + LONGEST_METADATA_KEY
                            + " characters with strings of up to " + LONGEST_METADATA_VALUE);
        }
    }

    private boolean logprobs() {
        List<String> include = request.include() == null ? List.of() : request.include();
        for (int i = 0; i < include.size(); i++) {
            String field = "include[" + i + "]";
            if (!INCLUDABLE.contains(Check.present(field, include.get(i)))) {
                throw new InvalidRequest(field, field + " is not known; " + LOGPROBS + " is");
            }
        }
        return include.contains(LOGPROBS)
                || request.topLogprobs() != null && request.topLogprobs().signum() != 0;
    }

    /** {@code {"type", "name", "schema", ...}} becomes {@code {"type", "json_schema": {"name", "schema", ...}}}. */
    private JsonNode format() {
        if (Check.isNull(request.text())
                || Check.isNull(Check.object("text", request.text()).get("format"))) {
            return null;
        }
        names.put("response_format", "text.format");
        names.put("response_format.json_schema", "text.format");
        JsonNode format = Check.object("text.format", request.text().get("format"));
        ObjectNode translated = JsonNodeFactory.instance.objectNode();
        translated.set("type", format.get("type"));
        translated.set("json_schema", format);
        return translated;
    }

    private List<ChatRequest.Tool> tools() {
        List<ResponseRequest.Tool> all = Objects.requireNonNullElse(request.tools(), List.of());
        Map<String, String> allowed = allowed();
        List<ChatRequest.Tool> tools = new ArrayList<>();
        for (int i = 0; i < all.size(); i++) {
            String field = "tools[" + i + "]";
            ResponseRequest.Tool tool = Check.present(field, all.get(i));
            if (!"function".equals(tool.type())) {
                throw new InvalidRequest(
                        field + ".type", field + ".type must be function: this server has no tools of its own");
            }
            if (allowed == null || allowed.remove(tool.name()) != null) {
                names.put("tools[" + tools.size() + "]", field);
                names.put("tools[" + tools.size() + "].function", field);
                tools.add(new ChatRequest.Tool(
                        "function",
                        new ChatRequest.Function(tool.name(), tool.description(), tool.parameters(), tool.strict())));
            }
        }
        if (allowed != null && !allowed.isEmpty()) {
            String unknown = allowed.values().iterator().next();
            throw new InvalidRequest(unknown, unknown + " names no tool of this request");
        }
        return tools;
    }

    /** @return to each name of a tool that may be called the field that names it; null for all tools */
    private Map<String, String> allowed() {
        JsonNode choice = request.toolChoice();
        if (!isAllowedTools(choice)) {
            return null;
        }
        String field = "tool_choice.tools";
        JsonNode tools = choice.get("tools");
        if (Check.isNull(tools) || !tools.isArray()) {
            throw new InvalidRequest(field, field + " must be an array of functions");
        }
        Map<String, String> allowed = new LinkedHashMap<>();
        for (int i = 0; i < tools.size(); i++) {
            String tool = field + "[" + i + "]";
            allowed.put(
                    Check.text(tool + ".name", Check.object(tool, tools.get(i)).get("name")), tool + ".name");
        }
        return allowed;
    }

    private static boolean isAllowedTools(JsonNode choice) {
        return choice != null && choice.path("type").asText().equals("allowed_tools");
    }

    private JsonNode choice(JsonNode choice) {
        if (isAllowedTools(choice)) {
            String mode = Check.text("tool_choice.mode", choice.get("mode"));
            if (!mode.equals("auto") && !mode.equals("required")) {
                throw new InvalidRequest("tool_choice.mode", "tool_choice.mode must be auto or required");
            }
            names.put("tool_choice", "tool_choice.mode");
            return TextNode.valueOf(mode);
        }
        if (Check.isNull(choice) || !choice.isObject()) {
            return choice;
        }
        names.put("tool_choice.function", "tool_choice");
        ObjectNode translated = JsonNodeFactory.instance.objectNode();
        translated.set("type", choice.get("type"));
        translated.set("function", choice);
        return translated;
    }
}
