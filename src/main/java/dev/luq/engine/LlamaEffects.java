package dev.luq.engine;

import dev.luq.filecache.CachedFiles;
import dev.luq.gguf.Pooling;
import dev.luq.llama.Context;
import dev.luq.llama.EncodingListener;
import dev.luq.llama.FiniteTap;
import dev.luq.llama.ImageChunk;
import dev.luq.llama.ImageEmbedding;
import dev.luq.llama.LlamaException;
import dev.luq.llama.SequenceState;
import dev.luq.llama.TokenBatch;
import dev.luq.llama.Vocabulary;
import dev.luq.prompt.Prompt;
import dev.luq.prompt.PromptBuilder;
import dev.luq.prompt.PromptRequest;
import dev.luq.prompt.PromptUnit;
import java.nio.FloatBuffer;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.function.BiFunction;
import java.util.function.Consumer;

/**
 * {@link Effects} on llama.cpp. Prompts are prepared on {@link PromptThreads}; {@link ImageEncoder} encodes images on another
 * thread. All answer through {@link Replies}. Everything else happens on the engine thread, which alone uses the context.
 */
final class LlamaEffects implements Effects, AutoCloseable {

    private static final System.Logger LOG = System.getLogger(LlamaEffects.class.getName());

    /** Where the other threads report to; called on these threads. */
    interface Replies {
        /** The receiver owns prepared. */
        void prepared(String request, PromptBuilder.Prepared prepared);

        void preparationFailed(String request, EngineException failure);

        /** The receiver owns the embedding. */
        void encoded(String image, ImageEmbedding embedding, double millis);

        void encodingFailed(String image, EngineException failure);

        /** Nobody waited for the image any more. */
        void encodingStopped(String image);

        /** The image had been encoded before. The receiver owns the embedding. */
        void restored(String image, ImageEmbedding embedding);

        /** The file of an image that was encoded is written, or cannot be. */
        void kept(String image);

        /**
         * A prefix of a request's prompt was looked for among the files.
         *
         * @param prefix null when there is none
         * @param state the receiver owns it; null when there is none
         */
        void prefixRead(String request, ImagePrefix prefix, SequenceState state);

        /** The request's client is gone. */
        void abandoned(String request);
    }

    /** How often a request whose first token takes a while says how far it is. */
    static final long PROGRESS_NANOS = 1_000_000_000;

    /**
     * Images that may wait for the encoder with their pixels as it takes them, which are some ten MiB each: as many as
     * estimates of memory count. Those of further ones are made again when they are encoded, in a small part of that time.
     */
    static final int IMAGES_WITH_PIXELS = 2;

    private final Context context;
    private final Vocabulary vocabulary;
    private final PromptBuilder prompts;
    private final Replies replies;
    private final Runnable beforeEnd;
    private final WorkListener work;
    private final long streamInterval;
    private final TokenBatch batch;
    private final Turns turns;
    private final PromptThreads threads;
    private final Semaphore waitingPixels = new Semaphore(IMAGES_WITH_PIXELS);
    /** Changed by the engine thread. */
    private final Map<String, RequestState> requests = new ConcurrentHashMap<>();
    /** Of evicted sequences, by the numbers of {@link PromptCache}. */
    private final Map<Long, SequenceState> states = new HashMap<>();
    /** Index in the latest batch of each request's next logits. */
    private final Map<String, Integer> outputs = new HashMap<>();

    private final Pooling pooling;
    private final boolean pools;
    /** Whether each token of a prompt that is embedded has an output. */
    private final boolean embedsAllTokens;

    private final OutputVectors vectors = new OutputVectors();
    /** In the latest batch, for the requests that are embedded: which of its outputs are theirs. */
    private final Map<String, OutputRows> embedded = new HashMap<>();

    private record OutputRows(int sequence, int first, int count) {}

    final Counters counters = new Counters();
    private final ImageEncoder images;
    private final PromptFiles promptFiles;

    /** Counters of {@link EngineStats}, for the engine thread. */
    static final class Counters {
        long promptTokens;
        long generationTokens;
        long prefixQueries;
        long prefixHits;
        long imageQueries;
        long imageHits;
        long imageFileQueries;
        long imageFileHits;
        long promptFileQueries;
        long promptFileHits;
        long imagesEncoded;
        double imageEncodeMillis;
        long imageTokens;
        long cancelled;
        long evaluatedTokens;
        double promptMillis;
        double generationMillis;
        long decodes;
        long decodedSequences;
        long draftedTokens;
        long acceptedTokens;
        long drafts;
    }

    /**
     * @param threads stopped with {@link #stopThreads}
     * @param imageEncoder used on one thread at a time
     * @param seen as of {@link ImageEncoder}
     * @param keptPrompts keys and values of prompts that earlier engines evaluated; null to keep none
     * @param pools whether llama.cpp pools, and the context has an output for each token: of encoders and rerankers
     * @param beforeEnd called before the last event of a request
     * @param work told about prompts and images
     */
    LlamaEffects(
            Context context,
            Vocabulary vocabulary,
            PromptBuilder prompts,
            PromptThreads threads,
            BiFunction<ImageChunk, EncodingListener, ImageEmbedding> imageEncoder,
            SeenImages seen,
            CachedFiles keptPrompts,
            EngineOptions options,
            boolean pools,
            Replies replies,
            Runnable beforeEnd,
            WorkListener work) {
        this.context = context;
        this.vocabulary = vocabulary;
        this.prompts = prompts;
        this.threads = threads;
        this.replies = replies;
        this.beforeEnd = beforeEnd;
        this.work = work;
        this.streamInterval = options.streamInterval().toNanos();
        this.pooling = options.pooling();
        this.pools = pools;
        this.embedsAllTokens = pools || pooling == Pooling.MEAN;
        this.batch = TokenBatch.create(options.batchSize());
        this.turns = new Turns(options.encodesInTurns());
        this.images = new ImageEncoder(imageEncoder, turns, seen, options.imageCacheBytes(), replies, work, counters);
        this.promptFiles = new PromptFiles(keptPrompts, context, replies, counters);
    }

    /**
     * Makes a request known, before {@link Scheduler#submitted}.
     *
     * @return false when its id is in use
     */
    boolean add(GenerationRequest request, Consumer<GenerationEvent> consumer) {
        Runnable abandon = () -> replies.abandoned(request.id());
        return requests.putIfAbsent(request.id(), new RequestState(request, consumer, streamInterval, abandon)) == null;
    }

    /** Begins to cancel a request: an image is not encoded for it any further. Any thread; unknown ids are ignored. */
    void cancelling(String request) {
        RequestState state = requests.get(request);
        if (state != null) {
            state.cancel();
            images.cancelled();
        }
    }

    /** Says how far a request is, if that was not said within {@link #PROGRESS_NANOS}. */
    void tellProgress(Scheduler.Progress progress) {
        float share = progress.phase() == GenerationEvent.Phase.ENCODING
                ? images.share(progress.image())
                : (float) progress.evaluated() / progress.tokens();
        requests.get(progress.request()).tellProgress(PROGRESS_NANOS, progress, share);
    }

    // ---- preparing ----

    @Override
    public void prepare(String id) {
        RequestState state = requests.get(id);
        String client = state.request().client();
        PromptRequest prompt = state.request().prompt();
        Runnable preparation = () -> build(state, prompt);
        state.preparing(threads.execute(
                client, prompt.content().length(), !prompt.images().isEmpty(), preparation));
    }

    /** On a thread that prepares prompts. */
    private void build(RequestState state, PromptRequest prompt) {
        if (!state.isWanted()) {
            return;
        }
        work.begins(WorkListener.Work.PROMPT, List.of(state.id()));
        try {
            PromptBuilder.Prepared prepared = prompts.build(prompt, image -> image.keepWith(waitingPixels));
            replies.prepared(state.id(), prepared);
        } catch (RuntimeException | Error e) {
            replies.preparationFailed(state.id(), EngineException.of(e));
        } finally {
            work.ends(WorkListener.Work.PROMPT);
        }
    }

    /**
     * Takes a prepared prompt over.
     *
     * @return whether its request is still in flight
     */
    boolean prepared(String request, PromptBuilder.Prepared prepared) {
        RequestState state = requests.get(request);
        if (state == null) {
            prepared.close();
            return false;
        }
        state.prepared(prepared, vocabulary);
        return true;
    }

    @Override
    public void admitted(String request, Prompt prompt, int cachedTokens) {
        RequestState state = requests.get(request);
        state.admitted(prompt, cachedTokens);
        promptFiles.forgetRead(request);
        if (state.request().cachePrompt()) {
            counters.prefixQueries += prompt.tokens();
            counters.prefixHits += cachedTokens;
        }
    }

    // ---- images ----

    @Override
    public boolean encode(String request, int unit, PromptUnit.Image image) {
        return images.encode(requests.get(request), unit, image);
    }

    /** Takes an image's embedding over. */
    void encoded(String image, ImageEmbedding embedding, double millis) {
        images.encoded(image, embedding, millis);
    }

    void encodingFailed(String image) {
        images.encodingFailed(image);
    }

    void encodingStopped(String image) {
        images.encodingStopped(image);
    }

    /** Takes an image's embedding over. */
    void restored(String image, ImageEmbedding embedding) {
        images.restored(image, embedding);
    }

    void kept(String image) {
        images.kept(image);
    }

    // ---- decoding ----

    @Override
    public boolean remove(int sequence, int from, int to) {
        return context.remove(sequence, from, to);
    }

    @Override
    public void copy(int source, int target, int from, int to) {
        context.copy(source, target, from, to);
    }

    @Override
    public int window() {
        return context.window();
    }

    @Override
    public int firstPosition(int sequence) {
        return context.firstPosition(sequence);
    }

    @Override
    public long stateBytes(int sequence) {
        return context.stateBytes(sequence);
    }

    @Override
    public boolean save(int sequence, long id) {
        try {
            states.put(id, context.save(sequence));
            return true;
        } catch (LlamaException | OutOfMemoryError e) {
            LOG.log(System.Logger.Level.WARNING, "A prompt is not kept beyond its sequence", e);
            return false;
        }
    }

    @Override
    public boolean restore(long id, int sequence) {
        return context.restore(states.get(id), sequence);
    }

    @Override
    public void forget(long id) {
        states.remove(id).close();
    }

    @Override
    public boolean readPrefix(String request, Prompt prompt, int cells) {
        return promptFiles.ask(requests.get(request), prompt, cells);
    }

    /**
     * Takes over what was found for a request.
     *
     * @param prefix null when there is none
     * @param state null when there is none
     * @return units of the prefix; 0 when there is none, or no such request any more
     */
    int prefixRead(String request, ImagePrefix prefix, SequenceState state) {
        if (prefix == null) {
            return 0;
        }
        if (!requests.containsKey(request)) {
            promptFiles.drop(state);
            return 0;
        }
        promptFiles.found(request, prefix, state);
        return prefix.units();
    }

    @Override
    public boolean restorePrefix(String request, int sequence) {
        work.begins(WorkListener.Work.STEP, List.of(request));
        try {
            return promptFiles.restore(request, sequence);
        } finally {
            work.ends(WorkListener.Work.STEP);
        }
    }

    @Override
    public void keepPrefix(String request, int sequence, Prompt prefix) {
        promptFiles.keep(request, sequence, prefix);
    }

    @Override
    public void decode(List<Step.TokenRun> runs) {
        fill(runs);
        if (batch.size() > batch.outputs()) {
            flushDeltas();
        }
        decode(() -> context.decode(batch));
        counters.decodes++;
        counters.decodedSequences += runs.size();
    }

    private void decode(Runnable decode) {
        turns.step(() -> {
            if (embedded.isEmpty() || pools) {
                decode.run();
            } else {
                vectors.read(context, decode);
            }
        });
        embedded.forEach((request, rows) -> pool(requests.get(request), rows));
    }

    private void pool(RequestState request, OutputRows rows) {
        Optional<FloatBuffer> whole = pools ? context.embedding(rows.sequence()) : Optional.empty();
        if (whole.isPresent()) {
            request.pool(whole.get());
            return;
        }
        int last = rows.first() + rows.count() - 1;
        for (int row = pooling == Pooling.LAST ? last : rows.first(); row <= last; row++) {
            request.pool(pools ? context.vector(row) : vectors.row(row));
            if (pooling == Pooling.CLS) {
                return;
            }
        }
    }

    private void fill(List<Step.TokenRun> runs) {
        batch.clear();
        outputs.clear();
        embedded.clear();
        for (Step.TokenRun run : runs) {
            boolean embeds = requests.get(run.request()).request().embeds();
            int firstEmbedded = batch.outputs();
            int firstOutput = run.tokens().length - run.outputs();
            for (int i = 0; i < run.tokens().length; i++) {
                boolean output = i >= firstOutput || embeds && embedsAllTokens;
                int index = batch.add(run.tokens()[i], run.position() + i, run.sequence(), output);
                if (i == firstOutput) {
                    outputs.put(run.request(), index);
                }
            }
            if (embeds && batch.outputs() > firstEmbedded) {
                int count = batch.outputs() - firstEmbedded;
                embedded.put(run.request(), new OutputRows(run.sequence(), firstEmbedded, count));
            }
        }
    }

    @Override
    public void decode(Step.ImageSlice slice) {
        flushDeltas();
        boolean embeds = requests.get(slice.request()).request().embeds();
        int last = slice.output() ? 1 : 0;
        int count = embeds && embedsAllTokens ? slice.count() : last;
        embedded.clear();
        if (embeds && count > 0) {
            embedded.put(slice.request(), new OutputRows(slice.sequence(), 0, count));
        }
        decode(() -> context.decode(
                images.embedding(slice.image()),
                slice.first(),
                slice.count(),
                slice.position(),
                slice.sequence(),
                count));
        outputs.clear();
        outputs.put(slice.request(), slice.count() - 1);
        if (slice.last()) {
            images.decoded(requests.get(slice.request()), slice.unit());
        }
    }

    /** Before a step with a part of a prompt, which may take long: text does not wait for it. */
    private void flushDeltas() {
        requests.values().forEach(RequestState::flushDeltas);
    }

    /**
     * Decodes a run once more and looks at the tensors of the graph. Outputs of the latest batch are lost.
     *
     * @param run the latest of its sequence
     * @return the first tensor that is not finite; empty when all are now, or when the run cannot be decoded again
     */
    Optional<FiniteTap.Location> locateNonFinite(Step.TokenRun run) {
        if (!context.remove(run.sequence(), run.position(), -1)) {
            return Optional.empty();
        }
        FiniteTap tap = new FiniteTap();
        fill(List.of(run));
        context.watch(tap);
        try {
            turns.step(() -> context.decode(batch));
        } catch (LlamaException e) {
            LOG.log(System.Logger.Level.WARNING, "A step cannot be decoded again", e);
        } finally {
            context.watch(null);
        }
        return tap.found();
    }

    // ---- output ----

    @Override
    public void accepted(String request, Prompt prompt, int cachedTokens) {
        counters.promptTokens += prompt.tokens();
        counters.imageTokens += prompt.imageTokens();
        counters.evaluatedTokens += prompt.tokens() - cachedTokens;
        counters.promptMillis += requests.get(request).accepted(prompt, cachedTokens);
    }

    @Override
    public Sampled sample(String request) {
        RequestState state = requests.get(request);
        if (state.request().embeds()) {
            return state.embed();
        }
        int output = outputs.get(request);
        outputs.put(request, output + 1);
        Sampled sampled = state.sample(context, output, vocabulary);
        counters.generationTokens++;
        counters.generationMillis += state.tokenMillis();
        promptFiles.isSound(request);
        return sampled;
    }

    @Override
    public void drafted(String request, int tokens, int accepted) {
        counters.draftedTokens += tokens;
        counters.acceptedTokens += accepted;
        counters.drafts++;
        requests.get(request).drafted(tokens, accepted);
    }

    @Override
    public void finished(String request, FinishReason reason) {
        try (RequestState state = end(request)) {
            finish(state, reason);
        }
    }

    /** With an event in any case: the scheduler knows the request no longer, so that nobody else would end it. */
    private static void finish(RequestState state, FinishReason reason) {
        try {
            state.finish(reason);
        } catch (RuntimeException | Error e) {
            LOG.log(System.Logger.Level.ERROR, "A request failed at its end", e);
            state.fail(EngineException.of(e));
        }
    }

    @Override
    public void failed(String request, EngineException failure) {
        counters.cancelled += failure instanceof EngineException.Cancelled ? 1 : 0;
        try (RequestState state = end(request)) {
            state.fail(failure);
        }
    }

    private RequestState end(String request) {
        RequestState state = requests.remove(request);
        state.dropPreparation();
        images.release(state);
        promptFiles.release(request);
        beforeEnd.run();
        return state;
    }

    /** Waits for what the other threads have begun; their last replies follow. Requests must have ended before. */
    void stopThreads() {
        threads.stop();
        images.stopThreads();
        promptFiles.stopThreads();
    }

    @Override
    public void close() {
        images.close();
        states.values().forEach(SequenceState::close);
        batch.close();
    }
}
