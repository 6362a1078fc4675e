package dev.luq.protocol;

import com.fasterxml.jackson.annotation.JsonSubTypes;
import com.fasterxml.jackson.annotation.JsonTypeInfo;
import java.util.List;
import java.util.Objects;
import java.util.stream.IntStream;

/**
 * What a worker sends to the server, one CBOR object per length-prefixed frame on the worker's standard output.
 * For one generation the order is {@code (progress)* accepted (delta)* (finished | failed)}, or {@code (progress)* failed};
 * for a query it is the {@link QueryResult}, or {@code failed}.
 */
@JsonTypeInfo(use = JsonTypeInfo.Id.NAME, property = "type")
@JsonSubTypes({
    @JsonSubTypes.Type(value = WorkerFrame.Loading.class, name = "loading"),
    @JsonSubTypes.Type(value = WorkerFrame.Ready.class, name = "ready"),
    @JsonSubTypes.Type(value = WorkerFrame.LoadFailed.class, name = "load_failed"),
    @JsonSubTypes.Type(value = WorkerFrame.Stats.class, name = "stats"),
    @JsonSubTypes.Type(value = WorkerFrame.Progress.class, name = "progress"),
    @JsonSubTypes.Type(value = WorkerFrame.Accepted.class, name = "accepted"),
    @JsonSubTypes.Type(value = WorkerFrame.Delta.class, name = "delta"),
    @JsonSubTypes.Type(value = WorkerFrame.Finished.class, name = "finished"),
    @JsonSubTypes.Type(value = WorkerFrame.TokenCount.class, name = "token_count"),
    @JsonSubTypes.Type(value = WorkerFrame.Text.class, name = "text"),
    @JsonSubTypes.Type(value = WorkerFrame.Tokens.class, name = "tokens"),
    @JsonSubTypes.Type(value = WorkerFrame.Embeddings.class, name = "embeddings"),
    @JsonSubTypes.Type(value = WorkerFrame.Slots.class, name = "slots"),
    @JsonSubTypes.Type(value = WorkerFrame.Failed.class, name = "failed")
})
public sealed interface WorkerFrame {

    /** Bytes of the longest frame: the longest are the tokens of a long text, some megabytes. */
    long LONGEST = 16L << 20;

    /**
     * Loading goes on, which the server watches: see {@code luq.worker.load-stall-timeout}.
     *
     * @param progress share of the model loaded, 0..1
     */
    record Loading(float progress) implements WorkerFrame {}

    /** The model answers from now on. */
    record Ready(ModelInfo info) implements WorkerFrame {
        public Ready {
            Objects.requireNonNull(info, "info is null");
        }
    }

    /** The model cannot be served; the worker ends after this frame. The message names no path. */
    record LoadFailed(String code, String message) implements WorkerFrame {}

    /** A snapshot of counters and gauges, sent when something changed, at most a few times a second. */
    record Stats(EngineStats stats) implements WorkerFrame {
        public Stats {
            Objects.requireNonNull(stats, "stats is null");
        }
    }

    /** Frames of one request. */
    sealed interface OfRequest extends WorkerFrame {
        String id();

        /** Whether it is the last one of its request. */
        default boolean ends() {
            return false;
        }
    }

    /**
     * The request is valid and its first token still takes a while. Sent once a second at most, not within the first.
     *
     * @param share of what the phase does that is done, 0..1
     * @param cachedTokens of the prompt, those taken from the cache
     * @param evaluatedTokens of the prompt, those that are done, cached ones included
     * @param promptTokens text and image tokens of the prompt
     */
    record Progress(String id, Phase phase, float share, int cachedTokens, int evaluatedTokens, int promptTokens)
            implements OfRequest {
        public Progress {
            Objects.requireNonNull(id, "id is null");
            Objects.requireNonNull(phase, "phase is null");
            if (!(share >= 0 && share <= 1)) {
                throw new IllegalArgumentException("a share is 0 to 1, not " + share);
            }
        }
    }

    /** What happens to a request before its first token. */
    enum Phase {
        /** It waits for a slot. */
        QUEUED,
        /** It waits for an image that is being encoded. */
        ENCODING,
        /** Its prompt is being evaluated. */
        PROMPT
    }

    /**
     * The request's prompt is evaluated: the first token follows. What fails before this frame is reported as a plain HTTP
     * status, unless a stream had to begin before.
     *
     * @param promptTokens text and image tokens of the prompt
     * @param imageTokens of these, tokens of images
     * @param cachedTokens of promptTokens, those taken from the cache
     */
    record Accepted(String id, int promptTokens, int imageTokens, int cachedTokens) implements OfRequest {
        public Accepted {
            Objects.requireNonNull(id, "id is null");
        }
    }

    /**
     * Generated text that is safe to show: complete UTF-8, no part of a stop string.
     *
     * @param content text to append, or null
     * @param thought text to append to the thoughts, where they are told from the content, or null
     * @param toolCall a piece of a tool call, or null
     * @param logprobs one entry per token behind this delta when they were asked for, else null
     * @param tokens generated so far, those of this delta included
     */
    record Delta(
            String id, String content, String thought, ToolCallDelta toolCall, List<TokenLogprob> logprobs, int tokens)
            implements OfRequest {
        public Delta {
            Objects.requireNonNull(id, "id is null");
        }

        /** Without thoughts. */
        public Delta(String id, String content, ToolCallDelta toolCall, List<TokenLogprob> logprobs, int tokens) {
            this(id, content, null, toolCall, logprobs, tokens);
        }
    }

    /**
     * The generation ended well.
     *
     * @param finishReason {@code stop}, {@code length} or {@code tool_calls}
     * @param stop the request's stop string that ended it, or null
     */
    record Finished(String id, String finishReason, String stop, int completionTokens, Timings timings)
            implements OfRequest {
        public Finished {
            Objects.requireNonNull(id, "id is null");
        }

        @Override
        public boolean ends() {
            return true;
        }
    }

    /** The answer to a {@link ServerFrame.Query}. */
    sealed interface QueryResult extends OfRequest {
        @Override
        default boolean ends() {
            return true;
        }
    }

    /**
     * Of a prompt.
     *
     * @param tokens of texts and images
     * @param imageTokens of these, tokens of images
     */
    record TokenCount(String id, int tokens, int imageTokens) implements QueryResult {
        public TokenCount {
            Objects.requireNonNull(id, "id is null");
        }
    }

    /** A rendered conversation, or the text of tokens. */
    record Text(String id, String text) implements QueryResult {
        public Text {
            Objects.requireNonNull(id, "id is null");
            Objects.requireNonNull(text, "text is null");
        }
    }

    /**
     * Of a text.
     *
     * @param tokens ids
     * @param pieces null unless they were asked for
     */
    record Tokens(String id, int[] tokens, Pieces pieces) implements QueryResult {
        public Tokens {
            Objects.requireNonNull(id, "id is null");
            Objects.requireNonNull(tokens, "tokens is null");
            if (pieces != null && pieces.lengths().length != tokens.length) {
                throw new IllegalArgumentException("not as many pieces as tokens");
            }
        }
    }

    /**
     * The bytes of tokens, in two arrays, as an array for each of a million tokens takes many times what is in it.
     *
     * @param bytes of all, one after the other; those of one token may be an incomplete UTF-8 sequence
     * @param lengths how many of them each token has
     */
    record Pieces(byte[] bytes, int[] lengths) {
        public Pieces {
            Objects.requireNonNull(bytes, "bytes is null");
            Objects.requireNonNull(lengths, "lengths is null");
            if (IntStream.of(lengths).anyMatch(length -> length < 0)
                    || IntStream.of(lengths).asLongStream().sum() != bytes.length) {
                throw new IllegalArgumentException("the lengths are not those of the bytes");
            }
        }
    }

    /** Of the prompts of a {@link ServerFrame.Embed}, in their order. */
    record Embeddings(String id, List<Embedding> embeddings) implements QueryResult {
        public Embeddings {
            Objects.requireNonNull(id, "id is null");
            Objects.requireNonNull(embeddings, "embeddings is null");
        }
    }

    /**
     * What a model makes of a prompt.
     *
     * @param tokens of the prompt, texts and images
     * @param vector as it is pooled, of any length
     */
    record Embedding(int tokens, float[] vector) {}

    /** All slots of the model at one moment. */
    record Slots(String id, List<Slot> slots) implements QueryResult {
        public Slots {
            Objects.requireNonNull(id, "id is null");
            Objects.requireNonNull(slots, "slots is null");
        }
    }

    /**
     * What a slot does.
     *
     * @param request id of the request that runs in it; null when none does
     * @param cells of the KV cache that it fills; when no request runs, with what is kept for later ones
     * @param promptTokens of its request; 0 when none runs
     * @param cachedTokens of promptTokens, those that were taken from the cache
     * @param evaluatedTokens of promptTokens, those that are in the KV cache by now
     * @param generatedTokens by its request
     * @param maxTokens that its request may generate; 0 for as many as the context holds
     */
    record Slot(
            String request,
            int cells,
            int promptTokens,
            int cachedTokens,
            int evaluatedTokens,
            int generatedTokens,
            int maxTokens) {}

    /**
     * The request failed.
     *
     * @param code a code of the serving contract, such as {@code context_length_exceeded} or {@code invalid_request}; {@code internal_error} for a defect of ours
     * @param message for the client; names no path
     * @param param the request field at fault, or null
     * @param overflow null unless the prompt is too long
     */
    record Failed(String id, String code, String message, String param, Overflow overflow) implements OfRequest {
        public Failed {
            Objects.requireNonNull(id, "id is null");
        }

        /** One that has nothing to do with the length of the prompt. */
        public Failed(String id, String code, String message, String param) {
            this(id, code, message, param, null);
        }

        @Override
        public boolean ends() {
            return true;
        }
    }

    /**
     * By how much a prompt is too long.
     *
     * @param promptTokens its tokens, or as many as were counted
     * @param contextSize tokens that the context holds
     */
    record Overflow(int promptTokens, int contextSize) {}

    /**
     * One piece of the tool call with this index. The first piece of a call carries id and name, later ones null.
     *
     * @param argumentsDelta JSON text to append to the call's arguments
     */
    record ToolCallDelta(int index, String id, String name, String argumentsDelta) {}

    /**
     * @param id the token's id
     * @param token the token's text, malformed UTF-8 replaced
     * @param logprob natural logarithm
     * @param bytes the token's bytes, each 0..255
     * @param top the likeliest alternatives, at most as many as asked for, without their own alternatives
     */
    record TokenLogprob(int id, String token, double logprob, List<Integer> bytes, List<TokenLogprob> top) {}

    /**
     * Where a request's time went, in milliseconds. Prefill includes image encoding.
     *
     * @param draftedTokens that were decoded before they were sampled
     * @param acceptedTokens of these, tokens of the answer
     */
    record Timings(
            double queueMillis,
            double prefillMillis,
            double decodeMillis,
            double imageEncodeMillis,
            int draftedTokens,
            int acceptedTokens) {

        /** Without drafts. */
        public Timings(double queueMillis, double prefillMillis, double decodeMillis, double imageEncodeMillis) {
            this(queueMillis, prefillMillis, decodeMillis, imageEncodeMillis, 0, 0);
        }
    }

    /**
     * What a loaded model is.
     *
     * @param name general.name of the file, or null
     * @param architecture general.architecture, such as {@code qwen2vl}
     * @param quantization the file type's name, such as {@code Q4_K - Medium}
     * @param parameters number of weights
     * @param modelBytes bytes of the tensors
     * @param bitsPerWeight modelBytes * 8 / parameters
     * @param contextSize tokens of KV cache shared by all slots
     * @param slotContextSize of these, how many one request may take
     * @param trainingContext context the model was trained for
     * @param slots sequences decoded at once
     * @param vision whether images are understood
     * @param tools whether the chat template knows tools
     * @param longestToken bytes of the longest token's text: with the context, what no text that fits is longer than
     * @param props what else is said of it
     * @param embeddings what is said of those that it makes; null when it makes none
     * @param ranks whether it scores documents by a query, and does nothing else
     * @param identity equal where its files and the settings that change its answers are; null when that is not known
     * @param defaults what requests get that say nothing; the server's word, a worker knows none
     */
    record ModelInfo(
            String name,
            String architecture,
            String quantization,
            long parameters,
            long modelBytes,
            double bitsPerWeight,
            int contextSize,
            int slotContextSize,
            int trainingContext,
            int slots,
            boolean vision,
            boolean tools,
            int longestToken,
            ModelProps props,
            EmbeddingInfo embeddings,
            boolean ranks,
            String identity,
            ModelDefaults defaults) {

        public ModelInfo {
            defaults = defaults == null ? ModelDefaults.NONE : defaults;
        }

        /** Whether it answers prompts with text, and not with embeddings or scores alone. */
        public boolean generates() {
            return !ranks && (embeddings == null || !embeddings.only());
        }

        /** Of one that generates alone and has no identity, as a worker knows it; any slot may have all of the context. */
        public ModelInfo(
                String name,
                String architecture,
                String quantization,
                long parameters,
                long modelBytes,
                double bitsPerWeight,
                int contextSize,
                int trainingContext,
                int slots,
                boolean vision,
                boolean tools,
                int longestToken,
                ModelProps props) {
            this(
                    name,
                    architecture,
                    quantization,
                    parameters,
                    modelBytes,
                    bitsPerWeight,
                    contextSize,
                    contextSize,
                    trainingContext,
                    slots,
                    vision,
                    tools,
                    longestToken,
                    props,
                    null,
                    false,
                    null,
                    ModelDefaults.NONE);
        }

        /** The same model with other defaults. */
        public ModelInfo with(ModelDefaults others) {
            return new ModelInfo(
                    name,
                    architecture,
                    quantization,
                    parameters,
                    modelBytes,
                    bitsPerWeight,
                    contextSize,
                    slotContextSize,
                    trainingContext,
                    slots,
                    vision,
                    tools,
                    longestToken,
                    props,
                    embeddings,
                    ranks,
                    identity,
                    others);
        }

        /** Bytes of text that a request holds at most. */
        public long mostTextBytes() {
            return (long) slotContextSize * longestToken;
        }
    }

    /**
     * The embeddings of a model.
     *
     * @param size floats of each
     * @param only whether it generates nothing
     */
    record EmbeddingInfo(int size, boolean only) {}

    /**
     * What llama-server's {@code /props} says of a model.
     *
     * @param chatTemplate Jinja, or a name; null when the file has none
     * @param beginToken text of the token that begins a prompt, or null when there is none
     * @param endToken text of the token that ends a text, or null when there is none
     * @param build which llama.cpp serves it
     * @param endTokens ids of all tokens that end an answer
     */
    record ModelProps(String chatTemplate, String beginToken, String endToken, String build, List<Integer> endTokens) {}

    /**
     * Gauges are of this moment, counters since the worker's start.
     *
     * @param waiting requests queued or being prepared
     * @param running requests holding a slot
     * @param kvCellsUsed used cells of the KV cache
     * @param kvCells all cells of the KV cache
     * @param promptTokens counter: prompt tokens evaluated or reused
     * @param generationTokens counter
     * @param prefixQueries counter: prompt tokens looked up in the prompt cache
     * @param prefixHits counter: prompt tokens taken from it
     * @param imageQueries counter: images looked up in the embedding cache
     * @param imageHits counter
     * @param imageFileQueries counter: images looked up among the files of those seen before
     * @param imageFileHits counter
     * @param promptFileQueries counter: prompts looked up among the files of those evaluated before
     * @param promptFileHits counter: prompts whose beginning was restored from there
     * @param imagesEncoded counter
     * @param imageEncodeMillis counter: time spent encoding
     * @param imageTokens counter: image tokens of prompts
     * @param cancelled counter: requests stopped by their client
     * @param draftedTokens counter: tokens decoded before they were sampled
     * @param acceptedTokens counter: of these, tokens of answers
     * @param drafts counter: steps of requests that had drafted tokens
     * @param promptCacheBytes bytes of prompts kept beyond the sequences
     * @param promptCacheHits counter: prompts whose beginning was restored from there
     * @param promptCacheEvictions counter: prompts that went from there for others
     * @param evaluatedTokens counter: of the prompt tokens, those that were evaluated
     * @param promptMillis counter: time from getting a slot until the prompt is there, over all requests
     * @param generationMillis counter: time from there until the latest token, over all requests
     * @param decodes counter: batches of tokens that were decoded
     * @param decodedSequences counter: sequences in these batches
     * @param longestSequence most cells that a slot had so far
     */
    record EngineStats(
            int waiting,
            int running,
            int kvCellsUsed,
            int kvCells,
            long promptTokens,
            long generationTokens,
            long prefixQueries,
            long prefixHits,
            long imageQueries,
            long imageHits,
            long imageFileQueries,
            long imageFileHits,
            long promptFileQueries,
            long promptFileHits,
            long imagesEncoded,
            double imageEncodeMillis,
            long imageTokens,
            long cancelled,
            long draftedTokens,
            long acceptedTokens,
            long drafts,
            long promptCacheBytes,
            long promptCacheHits,
            long promptCacheEvictions,
            long evaluatedTokens,
            double promptMillis,
            double generationMillis,
            long decodes,
            long decodedSequences,
            long longestSequence) {}
}
