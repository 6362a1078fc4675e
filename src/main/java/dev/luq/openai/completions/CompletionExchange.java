package dev.luq.openai.completions;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.luq.catalog.KeepAlive;
import dev.luq.http.errors.ApiException.InvalidRequest;
import dev.luq.http.intake.JsonBody;
import dev.luq.openai.chat.ChatRequest;
import dev.luq.openai.chat.ChatValidation;
import dev.luq.openai.chat.Constraints;
import dev.luq.openai.generation.Addressed;
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
import dev.luq.protocol.PromptInput.Piece;
import dev.luq.protocol.WorkerFrame.ModelInfo;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.IntFunction;
import java.util.function.UnaryOperator;

/** A completion request and the completion that answers it. */
final class CompletionExchange implements Exchange {

    private static final int MOST_LOGPROBS = 5;
    private static final int MAX_TOKENS = 16;
    /** Fields that mean something else in a chat request, or nothing. */
    private static final Set<String> OWN = Set.of(
            "prompt",
            "messages",
            "tools",
            "tool_choice",
            "response_format",
            "logprobs",
            "top_logprobs",
            "echo",
            "best_of");

    private final CompletionRequest request;
    private final ObjectNode body;
    /** Texts that the answers begin with; null where they do not. */
    private List<String> echoed;

    /** @param body whose values are not checked */
    CompletionExchange(ObjectNode body) {
        this.body = body;
        this.request = JsonBody.as(body, CompletionRequest.class);
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
        if (request.suffix() != null && !request.suffix().isEmpty()) {
            throw new InvalidRequest("suffix", "suffix is not supported: text is only added after a prompt");
        }
        PromptInput.Constraint constraint = Constraints.of(body);
        List<Prompt.Raw> prompts = RawPrompts.several("prompt", request.prompt(), constraint, model);
        ValidRequest valid = ChatValidation.of(prompts.get(0), settings(model.defaults()), model)
                .with(prompts);
        int n = valid.choicesPerPrompt();
        if (request.bestOf() != null && Check.integer("best_of", request.bestOf(), 1, Integer.MAX_VALUE, n) != n) {
            throw new InvalidRequest("best_of", "best_of must be equal to n: all choices are returned");
        }
        if (Check.flag(request.echo(), false)) {
            echoed = echoed(prompts, valid.logprobs());
        }
        return valid;
    }

    private ChatRequest settings(ModelDefaults defaults) {
        ObjectNode settings = JsonNodeFactory.instance.objectNode();
        settings.setAll(body);
        settings.remove(OWN);
        if (request.maxTokens() == null && Check.isNull(body.get("n_predict")) && defaults.maxTokens() == null) {
            settings.put("max_tokens", MAX_TOKENS);
        }
        if (request.logprobs() != null) {
            settings.put("logprobs", true);
            settings.put("top_logprobs", Check.integer("logprobs", request.logprobs(), 0, MOST_LOGPROBS, 0));
        }
        return JsonBody.as(settings, ChatRequest.class);
    }

    private static List<String> echoed(List<Prompt.Raw> prompts, boolean logprobs) {
        if (logprobs) {
            throw new InvalidRequest("echo", "echo cannot be combined with logprobs: prompts have none");
        }
        List<String> texts = new ArrayList<>();
        for (Prompt.Raw prompt : prompts) {
            StringBuilder text = new StringBuilder();
            for (Piece piece : prompt.input().pieces()) {
                if (!(piece instanceof Piece.Text part)) {
                    throw new InvalidRequest("echo", "echo needs prompts that are strings");
                }
                text.append(part.text());
            }
            texts.add(text.toString());
        }
        return texts;
    }

    @Override
    public UnaryOperator<String> fields() {
        return Addressed.inputIn("prompt");
    }

    @Override
    public String idPrefix() {
        return "cmpl-";
    }

    @Override
    public AnswerEvents events(CompletionHeader header, ValidRequest valid) {
        return new CompletionChunks(header, valid, echo());
    }

    @Override
    public AnswerBuilder answer(CompletionHeader header, ValidRequest valid) {
        return new Completion.Builder(header, valid, echo());
    }

    /** What the choices of a prompt begin with. */
    private IntFunction<String> echo() {
        List<String> texts = echoed;
        return prompt -> texts == null ? "" : texts.get(prompt);
    }
}
