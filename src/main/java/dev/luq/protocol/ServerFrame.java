package dev.luq.protocol;

import com.fasterxml.jackson.annotation.JsonSubTypes;
import com.fasterxml.jackson.annotation.JsonTypeInfo;
import dev.luq.gguf.Pooling;
import dev.luq.machine.Kernels;
import dev.luq.machine.KvType;
import java.util.List;
import java.util.OptionalLong;

/**
 * What the server sends to a worker, one CBOR object per length-prefixed frame on the worker's standard input.
 * End of file asks the worker to end.
 */
@JsonTypeInfo(use = JsonTypeInfo.Id.NAME, property = "type")
@JsonSubTypes({
    @JsonSubTypes.Type(value = ServerFrame.Load.class, name = "load"),
    @JsonSubTypes.Type(value = ServerFrame.Generate.class, name = "generate"),
    @JsonSubTypes.Type(value = ServerFrame.CountTokens.class, name = "count_tokens"),
    @JsonSubTypes.Type(value = ServerFrame.ApplyTemplate.class, name = "apply_template"),
    @JsonSubTypes.Type(value = ServerFrame.Tokenize.class, name = "tokenize"),
    @JsonSubTypes.Type(value = ServerFrame.Detokenize.class, name = "detokenize"),
    @JsonSubTypes.Type(value = ServerFrame.Embed.class, name = "embed"),
    @JsonSubTypes.Type(value = ServerFrame.ReadSlots.class, name = "read_slots"),
    @JsonSubTypes.Type(value = ServerFrame.Cancel.class, name = "cancel"),
    @JsonSubTypes.Type(value = ServerFrame.ForgetImage.class, name = "forget_image")
})
public sealed interface ServerFrame {

    /**
     * Bytes of the longest frame, which the server does not exceed: the texts and pixels that it has in flight are bounded well
     * below.
     */
    long LONGEST = 1L << 30;

    /**
     * The first frame: which model to serve and how.
     *
     * @param modelFiles the GGUF, or its split files in order; absolute paths
     * @param mmproj the vision projector's GGUF, absolute path, or null for a text-only model
     * @param contextSize tokens of KV cache shared by all sequences; 0 takes the smaller of the model's training context
     *     and {@link #DEFAULT_CONTEXT}
     * @param slotContextSize of these, how many one request may take; 0 for all
     * @param slots sequences decoded at once, 1 or more
     * @param batchSize tokens evaluated in one step at most
     * @param threads compute threads for decoding; 0 takes the processors available
     * @param imageThreads compute threads for encoding images; 0 takes as many as for decoding
     * @param imageCacheBytes upper bound of the image embedding cache in bytes
     * @param promptCacheBytes upper bound of prompts kept in memory once their sequences are given to others; 0 keeps none
     * @param draftTokens that one step drafts at most and decodes before they are sampled; 0 for none
     * @param imageMaxTokens upper bound of one image's tokens; 0 takes the model's own
     * @param streamIntervalMillis text generated within this time of a request's last delta is gathered into its next one
     * @param kernels what multiplies the weights
     * @param kv number format of the KV cache
     * @param files what is kept for later workers; null to keep nothing
     * @param pooling how embeddings are made; null: as the model's file says
     * @param chatTemplate in place of the model's own: a Jinja program, or the name of one of llama.cpp's; null for the model's own
     */
    record Load(
            List<String> modelFiles,
            String mmproj,
            int contextSize,
            int slotContextSize,
            int slots,
            int batchSize,
            int threads,
            int imageThreads,
            long imageCacheBytes,
            long promptCacheBytes,
            int draftTokens,
            int imageMaxTokens,
            long streamIntervalMillis,
            Kernels kernels,
            KvType kv,
            KeptFiles files,
            Pooling pooling,
            String chatTemplate)
            implements ServerFrame {

        /** Without drafts, of a model whose file says how it makes embeddings, with its own chat template; any slot may have
         * all of the context. */
        public Load(
                List<String> modelFiles,
                String mmproj,
                int contextSize,
                int slots,
                int batchSize,
                int threads,
                int imageThreads,
                long imageCacheBytes,
                long promptCacheBytes,
                int imageMaxTokens,
                long streamIntervalMillis,
                Kernels kernels,
                KvType kv,
                KeptFiles files) {
            this(
                    modelFiles,
                    mmproj,
                    contextSize,
                    0,
                    slots,
                    batchSize,
                    threads,
                    imageThreads,
                    imageCacheBytes,
                    promptCacheBytes,
                    0,
                    imageMaxTokens,
                    streamIntervalMillis,
                    kernels,
                    kv,
                    files,
                    null,
                    null);
        }

        /**
         * What is kept in files for later workers.
         *
         * @param model id of this model, for which they are kept
         * @param images embeddings of images; null to keep none
         * @param prompts keys and values of prompts with images; null to keep none
         */
        public record KeptFiles(String model, CacheFolder images, CacheFolder prompts) {}

        /**
         * A folder of all workers.
         *
         * @param path absolute
         * @param maxBytes of all files in it
         */
        public record CacheFolder(String path, long maxBytes) {}

        /** Tokens of context when none is asked for and the model was trained for more: what an edge node's memory allows. */
        public static final int DEFAULT_CONTEXT = 8192;

        /**
         * Tokens of KV cache.
         *
         * @param asked 0 takes what the model was trained for, at most {@link #DEFAULT_CONTEXT}
         * @param trained tokens that the model was trained for; empty where its file does not say
         * @param encoder whether the model is one: it may have no positions beyond those that it was trained for
         */
        public static int contextSize(int asked, OptionalLong trained, boolean encoder) {
            if (asked > 0 && !encoder) {
                return asked;
            }
            return (int) Math.min(asked > 0 ? asked : DEFAULT_CONTEXT, trained.orElse(DEFAULT_CONTEXT));
        }

        /**
         * Tokens of the context that one request may take.
         *
         * @param asked {@link #slotContextSize}
         */
        public static int slotContextSize(int asked, int contextSize) {
            return asked == 0 ? contextSize : Math.min(asked, contextSize);
        }

        /**
         * Tokens that one step drafts at most: no more than its batch holds beside one token of each slot.
         *
         * @param asked {@link #draftTokens}
         * @param batchSize tokens of one step, at most those of the context
         */
        public static int draftTokens(int asked, int slots, int batchSize) {
            return Math.min(asked, Math.max(0, batchSize - slots));
        }
    }

    /** What is answered with frames that carry its id, until the last one: {@link WorkerFrame.OfRequest#ends}. */
    sealed interface OfRequest extends ServerFrame {

        /** Unique among the worker's requests in flight. */
        String id();

        /** What reaches the model's native code. */
        PromptInput prompt();

        /** Decoded pixels, in the order of their places in the prompt. */
        default List<Image> images() {
            return List.of();
        }

        /** The same with these images, which stand for its own. */
        default OfRequest with(List<Image> images) {
            return this;
        }

        /** Who it is for: clients that wait take turns; null for the server itself. */
        String client();
    }

    /**
     * One generation (one choice).
     *
     * @param sampling sampling parameters
     * @param maxTokens tokens to generate at most; 0 for as many as the context holds
     * @param stop stop strings, possibly empty
     * @param topLogprobs -1 for no log probabilities, else the number of alternatives per token, 0..20
     * @param cachePrompt whether a cached prefix may be reused
     * @param cacheSalt caches are shared with requests of the same salt alone; null is one too
     */
    record Generate(
            String id,
            PromptInput prompt,
            List<Image> images,
            Sampling sampling,
            int maxTokens,
            List<String> stop,
            int topLogprobs,
            boolean cachePrompt,
            String client,
            String cacheSalt)
            implements OfRequest {

        /** One of the server itself. */
        public Generate(
                String id,
                String chat,
                List<Image> images,
                Sampling sampling,
                int maxTokens,
                List<String> stop,
                int topLogprobs,
                boolean cachePrompt) {
            this(
                    id,
                    new PromptInput.Chat(chat),
                    images,
                    sampling,
                    maxTokens,
                    stop,
                    topLogprobs,
                    cachePrompt,
                    null,
                    null);
        }

        @Override
        public Generate with(List<Image> newImages) {
            return new Generate(
                    id, prompt, newImages, sampling, maxTokens, stop, topLogprobs, cachePrompt, client, cacheSalt);
        }

        /** The same for this client, with this salt. */
        public Generate of(String newClient, String newCacheSalt) {
            return new Generate(
                    id, prompt, images, sampling, maxTokens, stop, topLogprobs, cachePrompt, newClient, newCacheSalt);
        }
    }

    /**
     * A request that generates nothing. Its only answer is an {@code R} or {@link WorkerFrame.Failed}. Only
     * {@link Embed} waits for generations.
     */
    sealed interface Query<R extends WorkerFrame.QueryResult> extends OfRequest {}

    /** How many tokens a prompt has, as a generation would count them. */
    record CountTokens(String id, PromptInput prompt, List<Image> images, String client)
            implements Query<WorkerFrame.TokenCount> {

        @Override
        public CountTokens with(List<Image> newImages) {
            return new CountTokens(id, prompt, newImages, client);
        }
    }

    /** What the chat template makes of a conversation. {@value #MEDIA_MARK} is where an image goes. */
    record ApplyTemplate(String id, PromptInput.Chat prompt, String client) implements Query<WorkerFrame.Text> {

        /** llama.cpp's name for the place of an image in a text. */
        public static final String MEDIA_MARK = "<__media__>";
    }

    /**
     * Which tokens text has. Tokens in it stay what they are.
     *
     * @param prompt has no media
     * @param addSpecial whether the model's begin and end tokens are added, where the model wants them
     * @param parseSpecial whether the text of a control token becomes that token
     * @param pieces whether the answer has the bytes of each token
     */
    record Tokenize(
            String id, PromptInput.Raw prompt, boolean addSpecial, boolean parseSpecial, boolean pieces, String client)
            implements Query<WorkerFrame.Tokens> {}

    /** Which text tokens have; malformed UTF-8 is replaced. */
    record Detokenize(String id, int[] tokens, String client) implements Query<WorkerFrame.Text> {

        @Override
        public PromptInput prompt() {
            return PromptInput.Raw.of(tokens);
        }
    }

    /**
     * The embeddings of prompts. Each takes a slot for as long as it is evaluated.
     *
     * @param prompts 1 to {@link #MOST_PROMPTS}
     * @param images of all of them, in order
     * @param cacheSalt embeddings of images are shared with requests of the same salt alone; null is one too
     */
    record Embed(String id, List<PromptInput.Raw> prompts, List<Image> images, String client, String cacheSalt)
            implements Query<WorkerFrame.Embeddings> {

        /** So many embeddings fit into a frame. */
        public static final int MOST_PROMPTS = 64;

        /** The pieces of all prompts. */
        @Override
        public PromptInput.Raw prompt() {
            return new PromptInput.Raw(
                    prompts.stream().flatMap(prompt -> prompt.pieces().stream()).toList(), null);
        }

        @Override
        public Embed with(List<Image> newImages) {
            return new Embed(id, prompts, newImages, client, cacheSalt);
        }
    }

    /** What the slots do. */
    record ReadSlots(String id, String client) implements Query<WorkerFrame.Slots> {

        @Override
        public PromptInput prompt() {
            return new PromptInput.Raw(List.of(), null);
        }
    }

    /** The client of this request is gone: stop it, wherever it stands. Unknown ids are ignored. */
    record Cancel(String id) implements ServerFrame {}

    /** No request that was sent needs the pixels of this image any more: the worker keeps them no longer. */
    record ForgetImage(String sha256) implements ServerFrame {}

    /**
     * An image as the server decoded it. Its pixels come with the first request that has it. The worker keeps them until
     * {@link ForgetImage}, and other requests until then, as the other choices of one answer, come without.
     *
     * @param width in pixels
     * @param height in pixels
     * @param sha256 lower-case hexadecimal SHA-256 of width, height and pixels: the identity used by caches
     * @param pixels {@code 3 * width * height} bytes; null when the worker has them
     */
    record Image(int width, int height, String sha256, ImagePixels pixels) {

        /** @param rgb as {@link ImagePixels} has it */
        public Image(int width, int height, String sha256, byte[] rgb) {
            this(width, height, sha256, new ImagePixels(rgb));
        }

        /** @return null when the worker has them, or nobody needs them any more */
        public byte[] rgb() {
            return pixels == null ? null : pixels.rgb();
        }

        /** The same for a worker that has its pixels. */
        public Image withoutPixels() {
            return new Image(width, height, sha256, (ImagePixels) null);
        }
    }
}
