package dev.luq.engine;

import dev.luq.llama.Context;
import dev.luq.llama.FiniteNumbers;
import dev.luq.llama.LlamaException;
import dev.luq.llama.Vocabulary;
import dev.luq.prompt.EmbeddingCache;
import dev.luq.prompt.PreparedImage;
import dev.luq.prompt.Prompt;
import dev.luq.prompt.PromptBuilder;
import dev.luq.prompt.PromptException;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.IntPredicate;

/** What {@link LlamaEffects} keeps for a request in flight. For the engine thread. */
final class RequestState implements AutoCloseable {

    private static final System.Logger LOG = System.getLogger(RequestState.class.getName());

    private GenerationRequest request;
    private final Consumer<GenerationEvent> consumer;
    private final long streamInterval;
    private final Runnable onConsumerFailure;
    /** What the consumer threw; null while it takes its events. */
    private Throwable consumerFailure;

    private volatile boolean cancelled;
    private volatile boolean ended;
    /** Takes the preparation back while it waits for a thread. */
    private Runnable dropPreparation = () -> {};

    private PromptBuilder.Prepared prepared;
    private OutputProcessor output;
    private DeltaBuffer deltas;
    /** Images in the embedding cache that this request has pinned, by unit. */
    private final Map<Integer, String> pins = new HashMap<>();

    private int tokens;
    private int draftedTokens;
    private int acceptedTokens;
    /** Of the vectors that were pooled so far; null before the first. */
    private double[] sum;

    private int pooled;

    private final long submitted = System.nanoTime();
    private long admitted;
    private long accepted;
    /** When the latest token was sampled, or the prompt was there. */
    private long lastToken;

    private double imageEncodeMillis;
    /** When it was told last how far the request is, or its prompt was there. */
    private long progressTold;

    /**
     * @param streamInterval of {@link EngineOptions}, in nanoseconds
     * @param onConsumerFailure called once when the consumer throws; of its events only the last one follows then
     */
    RequestState(
            GenerationRequest request,
            Consumer<GenerationEvent> consumer,
            long streamInterval,
            Runnable onConsumerFailure) {
        this.request = request;
        this.consumer = consumer;
        this.streamInterval = streamInterval;
        this.onConsumerFailure = onConsumerFailure;
    }

    GenerationRequest request() {
        return request;
    }

    String id() {
        return request.id();
    }

    /** The engine is about to end the request. Any thread. */
    void cancel() {
        cancelled = true;
    }

    /** Whether the request goes on, as far as is known. Any thread. */
    boolean isWanted() {
        return !cancelled && !ended;
    }

    void emit(GenerationEvent event) {
        if (consumerFailure != null) {
            return;
        }
        try {
            consumer.accept(event);
        } catch (RuntimeException | Error e) {
            consumerFailure = e;
            LOG.log(System.Logger.Level.WARNING, "A consumer failed; its request is cancelled", e);
            onConsumerFailure.run();
        }
    }

    /** @param drop takes the preparation back while it waits for a thread */
    void preparing(Runnable drop) {
        dropPreparation = drop;
    }

    /**
     * The request ends: what waits to be prepared is not kept for it. Before its last event, after which nobody counts
     * its pixels and texts any more.
     */
    void dropPreparation() {
        dropPreparation.run();
    }

    void prepared(PromptBuilder.Prepared newPrepared, Vocabulary vocabulary) {
        prepared = newPrepared;
        dropPreparation = () -> {};
        progressTold = System.nanoTime();
        request = request.withoutContent();
        List<String> stops = new ArrayList<>(prepared.chat().stops());
        if (prepared.parser() == null || !prepared.parser().callIsRequired()) {
            stops.addAll(request.stop());
        }
        deltas = new DeltaBuffer(new Emitted(), streamInterval, System::nanoTime);
        output = new OutputProcessor(
                vocabulary, stops, prepared.chat().preservedTokens(), prepared.parser(), request.topLogprobs(), deltas);
    }

    private final class Emitted implements OutputProcessor.Sink {
        private String opening = prepared.opening();

        @Override
        public void content(String content, List<GenerationEvent.TokenLogprob> logprobs) {
            String text = content;
            if (content != null) {
                text = opening + content;
                opening = "";
            }
            emit(new GenerationEvent.Delta(id(), text, null, null, logprobs, tokens));
        }

        @Override
        public void thought(String thought, List<GenerationEvent.TokenLogprob> logprobs) {
            emit(new GenerationEvent.Delta(id(), null, thought, null, logprobs, tokens));
        }

        @Override
        public void toolCall(GenerationEvent.ToolCall toolCall, List<GenerationEvent.TokenLogprob> logprobs) {
            emit(new GenerationEvent.Delta(id(), null, null, toolCall, logprobs, tokens));
        }
    }

    /** @param cachedTokens the first ones of the prompt: their images are never asked for */
    void admitted(Prompt prompt, int cachedTokens) {
        admitted = System.nanoTime();
        closeImages(unit -> prompt.cells(unit) < cachedTokens);
    }

    /**
     * Says how far the request is, unless that was said within the last interval.
     *
     * @param interval in nanoseconds
     * @param share see {@link GenerationEvent.Progress}
     */
    void tellProgress(long interval, Scheduler.Progress progress, float share) {
        long now = System.nanoTime();
        if (now - progressTold >= interval) {
            progressTold = now;
            emit(new GenerationEvent.Progress(
                    request.id(), progress.phase(), share, progress.cached(), progress.evaluated(), progress.tokens()));
        }
    }

    /** @return milliseconds since the request got its sequence */
    double accepted(Prompt prompt, int cachedTokens) {
        accepted = System.nanoTime();
        lastToken = accepted;
        emit(new GenerationEvent.Accepted(request.id(), prompt.tokens(), prompt.imageTokens(), cachedTokens));
        return millis(admitted, accepted);
    }

    /** Takes an image out; the caller closes it. */
    PreparedImage takeImage(int unit) {
        return prepared.pictures().remove(unit);
    }

    /** An image's embeddings are there: it needs no pixels any more. */
    void pin(int unit, String image) {
        pins.put(unit, image);
        closeImages(other -> other == unit);
    }

    void unpin(int unit, EmbeddingCache<?> cache) {
        cache.unpin(pins.remove(unit));
    }

    private void closeImages(IntPredicate units) {
        prepared.pictures().entrySet().removeIf(image -> {
            boolean closes = units.test(image.getKey());
            if (closes) {
                image.getValue().close();
            }
            return closes;
        });
    }

    void unpinAll(EmbeddingCache<?> cache) {
        pins.values().forEach(cache::unpin);
        pins.clear();
    }

    void imageEncoded(double millis) {
        imageEncodeMillis += millis;
    }

    Effects.Sampled sample(Context context, int batchIndex, Vocabulary vocabulary) {
        FloatBuffer logits = context.logits(batchIndex);
        if (!FiniteNumbers.areFinite(logits)) {
            throw new EngineException.NonFiniteOutput("The model's outputs");
        }
        TopLogprobs logprobs = request.topLogprobs() < 0 ? null : new TopLogprobs(logits);
        int token = choose(context, batchIndex);
        tokens++;
        boolean ends = vocabulary.isEndOfGeneration(token) || output.append(token, logprobs);
        return new Effects.Sampled(token, ends ? FinishReason.STOP : null);
    }

    /** Adds a vector to those that the prompt's embedding is the mean of. */
    void pool(FloatBuffer vector) {
        if (sum == null) {
            sum = new double[vector.remaining()];
        }
        for (int i = 0; i < sum.length; i++) {
            sum[i] += vector.get(i);
        }
        pooled++;
    }

    /** Emits the embedding. */
    Effects.Sampled embed() {
        float[] vector = new float[sum.length];
        for (int i = 0; i < vector.length; i++) {
            vector[i] = (float) (sum[i] / pooled);
        }
        if (!FiniteNumbers.areFinite(FloatBuffer.wrap(vector))) {
            throw new EngineException.NonFiniteOutput("The model's outputs");
        }
        emit(new GenerationEvent.Embedded(request.id(), vector));
        return new Effects.Sampled(0, FinishReason.STOP);
    }

    private int choose(Context context, int batchIndex) {
        try {
            return prepared.sampler().sample(context, batchIndex);
        } catch (LlamaException.TooComplex e) {
            String param = prepared.grammarField();
            throw new PromptException.SchemaTooComplex(
                    param,
                    "The answer cannot be made to follow " + param + ": " + e.getMessage()
                            + ". Use a simpler schema, with fewer and smaller repetitions.",
                    e);
        }
    }

    /** See {@link Effects#drafted}. */
    void drafted(int newTokens, int accepted) {
        draftedTokens += newTokens;
        acceptedTokens += accepted;
    }

    /** Streams the text that is held back for a longer delta. */
    void flushDeltas() {
        if (deltas != null) {
            deltas.flush();
        }
    }

    /** Emits the last event, also to a consumer that failed: nothing else tells that the request is over. Throws nothing. */
    void fail(EngineException failure) {
        atLast(this::flushDeltas);
        EngineException told = consumerFailure == null ? failure : EngineException.of(consumerFailure);
        atLast(() -> consumer.accept(told.event(request.id())));
    }

    private static void atLast(Runnable step) {
        try {
            step.run();
        } catch (RuntimeException | Error e) {
            LOG.log(System.Logger.Level.WARNING, "A consumer was not told all of its request's end", e);
        }
    }

    /** Emits the last event. Throws if it could not, and whatever the end of the answer throws. */
    void finish(FinishReason reason) {
        FinishReason told = output.finish(reason);
        flushDeltas();
        emit(new GenerationEvent.Finished(
                request.id(), told, told == FinishReason.STOP ? requestedStop() : null, tokens, timings()));
        if (consumerFailure != null) {
            throw new IllegalStateException("the consumer did not take the whole answer", consumerFailure);
        }
    }

    /** The stop string that ended the answer, where the request and not only the template asked for it; else null. */
    private String requestedStop() {
        String stop = output.stop();
        return stop != null && request.stop().contains(stop) ? stop : null;
    }

    private GenerationEvent.Timings timings() {
        return new GenerationEvent.Timings(
                millis(submitted, admitted),
                millis(admitted, accepted),
                millis(accepted, System.nanoTime()),
                imageEncodeMillis,
                draftedTokens,
                acceptedTokens);
    }

    /** Milliseconds since the token before the latest one, or since the prompt was there. Asked once for each token. */
    double tokenMillis() {
        long now = System.nanoTime();
        double millis = millis(lastToken, now);
        lastToken = now;
        return millis;
    }

    private static double millis(long from, long to) {
        return (to - from) / 1e6;
    }

    @Override
    public void close() {
        ended = true;
        if (prepared != null) {
            prepared.close();
        }
    }
}
