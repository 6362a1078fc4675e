package dev.luq.openai.llamaserver;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.luq.catalog.KeepAlive;
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
import dev.luq.protocol.ModelDefaults;
import dev.luq.protocol.PromptInput;
import dev.luq.protocol.Sampling;
import dev.luq.protocol.WorkerFrame.ModelInfo;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.UnaryOperator;
import java.util.regex.Pattern;

/** A completion request in llama-server's form and its answer. */
final class NativeExchange implements Exchange {

    private static final int MOST_PROBABILITIES = 20;
    /** A result has two dozen fields. */
    private static final int MOST_RESPONSE_FIELDS = 64;

    /** Fields that mean something else in a chat request, or nothing. */
    private static final Set<String> OWN = Set.of(
            "prompt",
            "messages",
            "tools",
            "tool_choice",
            "response_format",
            "logit_bias",
            "logprobs",
            "top_logprobs",
            "n_probs",
            "response_fields");

    private static final Pattern DIGITS = Pattern.compile("\\d+");

    private final ObjectNode body;
    private final NativeRequest request;
    /** Of the model, once the request was valid. */
    private List<Integer> endTokens = List.of();

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
    public boolean stream() {
        return Check.flag(request.stream(), false);
    }

    @Override
    public Optional<KeepAlive> keepAlive() {
        return Check.keepAlive("keep_alive", request.keepAlive());
    }

    @Override
    public ValidRequest validate(ModelInfo model) {
        endTokens = model.props().endTokens();
        PromptInput.Constraint constraint = Constraints.of(body);
        List<Prompt.Raw> prompts = RawPrompts.several("prompt", request.prompt(), constraint, model);
        return ChatValidation.of(prompts.get(0), settings(model.defaults()), model)
                .with(prompts);
    }

    private ChatRequest settings(ModelDefaults defaults) {
        Sampling sampling = NativeSettings.sampling(defaults);
        ObjectNode settings = JsonNodeFactory.instance
                .objectNode()
                .put("temperature", sampling.temperature())
                .put("top_k", sampling.topK())
                .put("top_p", sampling.topP())
                .put("min_p", sampling.minP());
        body.properties().forEach(field -> {
            if (!OWN.contains(field.getKey()) && !Check.isNull(field.getValue())) {
                settings.set(field.getKey(), field.getValue());
            }
        });
        if (settings.path("seed").asText().equals(Long.toString(NativeSettings.DRAWN_SEED))) {
            settings.put("seed", -1);
        }
        if (settings.path("top_k").isIntegralNumber() && settings.path("top_k").intValue() < 0) {
            settings.put("top_k", 0);
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
        return Check.flag(request.returnTokens(), false) || stream();
    }

    /**
     * {@code [[token, bias], ...]}, as llama-server has them, or an object as OpenAI has. A token is an id or a text, of
     * whose tokens each is meant; false is a bias of -100.
     */
    private static JsonNode biases(JsonNode value) {
        ObjectNode biases = JsonNodeFactory.instance.objectNode();
        if (value.isObject()) {
            value.properties().forEach(field -> biases.set(field.getKey(), bias(field.getValue())));
            return biases;
        }
        if (!value.isArray()) {
            throw new InvalidRequest("logit_bias", "logit_bias must be an array of pairs or an object");
        }
        for (int i = 0; i < value.size(); i++) {
            JsonNode pair = value.get(i);
            JsonNode token = pair.path(0);
            // A text of digits would be an id as a key of an object.
            boolean known = token.isTextual()
                    ? !DIGITS.matcher(token.textValue()).matches()
                    : token.isInt() && token.intValue() >= 0;
            String field = "logit_bias[" + i + "]";
            if (!pair.isArray() || pair.size() != 2 || !known) {
                throw new InvalidRequest(
                        field, field + " must be a pair of a token's id, or a text that is no number, and its bias");
            }
            biases.set(token.asText(), bias(pair.get(1)));
        }
        return biases;
    }

    private static JsonNode bias(JsonNode value) {
        return value.isBoolean() && !value.booleanValue() ? JsonNodeFactory.instance.numberNode(-100) : value;
    }

    @Override
    public UnaryOperator<String> fields() {
        return name -> switch (name) {
            case "messages" -> "prompt";
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
        return new NativeEvents(results(header, valid), valid, probabilities() > 0);
    }

    @Override
    public AnswerBuilder answer(CompletionHeader header, ValidRequest valid) {
        return results(header, valid);
    }

    private NativeResults results(CompletionHeader header, ValidRequest valid) {
        return new NativeResults(header, valid, endTokens, probabilities(), wantsTokens(), responseFields());
    }

    private List<String> responseFields() {
        List<String> fields = Objects.requireNonNullElse(request.responseFields(), List.of());
        if (fields.size() > MOST_RESPONSE_FIELDS) {
            throw new InvalidRequest(
                    "response_fields", "response_fields must have at most " + MOST_RESPONSE_FIELDS + " paths");
        }
        return fields;
    }
}
