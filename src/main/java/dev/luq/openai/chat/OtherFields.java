package dev.luq.openai.chat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.luq.openai.generation.FieldRules;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** Fields of OpenAI, llama-server and vLLM that would change the answer and that this server has not. */
final class OtherFields {

    static final FieldRules RULES = new FieldRules();

    static {
        RULES.number("typical_p", 1);
        RULES.number("tfs_z", 1);
        RULES.number("top_a", 0);
        RULES.number("mirostat", 0);
        RULES.number("dry_multiplier", 0);
        RULES.number("xtc_probability", 0);
        RULES.number("dynatemp_range", 0);
        RULES.number("min_keep", 0);
        RULES.number("n_indent", 0);
        RULES.upTo("top_n_sigma", 0);
        RULES.upTo("adaptive_target", 0);
        RULES.upTo("t_max_predict_ms", 0);
        RULES.rule("samplers", OtherFields::isOwnOrder, "The order is penalties, top_k, top_p, min_p, temperature");
        RULES.empty("lora");
        RULES.empty("response_fields");
        RULES.flag("grammar_lazy", false);
        RULES.flag("post_sampling_probs", false);
        RULES.flag("parse_tool_calls", true);
        RULES.empty("generation_prompt");
        RULES.number("reasoning_budget_tokens", -1);
        RULES.number("thinking_budget_tokens", -1);
        RULES.empty("thinking_token_budget");
        RULES.empty("chat_template", "The model's own template is used");
        RULES.empty("documents", "Put them into a message");

        RULES.number("repetition_penalty", 1, "Send repeat_penalty");
        RULES.number("length_penalty", 1);
        RULES.number("best_of", 1);
        RULES.flag("use_beam_search", false);
        RULES.number("min_tokens", 0);
        RULES.empty("stop_token_ids", "Send their texts as stop");
        RULES.flag("include_stop_str_in_output", false);
        RULES.empty("bad_words", "Send logit_bias");
        RULES.empty("allowed_token_ids", "Send logit_bias");
        RULES.flag("skip_special_tokens", true);
        RULES.flag("spaces_between_special_tokens", true);
        RULES.flag("add_special_tokens", false);
        RULES.flag("return_tokens_as_token_ids", false);
        RULES.flag("echo", false);
        RULES.empty("truncate_prompt_tokens", "Shorten the messages");
        RULES.empty("prompt_logprobs");
        RULES.empty("logits_processors");
        RULES.empty("mm_processor_kwargs", "Send detail with each image");
        for (String guided : List.of("guided_json", "guided_regex", "guided_choice", "guided_grammar")) {
            RULES.empty(guided, "Send response_format or grammar");
        }
        RULES.empty("structured_outputs", "Send response_format or grammar");

        RULES.empty("functions", "It is the old name of tools: send tools");
        RULES.rule(
                "function_call",
                value -> Set.of("none", "auto").contains(value.asText()),
                "It is the old name of tool_choice: send tools and tool_choice");
        RULES.rule(
                "modalities",
                value -> value.size() == 1 && value.path(0).asText().equals("text"),
                "Answers are text");
        RULES.empty("audio", "Answers are text");
        RULES.empty("web_search_options");
    }

    private OtherFields() {}

    /** The samplers that this server has come in its order, and all of them; others are off by other fields. */
    private static boolean isOwnOrder(JsonNode value) {
        List<String> known = new ArrayList<>(List.of("penalties", "top_k", "top_p", "min_p", "temperature"));
        List<String> own = new ArrayList<>();
        value.forEach(name -> own.add(name.asText()));
        own.removeAll(List.of("dry", "top_n_sigma", "typ_p", "typical_p", "xtc"));
        return value.isArray() && (own.isEmpty() || own.equals(known));
    }
}
