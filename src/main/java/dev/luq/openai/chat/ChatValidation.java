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

/** Makes a {@link ValidRequest} of a chat request: ranges, defaults, and whether it fits its model. */
public final class ChatValidation {

    private static final int MOST_TOP_LOGPROBS = 20;
    private static final int LONGEST_SALT = 256;

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
        return new ValidRequest(
                prompt,
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
                Check.flag(settings.timings(), false));
    }

    private static Sampling sampling(ChatRequest request, ModelDefaults defaults) {
        return new Sampling(
                Check.inRange("temperature", request.temperature(), 0, 2, or(defaults.temperature(), 1)),
                Check.inRange("top_p", request.topP(), 0, 1, or(defaults.topP(), 1)),
                (int) Check.integer("top_k", request.topK(), 0, Integer.MAX_VALUE, or(defaults.topK(), 0)),
                Check.inRange("min_p", request.minP(), 0, 1, or(defaults.minP(), 0)),
                Check.inRange("frequency_penalty", request.frequencyPenalty(), -2, 2, 0),
                Check.inRange("presence_penalty", request.presencePenalty(), -2, 2, 0),
                Check.inRange("repeat_penalty", request.repeatPenalty(), 0.1, 10, or(defaults.repeatPenalty(), 1)),
                request.seed() == null
                        ? null
                        : (Long) Check.integer("seed", request.seed(), Long.MIN_VALUE, Long.MAX_VALUE, 0),
                OutputRules.logitBias(request.logitBias()));
    }

    private static double or(Double configured, double otherwise) {
        return configured == null ? otherwise : configured;
    }

    private static int or(Integer configured, int otherwise) {
        return configured == null ? otherwise : configured;
    }

    private static int maxTokens(ChatRequest request, ModelDefaults defaults) {
        int oldName = (int)
                Check.integer("max_tokens", request.maxTokens(), 1, Integer.MAX_VALUE, or(defaults.maxTokens(), 0));
        return (int)
                Check.integer("max_completion_tokens", request.maxCompletionTokens(), 1, Integer.MAX_VALUE, oldName);
    }

    /** What the model's template takes; see {@link ServerFrame.Generate}. */
    private static Prompt.Chat chat(ChatRequest request, ModelInfo model) {
        Conversation conversation = Conversation.of(request.messages(), model);
        ObjectNode chat = JsonNodeFactory.instance.objectNode();
        chat.set("messages", conversation.json());
        SchemaCheck schemas = new SchemaCheck();
        OutputRules.putTools(chat, request, schemas);
        OutputRules.putSchema(chat, request.responseFormat(), schemas);
        refuseTooLong(conversation.textBytes() + length(chat.path("tools")) + length(chat.path("json_schema")), model);
        if (!schemas.patterns().isEmpty()) {
            ObjectNode patterns = chat.putObject("patterns");
            schemas.patterns().forEach(patterns::put);
        }
        return new Prompt.Chat(Check.wellFormed(chat.toString()), conversation.images());
    }

    /** Refuses text that does not fit the context even if all of its tokens are as long as the longest. */
    private static void refuseTooLong(long bytes, ModelInfo model) {
        if (bytes > model.mostTextBytes()) {
            throw new ContextLengthExceeded(
                    "messages",
                    "This model's maximum context length is " + model.contextSize() + " tokens, which hold "
                            + model.mostTextBytes() + " bytes of text at the very most, but the messages, tools and"
                            + " schemas have " + bytes + ". Shorten the messages.",
                    (int) Math.min(Integer.MAX_VALUE, (bytes - 1) / model.longestToken() + 1),
                    model.contextSize());
        }
    }

    private static long length(JsonNode json) {
        return json.toString().length();
    }

    private static int topLogprobs(ChatRequest request) {
        int top = (int)
                Check.integer("top_logprobs", request.topLogprobs(), 0, MOST_TOP_LOGPROBS, ValidRequest.NO_LOGPROBS);
        boolean wanted = Check.flag(request.logprobs(), false);
        if (!wanted && top >= 0) {
            throw new InvalidRequest("top_logprobs", "top_logprobs needs logprobs to be true");
        }
        return wanted ? Math.max(top, 0) : ValidRequest.NO_LOGPROBS;
    }

    private static String cacheSalt(String salt) {
        if (salt != null && (salt.isEmpty() || salt.length() > LONGEST_SALT)) {
            throw new InvalidRequest("cache_salt", "cache_salt must have 1 to " + LONGEST_SALT + " characters");
        }
        return salt;
    }
}
