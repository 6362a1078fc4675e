package dev.luq.openai.chat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.NullNode;
import dev.luq.http.errors.ApiException.InvalidRequest;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;

/**
 * Fields of OpenAI, llama-server and vLLM that would change the answer and that this server has not: each is accepted
 * with the value that changes nothing, and refused by name otherwise. Fields that are not here are ignored.
 */
final class OtherFields {

    /**
     * @param neutral which values change nothing
     * @param advice what to do instead of another one
     */
    private record Rule(Predicate<JsonNode> neutral, String advice) {}

    private static final Map<String, Rule> RULES = new LinkedHashMap<>();

    private static final String LEAVE_OUT = "Leave it out";

    static {
        number("typical_p", 1);
        number("tfs_z", 1);
        number("top_a", 0);
        number("mirostat", 0);
        number("dry_multiplier", 0);
        number("xtc_probability", 0);
        number("dynatemp_range", 0);
        number("min_keep", 0);
        number("n_indent", 0);
        upTo("top_n_sigma", 0);
        upTo("adaptive_target", 0);
        upTo("t_max_predict_ms", 0);
        rule("samplers", OtherFields::isOwnOrder, "The order is penalties, top_k, top_p, min_p, temperature");
        empty("lora", LEAVE_OUT);
        empty("response_fields", LEAVE_OUT);
        flag("grammar_lazy", false);
        flag("post_sampling_probs", false);
        flag("parse_tool_calls", true);
        empty("generation_prompt", LEAVE_OUT);
        number("reasoning_budget_tokens", -1);
        number("thinking_budget_tokens", -1);
        empty("thinking_token_budget", LEAVE_OUT);
        empty("chat_template", "The model's own template is used");
        empty("documents", "Put them into a message");

        number("repetition_penalty", 1, "Send repeat_penalty");
        number("length_penalty", 1);
        number("best_of", 1);
        flag("use_beam_search", false);
        number("min_tokens", 0);
        empty("stop_token_ids", "Send their texts as stop");
        flag("include_stop_str_in_output", false);
        empty("bad_words", "Send logit_bias");
        empty("allowed_token_ids", "Send logit_bias");
        flag("skip_special_tokens", true);
        flag("spaces_between_special_tokens", true);
        flag("add_special_tokens", false);
        flag("return_tokens_as_token_ids", false);
        flag("echo", false);
        empty("truncate_prompt_tokens", "Shorten the messages");
        empty("prompt_logprobs", LEAVE_OUT);
        empty("logits_processors", LEAVE_OUT);
        empty("mm_processor_kwargs", "Send detail with each image");
        for (String guided : List.of("guided_json", "guided_regex", "guided_choice", "guided_grammar")) {
            empty(guided, "Send response_format or grammar");
        }
        empty("structured_outputs", "Send response_format or grammar");

        empty("functions", "It is the old name of tools: send tools");
        rule(
                "function_call",
                value -> Set.of("none", "auto").contains(value.asText()),
                "It is the old name of tool_choice: send tools and tool_choice");
        rule("modalities", value -> value.size() == 1 && value.path(0).asText().equals("text"), "Answers are text");
        empty("audio", "Answers are text");
        empty("web_search_options", LEAVE_OUT);
    }

    private OtherFields() {}

    private static void rule(String field, Predicate<JsonNode> neutral, String advice) {
        RULES.put(field, new Rule(neutral, advice));
    }

    private static void number(String field, double neutral) {
        number(field, neutral, LEAVE_OUT);
    }

    private static void number(String field, double neutral, String advice) {
        rule(field, value -> value.isNumber() && value.doubleValue() == neutral, advice);
    }

    private static void upTo(String field, double most) {
        rule(field, value -> value.isNumber() && value.doubleValue() <= most, LEAVE_OUT);
    }

    private static void flag(String field, boolean neutral) {
        rule(field, value -> value.isBoolean() && value.booleanValue() == neutral, LEAVE_OUT);
    }

    private static void empty(String field, String advice) {
        rule(
                field,
                value -> value.isTextual() ? value.textValue().isEmpty() : value.isContainerNode() && value.isEmpty(),
                advice);
    }

    /** The samplers that this server has come in its order, and all of them; others are off by other fields. */
    private static boolean isOwnOrder(JsonNode value) {
        List<String> known = new ArrayList<>(List.of("penalties", "top_k", "top_p", "min_p", "temperature"));
        List<String> own = new ArrayList<>();
        value.forEach(name -> own.add(name.asText()));
        own.removeAll(List.of("dry", "top_n_sigma", "typ_p", "typical_p", "xtc"));
        return value.isArray() && (own.isEmpty() || own.equals(known));
    }

    /** Those that are looked at, of a request's fields that have no other place; the rest goes, whatever its size. */
    static Map<String, JsonNode> known(Map<String, JsonNode> fields) {
        Map<String, JsonNode> known = new HashMap<>();
        if (fields != null) {
            fields.forEach((name, value) -> {
                if (RULES.containsKey(name)) {
                    known.put(name, value == null ? NullNode.instance : value);
                }
            });
        }
        return Collections.unmodifiableMap(known);
    }

    /** @throws InvalidRequest naming a field that asks for something */
    static void check(Map<String, JsonNode> fields) {
        RULES.forEach((name, rule) -> {
            JsonNode value = fields.get(name);
            if (value != null && !value.isNull() && !rule.neutral().test(value)) {
                throw new InvalidRequest(name, name + " is not supported. " + rule.advice());
            }
        });
    }
}
