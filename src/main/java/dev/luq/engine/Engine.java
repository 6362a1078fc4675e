package dev.luq.engine;

import dev.luq.gguf.Pooling;
import dev.luq.llama.ChatTemplates;
import dev.luq.llama.Context;
import dev.luq.llama.EncodingListener;
import dev.luq.llama.ImageChunk;
import dev.luq.llama.ImageEmbedding;
import dev.luq.llama.LlamaException;
import dev.luq.llama.Model;
import dev.luq.llama.SequenceState;
import dev.luq.llama.Vision;
import dev.luq.prompt.PromptBuilder;
import dev.luq.prompt.PromptException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.BiFunction;
import java.util.function.Consumer;

/**
 * Generates for many requests at once with one model. Thread-safe.
 *
 * <p>The engine thread repeats: handle the events of the mailbox, schedule a step, decode it, sample. It alone uses the
 * context. {@link Scheduler} decides, {@link LlamaEffects} does. What happens on other threads (a submission, a prepared
 * prompt, an encoded image, a cancellation) comes as an event and is handled before the next step.
 */
public final class Engine implements AutoCloseable {

    private static final System.Logger LOG = System.getLogger(Engine.class.getName());

    /**
     * Work for the engine thread.
     *
     * @param request the one that fails if handling it fails, or null
     */
    private record Event(String request, Runnable handle) {}

    private final BlockingQueue<Event> mailbox = new LinkedBlockingQueue<>();
    private final EngineOptions options;
    private final PromptBuilder prompts;
    private final InFlightQueries queries;
    private final LlamaEffects effects;
    private final Scheduler scheduler;
    private final boolean generates;
    private final List<AutoCloseable> owned;
    private final WorkListener work;
    private final Thread thread = new Thread(null, this::run, "luq-engine", NativeThreads.STACK_BYTES);
    private boolean idle = true;
    private volatile boolean closing;
    /** The mailbox is no longer read. */
    private volatile boolean closed;

    private volatile EngineStats stats;

    private Engine(
            EngineOptions options,
            Model model,
            Context context,
            ChatTemplates templates,
            Vision vision,
            BiFunction<ImageChunk, EncodingListener, ImageEmbedding> encoder,
            EngineFiles files,
            WorkListener work) {
        this.options = options;
        this.work = work;
        generates = model.generates();
        int sequenceContext = options.sequenceContext() == 0
                ? context.contextSize()
                : Math.min(options.sequenceContext(), context.contextSize());
        prompts = new PromptBuilder(model, templates, vision, sequenceContext);
        PromptThreads threads = new PromptThreads();
        queries = new InFlightQueries(threads, work);
        effects = new LlamaEffects(
                context,
                model.vocabulary(),
                prompts,
                threads,
                encoder,
                vision == null || files.images() == null ? null : new SeenImages.InFiles(vision, files.images()),
                vision == null ? null : files.prompts(),
                options,
                !generates,
                new ToMailbox(),
                this::publishStats,
                work);
        scheduler = new Scheduler(
                effects,
                options.sequences(),
                context.contextSize(),
                sequenceContext,
                options.batchSize(),
                options.promptCacheBytes(),
                options.draftTokens(),
                !generates);
        owned = vision == null ? List.of(templates, context) : List.of(templates, vision, context);
        publishStats();
    }

    /**
     * Starts to serve a model. The engine owns context, templates and vision from now on; the model stays the caller's
     * and is closed after the engine.
     *
     * @param vision null for a model that only reads text
     * @param files where is kept what later processes find again
     * @param work told what is worked on
     * @throws IllegalArgumentException the context was created for fewer sequences, outputs or smaller batches, or the
     *     model cannot be pooled or draft; nothing is owned
     */
    public static Engine start(
            EngineOptions options,
            Model model,
            Context context,
            ChatTemplates templates,
            Vision vision,
            EngineFiles files,
            WorkListener work) {
        return start(options, model, context, templates, vision, vision == null ? null : vision::encode, files, work);
    }

    /** @param encoder what encodes images, on a thread of its own */
    static Engine start(
            EngineOptions options,
            Model model,
            Context context,
            ChatTemplates templates,
            Vision vision,
            BiFunction<ImageChunk, EncodingListener, ImageEmbedding> encoder,
            EngineFiles files,
            WorkListener work) {
        if (options.sequences() > context.options().sequences()
                || options.batchSize() > context.options().batchSize()
                || options.sequences() + options.draftTokens()
                        > context.options().outputs()) {
            throw new IllegalArgumentException("the context was created for "
                    + context.options().sequences() + " sequences, batches of "
                    + context.options().batchSize() + " and "
                    + context.options().outputs() + " outputs");
        }
        if (options.pooling() == Pooling.MEAN && context.options().outputs() < options.batchSize()) {
            throw new IllegalArgumentException(
                    "the context was created for " + context.options().outputs() + " outputs, not one for each token");
        }
        if (options.draftTokens() > 0 && model.isRecurrent()) {
            throw new IllegalArgumentException("a recurrent model's memory cannot be cut: it drafts nothing");
        }
        checkPooling(options.pooling(), model);
        if (!model.generates() && vision != null) {
            throw new IllegalArgumentException("encoders and rerankers read no images");
        }
        Engine engine = new Engine(options, model, context, templates, vision, encoder, files, work);
        engine.thread.start();
        return engine;
    }

    private static void checkPooling(Pooling pooling, Model model) {
        if (pooling == Pooling.RANK != model.ranks()) {
            throw new IllegalArgumentException("the model was " + (model.ranks() ? "" : "not ") + "loaded to rank");
        }
        if (pooling == Pooling.NONE && model.isEncoder()) {
            throw new IllegalArgumentException("an encoder makes embeddings alone, and its file does not say how:"
                    + " luq.models.\"ID\".pooling does");
        }
        if (pooling == Pooling.CLS && !model.isEncoder()) {
            throw new IllegalArgumentException(
                    "the first token of a model that generates knows nothing of the others: pool by last or mean");
        }
        if (pooling != Pooling.NONE && model.isRecurrent()) {
            throw new IllegalArgumentException("recurrent models make no embeddings here");
        }
    }

    /**
     * Queues a request and returns at once.
     *
     * @param consumer gets the request's events on the engine's thread: it returns at once and does not throw. If it
     *        throws, the request is cancelled, and only its last event follows
     */
    public void submit(GenerationRequest request, Consumer<GenerationEvent> consumer) {
        Event submission = new Event(request.id(), () -> {
            EngineException failure = refusal(request, consumer);
            if (failure != null) {
                consumer.accept(failure.event(request.id()));
                return;
            }
            scheduler.submitted(
                    request.id(),
                    request.maxTokens(),
                    request.cachePrompt(),
                    !request.embeds(),
                    Objects.requireNonNullElse(request.client(), ""));
        });
        mailbox.add(submission);
        if (closed && mailbox.remove(submission)) {
            submission.handle.run();
        }
    }

    /** @return null when the request is known from now on */
    private EngineException refusal(GenerationRequest request, Consumer<GenerationEvent> consumer) {
        if (closing) {
            return new EngineException.Cancelled();
        }
        if (request.embeds() && options.pooling() == Pooling.NONE) {
            return new EngineException.Internal("The model makes no embeddings.", null);
        }
        if (!request.embeds() && !generates) {
            return new EngineException.Internal("The model generates nothing.", null);
        }
        return effects.add(request, consumer)
                ? null
                : new EngineException.Internal("The request's id is in use.", null);
    }

    /** Of the model, for the work of queries. */
    public PromptBuilder prompts() {
        return prompts;
    }

    /**
     * Begins to find an answer beside the generations, and returns at once. Exactly one of the consumers is called, on any
     * thread: it returns at once and does not throw.
     */
    public <T> void submit(Query<T> query, Consumer<T> answered, Consumer<EngineException> failed) {
        queries.submit(query, answered, failed);
    }

    /**
     * Reads what the sequences do, in order, between two steps, and returns at once. The consumers are those of a query.
     *
     * @param id unique among the requests in flight
     */
    public void readSlots(String id, Consumer<List<SlotState>> answered, Consumer<EngineException> failed) {
        if (queries.begin(id, failed)) {
            mailbox.add(new Event(null, () -> {
                if (queries.end(id)) {
                    answered.accept(scheduler.slots());
                }
            }));
        }
    }

    /**
     * Stops a request before the next step, wherever it stands, and the encoding of its images within moments. Ids that
     * are not in flight are ignored.
     */
    public void cancel(String id) {
        queries.cancel(id);
        mailbox.add(new Event(id, () -> scheduler.cancelled(id)));
        effects.cancelling(id);
    }

    /** A snapshot, at most one step old. When a request's last event comes, it counts as ended here. */
    public EngineStats stats() {
        return stats;
    }

    private void run() {
        while (!closing) {
            try {
                handleEvents();
                Step step = scheduler.schedule();
                idle = step.isEmpty();
                scheduler.progress().forEach(effects::tellProgress);
                decodeTokens(step);
                decodeImage(step);
                work.ends(WorkListener.Work.STEP);
            } catch (RuntimeException | Error e) {
                LOG.log(System.Logger.Level.ERROR, "The engine failed; all requests end", e);
                scheduler.failAll(EngineException.of(e));
            }
            publishStats();
        }
    }

    /** Waits for an event only when there is nothing to decode, and not for long while requests want to know more. */
    private void handleEvents() {
        Event event = idle ? await() : mailbox.poll();
        for (; event != null; event = mailbox.poll()) {
            work.begins(WorkListener.Work.STEP, event.request == null ? List.of() : List.of(event.request));
            try {
                event.handle.run();
            } catch (RuntimeException | Error e) {
                failed(event.request, e);
            }
            work.ends(WorkListener.Work.STEP);
        }
    }

    /** Decodes the step's batch of tokens, then samples for each request that has logits in it. */
    private void decodeTokens(Step step) {
        if (step.tokens().isEmpty() || !decode(() -> effects.decode(step.tokens()), step.requests())) {
            return;
        }
        Map<Step.TokenRun, EngineException.NonFiniteOutput> nonFinite = new LinkedHashMap<>();
        for (Step.TokenRun run : step.tokens()) {
            advance(run.request(), run.outputs() > 0, () -> scheduler.decoded(run), e -> nonFinite.put(run, e));
        }
        // Last, since it decodes again: that overwrites the logits of the others.
        nonFinite.forEach((run, e) -> decode(
                () -> failNonFinite(
                        run.request(), effects.locateNonFinite(run).map(e::at).orElse(e)),
                List.of(run.request())));
    }

    /** Decodes the step's slice of an image, then samples if the prompt ends with it. */
    private void decodeImage(Step step) {
        Step.ImageSlice slice = step.image();
        if (slice != null && decode(() -> effects.decode(slice), List.of(slice.request()))) {
            advance(
                    slice.request(),
                    slice.output(),
                    () -> scheduler.decoded(slice),
                    e -> failNonFinite(slice.request(), e));
        }
    }

    /**
     * @param requests those that have a part in it: they fail if it fails.
     * @return whether it succeeded
     */
    private boolean decode(Runnable decode, List<String> requests) {
        work.begins(WorkListener.Work.STEP, requests);
        try {
            decode.run();
            return true;
        } catch (LlamaException.NoKvSpace e) {
            LOG.log(System.Logger.Level.WARNING, "The KV cache is full", e);
            scheduler.outOfCells(requests);
        } catch (RuntimeException | Error e) {
            LOG.log(System.Logger.Level.ERROR, "A step failed", e);
            scheduler.decodeFailed(requests, EngineException.of(e));
        }
        return false;
    }

    /** @param output whether the request's next token is sampled now */
    private void advance(
            String request, boolean output, Runnable decoded, Consumer<EngineException.NonFiniteOutput> nonFinite) {
        try {
            decoded.run();
            if (output) {
                work.begins(WorkListener.Work.STEP, List.of(request));
                while (scheduler.sampled(request, effects.sample(request))) {
                    // The token was drafted, so that the next one's logits are there too.
                }
            }
        } catch (EngineException.NonFiniteOutput e) {
            nonFinite.accept(e);
        } catch (RuntimeException | Error e) {
            failed(request, e);
        }
    }

    private void failNonFinite(String request, EngineException.NonFiniteOutput failure) {
        // As after a failed decode, so that no other request reuses what the sequence holds.
        scheduler.decodeFailed(List.of(request), failure);
    }

    private void failed(String request, Throwable cause) {
        if (!(cause instanceof EngineException
                || cause instanceof PromptException)) { // those are answers to what a client sent
            LOG.log(System.Logger.Level.ERROR, "A request failed", cause);
        }
        scheduler.failed(request, EngineException.of(cause));
    }

    /** @return null after the interval in which requests are told how far they are */
    private Event await() {
        try {
            return scheduler.isEmpty()
                    ? mailbox.take()
                    : mailbox.poll(LlamaEffects.PROGRESS_NANOS, TimeUnit.NANOSECONDS);
        } catch (InterruptedException e) {
            LOG.log(System.Logger.Level.DEBUG, "Interrupts do not stop the engine, close does");
            return null;
        }
    }

    private void publishStats() {
        LlamaEffects.Counters c = effects.counters;
        stats = new EngineStats(
                scheduler.waiting(),
                scheduler.running(),
                scheduler.cellsUsed(),
                scheduler.cells(),
                c.promptTokens,
                c.generationTokens,
                c.prefixQueries,
                c.prefixHits,
                c.imageQueries,
                c.imageHits,
                c.imageFileQueries,
                c.imageFileHits,
                c.promptFileQueries,
                c.promptFileHits,
                c.imagesEncoded,
                c.imageEncodeMillis,
                c.imageTokens,
                c.cancelled,
                c.draftedTokens,
                c.acceptedTokens,
                c.drafts,
                scheduler.promptCacheBytes(),
                scheduler.restores(),
                scheduler.promptCacheEvictions(),
                c.evaluatedTokens,
                c.promptMillis,
                c.generationMillis,
                c.decodes,
                c.decodedSequences,
                scheduler.longestSequence());
    }

    /**
     * Ends all requests with {@code cancelled}, waits for the engine's threads and closes what it owns.
     *
     * @throws IllegalStateException when called by a consumer, on the engine's own thread
     */
    @Override
    public synchronized void close() {
        if (Thread.currentThread() == thread) {
            throw new IllegalStateException("the engine cannot be closed by a consumer");
        }
        if (closing) {
            return;
        }
        closing = true;
        mailbox.add(new Event(null, () -> {}));
        joinUninterruptibly();
        queries.close();
        scheduler.failAll(new EngineException.Cancelled());
        effects.stopThreads();
        closed = true;
        // The last replies of the other threads are discarded here, and late submissions are refused.
        idle = false;
        handleEvents();
        effects.close();
        for (AutoCloseable resource : owned) {
            try {
                resource.close();
            } catch (Exception e) {
                LOG.log(System.Logger.Level.WARNING, "Closing failed", e);
            }
        }
    }

    private void joinUninterruptibly() {
        boolean interrupted = false;
        while (thread.isAlive()) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /** Puts what other threads report into the mailbox. */
    private final class ToMailbox implements LlamaEffects.Replies {
        @Override
        public void prepared(String request, PromptBuilder.Prepared prepared) {
            mailbox.add(new Event(request, () -> {
                if (effects.prepared(request, prepared)) {
                    scheduler.prepared(request, prepared.prompt());
                }
            }));
        }

        @Override
        public void preparationFailed(String request, EngineException failure) {
            mailbox.add(new Event(request, () -> scheduler.failed(request, failure)));
        }

        @Override
        public void encoded(String image, ImageEmbedding embedding, double millis) {
            mailbox.add(new Event(null, () -> {
                effects.encoded(image, embedding, millis);
                scheduler.encoded(image);
            }));
        }

        @Override
        public void encodingFailed(String image, EngineException failure) {
            mailbox.add(new Event(null, () -> {
                effects.encodingFailed(image);
                scheduler.encodingFailed(image, failure);
            }));
        }

        @Override
        public void encodingStopped(String image) {
            mailbox.add(new Event(null, () -> effects.encodingStopped(image)));
        }

        @Override
        public void restored(String image, ImageEmbedding embedding) {
            mailbox.add(new Event(null, () -> {
                effects.restored(image, embedding);
                scheduler.encoded(image);
            }));
        }

        @Override
        public void kept(String image) {
            mailbox.add(new Event(null, () -> effects.kept(image)));
        }

        @Override
        public void prefixRead(String request, ImagePrefix prefix, SequenceState state) {
            mailbox.add(new Event(
                    request, () -> scheduler.prefixRead(request, effects.prefixRead(request, prefix, state))));
        }

        @Override
        public void abandoned(String request) {
            cancel(request);
        }
    }
}
