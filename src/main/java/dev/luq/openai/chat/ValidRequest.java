package dev.luq.openai.chat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.luq.http.errors.ApiException.ContextLengthExceeded;
import dev.luq.http.errors.ApiException.InvalidRequest;
import dev.luq.openai.images.ImageReference;
import dev.luq.protocol.Sampling;
import dev.luq.protocol.ServerFrame;
import dev.luq.protocol.WorkerFrame.ModelInfo;
import dev.luq.schema.SchemaCheck;
import java.util.List;

/** A chat request that is valid and fits its model. Making one checks it. */
final class ValidRequest {

    private static final int MOST_TOP_LOGPROBS = 20;
    private static final int NO_LOGPROBS = -1;
    private static final int LONGEST_SALT = 256;

    private final String chat;
    private final List<ImageReference> images;
    private final int choices;
    private final Sampling sampling;
    private final int maxTokens;
    private final List<String> stops;
    private final int topLogprobs;
    private final boolean cachePrompt;
    private final String cacheSalt;
    private final boolean stream;
    private final boolean includeUsage;
    private final boolean timings;

    private ValidRequest(ChatRequest request, ModelInfo model) {
        Conversation conversation = Conversation.of(request.messages(), model);
        images = conversation.images();
        choices = (int) Check.integer("n", request.n(), 1, model.slots(), 1);
        sampling = new Sampling(
                Check.inRange("temperature", request.temperature(), 0, 2, 1),
                Check.inRange("top_p", request.topP(), 0, 1, 1),
                (int) Check.integer("top_k", request.topK(), 0, Integer.MAX_VALUE, 0),
                Check.inRange("min_p", request.minP(), 0, 1, 0),
                Check.inRange("frequency_penalty", request.frequencyPenalty(), -2, 2, 0),
                Check.inRange("presence_penalty", request.presencePenalty(), -2, 2, 0),
                Check.inRange("repeat_penalty", request.repeatPenalty(), 0.1, 10, 1),
                request.seed() == null
                        ? null
                        : (Long) Check.integer("seed", request.seed(), Long.MIN_VALUE, Long.MAX_VALUE, 0),
                OutputRules.logitBias(request.logitBias()));
        int oldName = (int) Check.integer("max_tokens", request.maxTokens(), 1, Integer.MAX_VALUE, 0);
        maxTokens = (int)
                Check.integer("max_completion_tokens", request.maxCompletionTokens(), 1, Integer.MAX_VALUE, oldName);
        stops = OutputRules.stops(request.stop());
        topLogprobs = topLogprobs(request);
        chat = chat(conversation, request, model);
        cachePrompt = Check.flag(request.cachePrompt(), true);
        cacheSalt = cacheSalt(request.cacheSalt());
        stream = Check.flag(request.stream(), false);
        includeUsage = request.streamOptions() != null
                && Check.flag(request.streamOptions().includeUsage(), false);
        timings = Check.flag(request.timings(), false);
    }

    /** What the model's template takes; see {@link ServerFrame.Generate}. */
    private static String chat(Conversation conversation, ChatRequest request, ModelInfo model) {
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
        return Check.wellFormed(chat.toString());
    }

    /** Refuses text that does not fit the context even if all of its tokens are as long as the longest. */
    private static void refuseTooLong(long bytes, ModelInfo model) {
        if (bytes > model.mostTextBytes()) {
            throw new ContextLengthExceeded(
                    "messages",
                    "The messages, tools and schemas have " + bytes
                            + " bytes of text, but the model's context of " + model.contextSize() + " tokens holds "
                            + model.mostTextBytes() + " at the very most. Shorten the messages.");
        }
    }

    private static long length(JsonNode json) {
        return json.toString().length();
    }

    /**
     * @param model what the addressed model is
     * @throws dev.luq.http.errors.ApiException naming the field at fault
     */
    static ValidRequest of(ChatRequest request, ModelInfo model) {
        return new ValidRequest(request, model);
    }

    private static int topLogprobs(ChatRequest request) {
        int top = (int) Check.integer("top_logprobs", request.topLogprobs(), 0, MOST_TOP_LOGPROBS, NO_LOGPROBS);
        boolean wanted = Check.flag(request.logprobs(), false);
        if (!wanted && top >= 0) {
            throw new InvalidRequest("top_logprobs", "top_logprobs needs logprobs to be true");
        }
        return wanted ? Math.max(top, 0) : NO_LOGPROBS;
    }

    private static String cacheSalt(String salt) {
        if (salt != null && (salt.isEmpty() || salt.length() > LONGEST_SALT)) {
            throw new InvalidRequest("cache_salt", "cache_salt must have 1 to " + LONGEST_SALT + " characters");
        }
        return salt;
    }

    List<ImageReference> images() {
        return images;
    }

    /** Choices to generate, 1 or more. */
    int choices() {
        return choices;
    }

    boolean logprobs() {
        return topLogprobs != NO_LOGPROBS;
    }

    boolean stream() {
        return stream;
    }

    boolean includeUsage() {
        return includeUsage;
    }

    /** @return null when caches are to be shared as usual */
    String cacheSalt() {
        return cacheSalt;
    }

    boolean timings() {
        return timings;
    }

    /**
     * @param id unique among all requests
     * @param choice 0..choices-1; with a seed, choice i is generated from seed + i
     * @param decoded the images, in the order of {@link #images()}
     */
    ServerFrame.Generate generate(String id, int choice, List<ServerFrame.Image> decoded) {
        Sampling own = sampling.seed() == null || choice == 0
                ? sampling
                : new Sampling(
                        sampling.temperature(),
                        sampling.topP(),
                        sampling.topK(),
                        sampling.minP(),
                        sampling.frequencyPenalty(),
                        sampling.presencePenalty(),
                        sampling.repeatPenalty(),
                        sampling.seed() + choice,
                        sampling.logitBias());
        return new ServerFrame.Generate(id, chat, decoded, own, maxTokens, stops, topLogprobs, cachePrompt);
    }
}
