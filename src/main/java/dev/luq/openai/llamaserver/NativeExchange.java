package dev.luq.openai.llamaserver;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.luq.http.errors.ApiException.InvalidRequest;
import dev.luq.http.intake.JsonBody;
import dev.luq.openai.chat.ChatRequest;
import dev.luq.openai.chat.ChatValidation;
import dev.luq.openai.chat.Constraints;
import dev.luq.openai.generation.AnswerBuilder;
import dev.luq.openai.generation.AnswerEvents;
import dev.luq.openai.generation.Check;
import dev.luq.openai.generation.CompletionHeader;
import dev.luq.openai.generation.Exchange;
import dev.luq.openai.generation.Prompt;
import dev.luq.openai.generation.RawPrompts;
import dev.luq.openai.generation.ValidRequest;
import dev.luq.protocol.PromptInput;
import dev.luq.protocol.WorkerFrame.ModelInfo;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** A completion request in llama-server's form and its answer. */
final class NativeExchange implements Exchange {

    private static final int MOST_PROMPTS = 256;
    private static final int MOST_PROBABILITIES = 20;

    /** Fields that mean the same in a chat request. */
    private static final Set<String> SHARED = Set.of(
            "temperature",
            "top_k",
            "top_p",
            "min_p",
            "repeat_penalty",
            "presence_penalty",
            "frequency_penalty",
            "seed",
            "stop",
            "stream",
            "cache_prompt",
            "cache_salt",
            "ignore_eos");

    /** Fields that change the answer and are not there, with the values that leave it as it is. */
    private static final Map<String, Set<String>> NOT_THERE = Map.ofEntries(
            Map.entry("dynatemp_range", Set.of("0", "0.0")),
            Map.entry("typical_p", Set.of("1", "1.0")),
            Map.entry("xtc_probability", Set.of("0", "0.0")),
            Map.entry("top_n_sigma", Set.of("-1", "-1.0")),
            Map.entry("dry_multiplier", Set.of("0", "0.0")),
            Map.entry("mirostat", Set.of("0")),
            Map.entry("adaptive_target", Set.of("-1", "-1.0")),
            Map.entry("repeat_last_n", Set.of("64")),
            Map.entry("n_indent", Set.of("0")),
            Map.entry("t_max_predict_ms", Set.of("0", "-1")),
            Map.entry("min_keep", Set.of("0")),
            Map.entry("lora", Set.of("[]")),
            Map.entry("samplers", Set.of()),
            Map.entry("post_sampling_probs", Set.of("false")));

    private final ObjectNode body;
    private final NativeRequest request;

    /** @param body whose values are not checked */
    NativeExchange(ObjectNode body) {
        this.body = body;
        this.request = JsonBody.as(body, NativeRequest.class);
    }

    @Override
    public String model() {
        return request.model();
    }

    @Override
    public ValidRequest validate(ModelInfo model) {
        NOT_THERE.forEach(this::refuse);
        PromptInput.Constraint constraint = Constraints.of(body);
        List<Prompt.Raw> prompts = RawPrompts.several("prompt", request.prompt(), MOST_PROMPTS, model).stream()
                .map(prompt -> new Prompt.Raw(
                        new PromptInput.Raw(prompt.input().pieces(), constraint), prompt.images()))
                .toList();
        return ChatValidation.of(prompts.get(0), settings(), model).with(prompts);
    }

    private void refuse(String field, Set<String> unchanging) {
        JsonNode value = body.get(field);
        if (!Check.isNull(value) && !unchanging.contains(value.toString())) {
            throw new InvalidRequest(field, field + " is not supported. Leave it out.");
        }
    }

    private ChatRequest settings() {
        ObjectNode settings = JsonNodeFactory.instance
                .objectNode()
                .put("temperature", NativeSettings.TEMPERATURE)
                .put("top_k", NativeSettings.TOP_K)
                .put("top_p", NativeSettings.TOP_P)
                .put("min_p", NativeSettings.MIN_P);
        for (String field : SHARED) {
            if (!Check.isNull(body.get(field))) {
                settings.set(field, body.get(field));
            }
        }
        if (settings.path("seed").asText().equals("-1")) {
            settings.remove("seed");
        }
        if (settings.path("top_k").isIntegralNumber() && settings.path("top_k").intValue() < 0) {
            settings.put("top_k", 0);
        }
        if (settings.path("stop").isArray() && settings.path("stop").isEmpty()) {
            settings.remove("stop");
        }
        long most = Check.integer("n_predict", request.predict(), -1, Integer.MAX_VALUE, -1);
        if (most == 0) {
            throw new InvalidRequest("n_predict", "n_predict must be -1 or 1 or more");
        }
        if (most > 0) {
            settings.put("max_tokens", most);
        }
        if (probabilities() > 0 || wantsTokens()) {
            settings.put("logprobs", true);
            settings.put("top_logprobs", probabilities());
        }
        if (!Check.isNull(body.get("logit_bias"))) {
            settings.set("logit_bias", biases(body.get("logit_bias")));
        }
        return JsonBody.as(settings, ChatRequest.class);
    }

    private int probabilities() {
        return (int) Check.integer("n_probs", request.probabilities(), 0, MOST_PROBABILITIES, 0);
    }

    /** Streams of llama-server always have them. */
    private boolean wantsTokens() {
        return Check.flag(request.returnTokens(), false)
                || body.path("stream").asBoolean();
    }

    /** {@code [[token, bias], ...]}, as llama-server has them, or an object as OpenAI has; false is a bias of -100. */
    private static JsonNode biases(JsonNode value) {
        if (value.isObject()) {
            return value;
        }
        if (!value.isArray()) {
            throw new InvalidRequest("logit_bias", "logit_bias must be an array of pairs or an object");
        }
        ObjectNode biases = JsonNodeFactory.instance.objectNode();
        for (int i = 0; i < value.size(); i++) {
            JsonNode pair = value.get(i);
            String field = "logit_bias[" + i + "]";
            if (!pair.isArray() || pair.size() != 2 || !pair.get(0).isIntegralNumber()) {
                throw new InvalidRequest(field, field + " must be a pair of a token's id and its bias");
            }
            boolean never = pair.get(1).isBoolean() && !pair.get(1).booleanValue();
            biases.set(
                    pair.get(0).asText(), never ? JsonNodeFactory.instance.numberNode(-100) : pair.get(1));
        }
        return biases;
    }

    @Override
    public String field(String name) {
        return switch (name) {
            case "messages" -> "prompt";
            case "max_tokens" -> "n_predict";
            case "top_logprobs" -> "n_probs";
            default -> name;
        };
    }

    @Override
    public String idPrefix() {
        return "cmpl-";
    }

    @Override
    public AnswerEvents events(CompletionHeader header, ValidRequest valid) {
        return new NativeEvents(results(header, valid), valid.choices(), probabilities() > 0);
    }

    @Override
    public AnswerBuilder answer(CompletionHeader header, ValidRequest valid) {
        return results(header, valid);
    }

    private NativeResults results(CompletionHeader header, ValidRequest valid) {
        return new NativeResults(
                header,
                valid,
                probabilities(),
                wantsTokens(),
                request.responseFields() == null ? List.of() : request.responseFields());
    }
}
