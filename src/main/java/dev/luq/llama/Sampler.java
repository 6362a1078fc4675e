package dev.luq.llama;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.luq.preset.global.llama;
import dev.luq.preset.luq_sampler;
import java.util.List;
import org.bytedeco.javacpp.BytePointer;

/**
 * Chooses the tokens of one generation and remembers them for penalties and grammar. Used by one thread at a time;
 * keeps its model in memory until it is closed.
 */
public final class Sampler implements AutoCloseable {

    /** Added to a logit; finite, because what is left over may be such a token alone. */
    private static final float NEVER = -1e9f;

    private final Model model;
    private final luq_sampler sampler;
    private boolean closed;

    private Sampler(Model model, luq_sampler sampler) {
        this.model = model;
        this.sampler = sampler;
    }

    /**
     * @param grammar null for no constraint
     * @throws LlamaException.InvalidGrammar the grammar or one of the options is not valid
     * @throws LlamaException.TooComplex the grammar is too large
     */
    public static Sampler create(Model model, SamplerOptions options, GrammarOptions grammar) {
        model.use();
        luq_sampler sampler = null;
        Native.clearLoggedErrors();
        try (BytePointer json = Native.utf8(json(model, options, grammar))) {
            sampler = llama.luq_sampler_init(model.pointer(), json);
            if (sampler == null) {
                throw Native.lastErrorIsLimit()
                        ? new LlamaException.TooComplex(Native.lastError())
                        : new LlamaException.InvalidGrammar(Native.loggedReason(Native.lastError(), List.of()));
            }
            return new Sampler(model, sampler);
        } finally {
            if (sampler == null) {
                model.releaseUse();
            }
        }
    }

    /**
     * Chooses the token after a token of the last decode, and remembers it.
     *
     * @param batchIndex index of a token that was added with output
     * @throws LlamaException.TooComplex the grammar needs more work for this token than one may, or no token fits it
     * @throws LlamaException.DecodeFailed there are no logits at this index
     */
    public int sample(Context context, int batchIndex) {
        int token = llama.luq_sampler_sample(pointer(), context.pointer(), batchIndex);
        if (token == llama.LUQ_FAILED && Native.lastErrorIsLimit()) {
            throw new LlamaException.TooComplex(Native.lastError());
        }
        if (token == llama.LUQ_FAILED) {
            throw new LlamaException.DecodeFailed("no token could be chosen: " + Native.lastError());
        }
        return token;
    }

    /** Shows a token of the prompt to the penalties; the grammar does not see it. */
    public void acceptPrompt(int token) {
        if (llama.luq_sampler_accept_prompt(pointer(), token) == llama.LUQ_FAILED) {
            throw new LlamaException.DecodeFailed("the sampler refused a token: " + Native.lastError());
        }
    }

    @Override
    public void close() {
        if (!closed) {
            closed = true;
            llama.luq_sampler_free(sampler);
            model.releaseUse();
        }
    }

    private luq_sampler pointer() {
        if (closed) {
            throw new IllegalStateException("the sampler is closed");
        }
        return sampler;
    }

    private static String json(Model model, SamplerOptions options, GrammarOptions grammar) {
        ObjectNode json = Json.object()
                .put("temperature", options.temperature())
                .put("top_k", options.topK())
                .put("top_p", options.topP())
                .put("min_p", options.minP())
                .put("frequency_penalty", options.frequencyPenalty())
                .put("presence_penalty", options.presencePenalty())
                .put("repeat_penalty", options.repeatPenalty())
                .put("seed", seed(options.seed()));
        ArrayNode biases = json.putArray("logit_bias");
        options.logitBias()
                .forEach((token, bias) -> biases.addArray().add(token).add(bias));
        options.textBias().forEach((text, bias) -> {
            for (int token : model.vocabulary().tokenize(text, false, false)) {
                biases.addArray().add(token).add(bias);
            }
        });
        if (options.ignoreEnd()) {
            for (int token : model.vocabulary().endsOfGeneration()) {
                biases.addArray().add(token).add(NEVER);
            }
        }
        if (grammar != null) {
            json.put("grammar", grammar.grammar())
                    .put("grammar_lazy", grammar.lazy())
                    .put("grammar_prefix", grammar.prefix());
            json.set("triggers", Json.parse(grammar.triggersJson()));
            grammar.preservedTokens().forEach(json.putArray("preserved_tokens")::add);
        }
        return json.toString();
    }

    /** llama.cpp's seeds have 32 bits, and the largest one means a random seed. */
    private static long seed(long seed) {
        long folded = (seed ^ seed >>> 32) & 0xffffffffL;
        return folded == 0xffffffffL ? 0 : folded;
    }
}
