package dev.luq.openai.chat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.luq.http.errors.ApiException.ContextLengthExceeded;
import dev.luq.http.errors.ApiException.InvalidRequest;
import dev.luq.openai.chat.ChatRequest.StreamOptions;
import dev.luq.openai.generation.Check;
import dev.luq.openai.generation.Prompt;
import dev.luq.openai.generation.ValidRequest;
import dev.luq.protocol.ModelDefaults;
import dev.luq.protocol.Sampling;
import dev.luq.protocol.ServerFrame;
import dev.luq.protocol.WorkerFrame.ModelInfo;
import dev.luq.schema.SchemaCheck;
import java.math.BigDecimal;
import java.util.List;

/** Makes a {@link ValidRequest} of a chat request: ranges, defaults, and whether it fits its model. */
public final class ChatValidation {

    private static final int MOST_TOP_LOGPROBS = 20;
    private static final int LONGEST_SALT = 256;
    /** Tokens that penalties look at. */
    private static final int PENALTY_WINDOW = 64;

    private static final StreamOptions NO_OPTIONS = new StreamOptions(null, null);

    private ChatValidation() {}

    /**
     * @param model what the addressed model is
     * @throws dev.luq.http.errors.ApiException naming the field at fault
     */
    public static ValidRequest of(ChatRequest request, ModelInfo model) {
        return of(chat(request, model), request, model);
    }

    /**
     * For endpoints with a prompt of their own.
     *
     * @param settings a request without messages, tools and format
     * @param model what the addressed model is
     * @throws dev.luq.http.errors.ApiException naming the field at fault
     */
    public static ValidRequest of(Prompt prompt, ChatRequest settings, ModelInfo model) {
        StreamOptions options = settings.streamOptions() == null ? NO_OPTIONS : settings.streamOptions();
        OtherFields.RULES.check(settings.others());
        if (!(prompt instanceof Prompt.Chat)) {
            Thinking.requireNone(settings);
        }
        return new ValidRequest(
                List.of(prompt),
                (int) Check.integer("n", settings.n(), 1, model.slots(), 1),
                sampling(settings, model.defaults()),
                maxTokens(settings, model.defaults()),
                OutputRules.stops(settings.stop()),
                topLogprobs(settings),
                Check.flag(settings.cachePrompt(), true),
                cacheSalt(settings.cacheSalt()),
                Check.flag(settings.stream(), false),
                Check.flag(options.includeUsage(), false),
                Check.flag(options.continuousUsageStats(), false),
                Check.flag(settings.timings(), false),
                Check.flag(settings.timingsPerToken(), false),
                Check.flag(settings.returnProgress(), false));
    }

    private static Sampling sampling(ChatRequest request, ModelDefaults defaults) {
        float frequencyPenalty = Check.inRange("frequency_penalty", request.frequencyPenalty(), -2, 2, 0);
        float presencePenalty = Check.inRange("presence_penalty", request.presencePenalty(), -2, 2, 0);
        float repeatPenalty =
                Check.inRange("repeat_penalty", request.repeatPenalty(), 0.1, 10, or(defaults.repeatPenalty(), 1));
        boolean off = penaltiesOff(request, frequencyPenalty != 0 || presencePenalty != 0 || repeatPenalty != 1);
        return new Sampling(
                Check.inRange("temperature", request.temperature(), 0, 2, or(defaults.temperature(), 1)),
                Check.inRange("top_p", request.topP(), 0, 1, or(defaults.topP(), 1)),
                (int) Math.max(
                        0, Check.integer("top_k", request.topK(), -1, Integer.MAX_VALUE, or(defaults.topK(), 0))),
                Check.inRange("min_p", request.minP(), 0, 1, or(defaults.minP(), 0)),
                off ? 0 : frequencyPenalty,
                off ? 0 : presencePenalty,
                off ? 1 : repeatPenalty,
                seed(request.seed(), defaults),
                OutputRules.logitBias(request.logitBias()),
                OutputRules.textBias(request.logitBias()),
                Check.flag(request.ignoreEos(), false));
    }

    /** @return null for one that the worker draws; -1 asks for that, as of llama-server */
    private static Long seed(BigDecimal value, ModelDefaults defaults) {
        if (value == null) {
            return defaults.seed();
        }
        long seed = Check.integer("seed", value, Long.MIN_VALUE, Long.MAX_VALUE, 0);
        return seed == -1 ? null : (Long) seed;
    }

    private static double or(Double configured, double otherwise) {
        return configured == null ? otherwise : configured;
    }

    private static int or(Integer configured, int otherwise) {
        return configured == null ? otherwise : configured;
    }

    private static int maxTokens(ChatRequest request, ModelDefaults defaults) {
        int oldName = maxTokens(
                "max_tokens",
                request.maxTokens(),
                maxTokens("n_predict", request.nPredict(), or(defaults.maxTokens(), 0)));
        return maxTokens("max_completion_tokens", request.maxCompletionTokens(), oldName);
    }

    /** @return 0 for no limit, which is written as -1 */
    private static int maxTokens(String field, BigDecimal value, int absent) {
        if (value != null && value.signum() == 0) {
            throw new InvalidRequest(field, field + " must be 1 or more, or -1 for as many as the context holds");
        }
        return (int) Math.max(0, Check.integer(field, value, -1, Integer.MAX_VALUE, absent));
    }

    /** The penalties' window is what it is: other ones make no difference where no penalty is on. */
    private static boolean penaltiesOff(ChatRequest request, boolean on) {
        int window = (int) Check.integer("repeat_last_n", request.repeatLastN(), -1, Integer.MAX_VALUE, PENALTY_WINDOW);
        if (on && window != PENALTY_WINDOW && window != 0) {
            throw new InvalidRequest(
                    "repeat_last_n", "repeat_last_n must be " + PENALTY_WINDOW + ", or 0 for no penalties");
        }
        return window == 0;
    }

    /** What the model's template takes; see {@link ServerFrame.Generate}. */
    private static Prompt.Chat chat(ChatRequest request, ModelInfo model) {
        Conversation conversation = Conversation.of(request.messages(), model);
        ObjectNode chat = JsonNodeFactory.instance.objectNode();
        conversation.put(chat);
        SchemaCheck schemas = new SchemaCheck();
        OutputRules.putTools(chat, request, schemas);
        OutputRules.putSchema(chat, request.responseFormat(), request.jsonSchema(), schemas);
        OutputRules.putGrammar(chat, request.grammar());
        refuseTooLong(conversation.textBytes() + length(chat.path("tools")) + length(chat.path("json_schema")), model);
        putEnd(chat, conversation, request);
        Thinking.put(chat, request, model.defaults());
        if (!schemas.patterns().isEmpty()) {
            ObjectNode patterns = chat.putObject("patterns");
            schemas.patterns().forEach(patterns::put);
        }
        return new Prompt.Chat(Check.wellFormed(chat.toString()), conversation.images());
    }

    /** How the prompt ends: with a new message of the assistant, or within the last one. */
    private static void putEnd(ObjectNode chat, Conversation conversation, ChatRequest request) {
        Boolean begins = request.addGenerationPrompt();
        Boolean continues = request.continueFinalMessage();
        if (Boolean.TRUE.equals(continues) && Boolean.TRUE.equals(begins)) {
            throw new InvalidRequest(
                    "continue_final_message", "continue_final_message and add_generation_prompt cannot both be true");
        }
        // As llama-server has it: whoever writes the beginning of an answer wants the rest.
        if (continues == null && !Boolean.TRUE.equals(begins)
                ? conversation.endsWithAssistant()
                : Boolean.TRUE.equals(continues)) {
            conversation.checkContinuation();
            chat.put("continue_final_message", true);
        } else if (Boolean.FALSE.equals(begins)) {
            chat.put("add_generation_prompt", false);
        }
    }

    /** Refuses text that does not fit the context even if all of its tokens are as long as the longest. */
    private static void refuseTooLong(long bytes, ModelInfo model) {
        if (bytes > model.mostTextBytes()) {
            throw new ContextLengthExceeded(
                    "messages",
                    "This model's maximum context length is " + model.slotContextSize() + " tokens, which hold "
                            + model.mostTextBytes() + " bytes of text at the very most, but the messages, tools and"
                            + " schemas have " + bytes + ". Shorten the messages.",
                    (int) Math.min(Integer.MAX_VALUE, (bytes - 1) / model.longestToken() + 1),
                    model.slotContextSize());
        }
    }

    private static long length(JsonNode json) {
        return json.toString().length();
    }

    private static int topLogprobs(ChatRequest request) {
        int probabilities = (int) Check.integer("n_probs", request.nProbs(), 0, MOST_TOP_LOGPROBS, 0);
        if (probabilities > 0 && request.logprobs() == null && request.topLogprobs() == null) {
            return probabilities;
        }
        boolean wanted = Check.flag(request.logprobs(), false);
        if (!wanted && request.topLogprobs() != null) {
            throw new InvalidRequest("top_logprobs", "top_logprobs needs logprobs to be true");
        }
        int top = (int) Check.integer("top_logprobs", request.topLogprobs(), 0, MOST_TOP_LOGPROBS, probabilities);
        return wanted ? top : ValidRequest.NO_LOGPROBS;
    }

    private static String cacheSalt(String salt) {
        if (salt != null && (salt.isEmpty() || salt.length() > LONGEST_SALT)) {
            throw new InvalidRequest("cache_salt", "cache_salt must have 1 to " + LONGEST_SALT + " characters");
        }
        return salt;
    }
}
