package dev.luq.openai.chat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.luq.http.errors.ApiException.InvalidRequest;
import dev.luq.openai.generation.Check;
import dev.luq.protocol.ModelDefaults;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * Whether a model thinks before it answers, whether its thoughts are told from the answer, and further variables that a
 * request gives to the chat template.
 */
final class Thinking {

    /** Characters of their JSON. */
    private static final int LONGEST = 64 * 1024;

    private static final Pattern NAME = Pattern.compile("[A-Za-z_][A-Za-z0-9_]{0,63}");

    /** What the server gives to the template itself. */
    private static final Set<String> OWN =
            Set.of("messages", "tools", "bos_token", "eos_token", "add_generation_prompt");

    private static final Set<String> EFFORTS = Set.of("none", "minimal", "low", "medium", "high", "xhigh", "max");
    private static final Set<String> FORMATS = Set.of("none", "auto", "deepseek");
    private static final String FORMAT = "reasoning_format";
    private static final String KWARGS = "chat_template_kwargs";
    private static final String THINKING = "enable_thinking";
    private static final String EFFORT = "reasoning_effort";

    private Thinking() {}

    /**
     * Puts all of it where the worker takes them; nothing where neither the request nor the model's defaults say anything.
     *
     * @throws InvalidRequest naming the field at fault
     */
    static void put(ObjectNode chat, ChatRequest request, ModelDefaults defaults) {
        ObjectNode variables = variables(request.chatTemplateKwargs());
        Boolean thinking = agreed(request.enableThinking(), flag(variables));
        String effort = request.reasoningEffort();
        if (effort != null) {
            if (!EFFORTS.contains(effort)) {
                throw new InvalidRequest(EFFORT, EFFORT + " must be none, minimal, low, medium, high, xhigh or max");
            }
            thinking = agreed(thinking, effort.equals("none") ? Boolean.FALSE : thinking);
            variables.remove(EFFORT);
            if (!effort.equals("none")) {
                variables.put(EFFORT, effort);
            }
        }
        if (thinking == null) {
            thinking = defaults.enableThinking();
        }
        if (thinking != null) {
            chat.put(THINKING, thinking);
            variables.remove(THINKING);
        }
        if (!variables.isEmpty()) {
            chat.set(KWARGS, variables);
        }
        putFormat(chat, request.reasoningFormat());
    }

    /**
     * For prompts that no chat template made.
     *
     * @throws InvalidRequest naming the field that has a meaning in a template alone
     */
    static void requireNone(ChatRequest request) {
        if (!variables(request.chatTemplateKwargs()).isEmpty()) {
            throw new InvalidRequest(KWARGS, KWARGS + " is not supported here: no chat template is used. Leave it out");
        }
        String format = request.reasoningFormat();
        if (format != null && !format.equals("none") && !format.equals("auto")) {
            throw new InvalidRequest(FORMAT, FORMAT + " must be none here: no chat template is used");
        }
    }

    /** llama-server's deepseek-legacy, thoughts in both places, is not there. */
    private static void putFormat(ObjectNode chat, String format) {
        if (format != null && !FORMATS.contains(format)) {
            throw new InvalidRequest(FORMAT, FORMAT + " must be none, auto or deepseek");
        }
        if (format != null && !format.equals("none")) {
            chat.put(FORMAT, format);
        }
    }

    /** A copy without those that are null. */
    private static ObjectNode variables(JsonNode given) {
        ObjectNode variables = JsonNodeFactory.instance.objectNode();
        if (Check.isNull(given)) {
            return variables;
        }
        if (Check.object(KWARGS, given).toString().length() > LONGEST) {
            throw new InvalidRequest(KWARGS, KWARGS + " must have at most " + LONGEST + " characters");
        }
        given.properties().forEach(variable -> {
            String name = variable.getKey();
            if (OWN.contains(name)) {
                throw new InvalidRequest(
                        KWARGS + "." + name, KWARGS + "." + name + " is what the server gives to the template itself");
            }
            if (!NAME.matcher(name).matches()) {
                throw new InvalidRequest(
                        KWARGS,
                        "The names in " + KWARGS + " must have 1 to 64 letters, digits or underscores, and begin with"
                                + " no digit");
            }
            if (!variable.getValue().isNull()) {
                variables.set(name, variable.getValue());
            }
        });
        return variables;
    }

    private static Boolean flag(ObjectNode variables) {
        JsonNode value = variables.get(THINKING);
        if (value != null && !value.isBoolean()) {
            String field = KWARGS + "." + THINKING;
            throw new InvalidRequest(field, field + " must be true or false");
        }
        return value == null ? null : value.booleanValue();
    }

    /** What both say; one that is null says nothing. */
    private static Boolean agreed(Boolean one, Boolean other) {
        if (one != null && other != null && !one.equals(other)) {
            throw new InvalidRequest(
                    THINKING,
                    THINKING + ", that of " + KWARGS + " and " + EFFORT
                            + " none say different things: send one of them");
        }
        return one == null ? other : one;
    }
}
