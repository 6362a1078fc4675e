package dev.luq.engine;

import dev.luq.llama.Context;
import dev.luq.llama.FiniteNumbers;
import dev.luq.llama.FiniteTap;
import dev.luq.llama.ImageChunk;
import dev.luq.llama.ImageEmbedding;
import dev.luq.llama.LlamaException;
import dev.luq.llama.TokenBatch;
import dev.luq.llama.Vocabulary;
import dev.luq.prompt.EmbeddingCache;
import dev.luq.prompt.Prompt;
import dev.luq.prompt.PromptBuilder;
import dev.luq.prompt.PromptException;
import dev.luq.prompt.PromptUnit;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.Function;

/**
 * {@link Effects} on llama.cpp. Prompts are prepared on some threads: short texts, long texts and those with images apart,
 * so that nobody waits for what takes longer than his own. Images are encoded on another thread. All answer through
 * {@link Replies}. Everything else happens on the engine thread, which alone uses the context.
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

        /** The request's client is gone. */
        void abandoned(String request);
    }

    /** A request that waits for an image to be encoded. */
    private record Wish(Generation generation, int unit) {
    }

    /**
     * Stack of threads that run llama.cpp's parsers, which recurse with what clients write: address space, not memory, for
     * the most that is accepted.
     */
    static final long NATIVE_STACK = 512L << 20;
    /** Characters up to which a prompt without images takes some milliseconds. */
    private static final int SHORT_TEXT = 8 * 1024;

    private final Context context;
    private final Vocabulary vocabulary;
    private final PromptBuilder prompts;
    private final Function<ImageChunk, ImageEmbedding> encoder;
    private final Replies replies;
    private final Runnable beforeEnd;
    private final WorkListener work;
    private final long streamInterval;
    private final TokenBatch batch;
    private final EmbeddingCache<ImageEmbedding> embeddings;
    private final ThreadPoolExecutor preparingShort = threads("luq-short-prompt", 1);
    private final ThreadPoolExecutor preparingLong = threads("luq-long-prompt", 2);
    private final ThreadPoolExecutor preparingImages = threads("luq-image-prompt", 1);
    private final ThreadPoolExecutor encoding = threads("luq-image", 1);
    private final Map<String, Generation> generations = new HashMap<>();
    /** Images being encoded or queued for it. */
    private final Map<String, List<Wish>> wishes = new HashMap<>();
    private final Map<String, EncodeJob> jobs = new HashMap<>();
    /** Where in the latest batch each request's logits are. */
    private final Map<String, Integer> outputs = new HashMap<>();
    final Counters counters = new Counters();

    /** Counters of {@link EngineStats}, for the engine thread. */
    static final class Counters {
        long promptTokens;
        long generationTokens;
        long prefixQueries;
        long prefixHits;
        long imageQueries;
        long imageHits;
        long imagesEncoded;
        double imageEncodeMillis;
        long imageTokens;
        long cancelled;
    }

    /**
     * @param encoder used on one thread at a time
     * @param beforeEnd called before the last event of a request
     * @param work told about prompts and images
     */
    LlamaEffects(Context context, Vocabulary vocabulary, PromptBuilder prompts,
            Function<ImageChunk, ImageEmbedding> encoder, EngineOptions options, Replies replies,
            Runnable beforeEnd, WorkListener work) {
        this.context = context;
        this.vocabulary = vocabulary;
        this.prompts = prompts;
        this.encoder = encoder;
        this.replies = replies;
        this.beforeEnd = beforeEnd;
        this.work = work;
        this.streamInterval = options.streamInterval().toNanos();
        this.batch = TokenBatch.create(options.batchSize());
        this.embeddings = new EmbeddingCache<>(options.imageCacheBytes());
    }

    private static ThreadPoolExecutor threads(String name, int count) {
        AtomicInteger started = new AtomicInteger();
        return new ThreadPoolExecutor(count, count, 0, TimeUnit.SECONDS, new LinkedBlockingQueue<>(), task -> {
            // Each has its own name: after a crash it tells whose work that was.
            Thread thread = new Thread(null, task, name + (count == 1 ? "" : "-" + started.incrementAndGet()), NATIVE_STACK);
            thread.setDaemon(true);
            return thread;
        });
    }

    /** Makes a request known, before {@link Scheduler#submitted}. @return false when its id is in use */
    boolean add(GenerationRequest request, Consumer<GenerationEvent> consumer) {
        Runnable abandon = () -> replies.abandoned(request.id());
        return generations.putIfAbsent(request.id(), new Generation(request, consumer, streamInterval, abandon)) == null;
    }

    // ---- preparing ----

    @Override
    public void prepare(String request) {
        Generation generation = generations.get(request);
        GenerationRequest input = generation.request();
        lane(input).execute(() -> {
            if (generation.ended()) {
                return;
            }
            work.begins(WorkListener.Work.PROMPT, List.of(request));
            try {
                replies.prepared(request, prompts.build(input.prompt()));
            } catch (RuntimeException | Error e) {
                replies.preparationFailed(request, EngineException.of(e));
            } finally {
                work.ends(WorkListener.Work.PROMPT);
            }
        });
    }

    private ThreadPoolExecutor lane(GenerationRequest request) {
        if (!request.prompt().images().isEmpty()) {
            return preparingImages;
        }
        return request.prompt().textLength() <= SHORT_TEXT ? preparingShort : preparingLong;
    }

    /** Takes a prepared prompt over. @return whether its request is still there */
    boolean keep(String request, PromptBuilder.Prepared prepared) {
        Generation generation = generations.get(request);
        if (generation == null) {
            prepared.close();
            return false;
        }
        generation.prepared(prepared, vocabulary);
        return true;
    }

    @Override
    public void admitted(String request, Prompt prompt, int cachedTokens) {
        Generation generation = generations.get(request);
        generation.admitted();
        if (generation.request().cachePrompt()) {
            counters.prefixQueries += prompt.tokens();
            counters.prefixHits += cachedTokens;
        }
    }

    // ---- images ----

    private final class EncodeJob implements Runnable {
        private final String request;
        private final String image;
        private final ImageChunk chunk;

        /** @param request the first one that wants it */
        EncodeJob(String request, String image, ImageChunk chunk) {
            this.request = request;
            this.image = image;
            this.chunk = chunk;
        }

        @Override
        public void run() {
            long start = System.nanoTime();
            work.begins(WorkListener.Work.IMAGE, List.of(request));
            try (chunk) {
                ImageEmbedding embedding = encoder.apply(chunk);
                if (!FiniteNumbers.areFinite(embedding.data())) {
                    embedding.close();
                    throw new EngineException.NotFinite("The embeddings of the image");
                }
                replies.encoded(image, embedding, (System.nanoTime() - start) / 1e6);
            } catch (LlamaException.InvalidImage e) {
                replies.encodingFailed(image, EngineException.of(new PromptException.InvalidImage(e.getMessage(), e)));
            } catch (RuntimeException | Error e) {
                replies.encodingFailed(image, EngineException.of(e));
            } finally {
                work.ends(WorkListener.Work.IMAGE);
            }
        }
    }

    @Override
    public boolean encode(String request, int unit, PromptUnit.Image image) {
        Generation generation = generations.get(request);
        counters.imageQueries++;
        if (embeddings.pin(image.id())) {
            counters.imageHits++;
            generation.pin(unit, image.id());
            return true;
        }
        wishes.computeIfAbsent(image.id(), id -> {
            EncodeJob job = new EncodeJob(request, id, generation.takeImage(unit));
            jobs.put(id, job);
            encoding.execute(job);
            return new ArrayList<>();
        }).add(new Wish(generation, unit));
        return false;
    }

    /** Takes an image's embeddings over and holds them for those who wait for them. */
    void keep(String image, ImageEmbedding embedding, double millis) {
        counters.imagesEncoded++;
        counters.imageEncodeMillis += millis;
        jobs.remove(image);
        List<Wish> fulfilled = wishes.remove(image);
        embeddings.put(image, embedding, embedding.bytes(), fulfilled.size());
        for (Wish wish : fulfilled) {
            wish.generation.pin(wish.unit, image);
            wish.generation.imageEncoded(millis);
        }
    }

    void encodingFailed(String image) {
        jobs.remove(image);
        wishes.remove(image);
    }

    @Override
    public boolean divisible(PromptUnit.Image image) {
        return embeddings.pinned(image.id()).divisible();
    }

    /** An image that nobody waits for any more is not encoded, unless that has begun. */
    private void withdrawWishes(Generation generation) {
        wishes.entrySet().removeIf(entry -> {
            entry.getValue().removeIf(wish -> wish.generation == generation);
            if (!entry.getValue().isEmpty()) {
                return false;
            }
            EncodeJob job = jobs.get(entry.getKey());
            if (!encoding.remove(job)) {
                return false;
            }
            jobs.remove(entry.getKey());
            job.chunk.close();
            return true;
        });
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
    public void decode(List<Step.TokenRun> runs) {
        fill(runs);
        if (batch.size() > runs.size()) {
            showGathered();
        }
        context.decode(batch);
    }

    private void fill(List<Step.TokenRun> runs) {
        batch.clear();
        outputs.clear();
        for (Step.TokenRun run : runs) {
            int last = run.tokens().length - 1;
            for (int i = 0; i <= last; i++) {
                int index = batch.add(run.tokens()[i], run.position() + i, run.sequence(), run.output() && i == last);
                if (run.output() && i == last) {
                    outputs.put(run.request(), index);
                }
            }
        }
    }

    /**
     * Decodes what a sequence ends with once more, to look at the model's tensors. Outputs of the latest batch are lost.
     *
     * @param run the latest of its sequence
     * @return where numbers are not finite; empty when they are now, or when it cannot be decoded again
     */
    Optional<FiniteTap.Place> notFinite(Step.TokenRun run) {
        if (!context.remove(run.sequence(), run.position(), -1)) {
            return Optional.empty();
        }
        FiniteTap tap = new FiniteTap();
        fill(List.of(run));
        context.watch(tap);
        try {
            context.decode(batch);
        } catch (LlamaException e) {
            LOG.log(System.Logger.Level.WARNING, "A step cannot be looked at again", e);
        } finally {
            context.watch(null);
        }
        return tap.found();
    }

    /** Before a step with a part of a prompt, which may take long: text does not wait for it. */
    private void showGathered() {
        generations.values().forEach(Generation::showGathered);
    }

    @Override
    public void decode(Step.ImageSlice slice) {
        showGathered();
        ImageEmbedding embedding = embeddings.pinned(slice.image().id());
        context.decode(embedding, slice.first(), slice.count(), slice.position(), slice.sequence(),
                slice.output() ? 1 : 0);
        outputs.clear();
        outputs.put(slice.request(), slice.count() - 1);
        if (slice.last()) {
            generations.get(slice.request()).unpin(slice.unit(), embeddings);
        }
    }

    // ---- answering ----

    @Override
    public void accepted(String request, Prompt prompt, int cachedTokens) {
        counters.promptTokens += prompt.tokens();
        counters.imageTokens += prompt.imageTokens();
        generations.get(request).accepted(prompt, cachedTokens);
    }

    @Override
    public Sampled sample(String request) {
        Sampled sampled = generations.get(request).sample(context, outputs.get(request), vocabulary);
        counters.generationTokens++;
        return sampled;
    }

    @Override
    public void finished(String request, FinishReason reason) {
        Generation generation = end(request);
        try (generation) {
            generation.finish(reason);
        } catch (RuntimeException e) {
            generation.fail(EngineException.of(e));
        }
    }

    @Override
    public void failed(String request, EngineException failure) {
        counters.cancelled += failure instanceof EngineException.Cancelled ? 1 : 0;
        try (Generation generation = end(request)) {
            generation.fail(failure);
        }
    }

    private Generation end(String request) {
        Generation generation = generations.remove(request);
        withdrawWishes(generation);
        generation.unpinAll(embeddings);
        beforeEnd.run();
        return generation;
    }

    /** Waits for what the other threads have begun; their last replies follow. Requests must have ended before. */
    void stopThreads() {
        List<ThreadPoolExecutor> preparing = List.of(preparingShort, preparingLong, preparingImages);
        preparing.forEach(lane -> lane.getQueue().clear());
        preparing.forEach(LlamaEffects::stop);
        stop(encoding);
    }

    @Override
    public void close() {
        embeddings.close();
        batch.close();
    }

    private static void stop(ThreadPoolExecutor thread) {
        thread.shutdown();
        boolean interrupted = false;
        while (true) {
            try {
                if (thread.awaitTermination(1, TimeUnit.MINUTES)) {
                    break;
                }
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
