package dev.luq.engine;

import dev.luq.llama.Context;
import dev.luq.llama.FiniteNumbers;
import dev.luq.llama.ImageChunk;
import dev.luq.llama.LlamaException;
import dev.luq.llama.Vocabulary;
import dev.luq.prompt.EmbeddingCache;
import dev.luq.prompt.Prompt;
import dev.luq.prompt.PromptBuilder;
import dev.luq.prompt.PromptException;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/**
 * A request with everything that {@link LlamaEffects} keeps for it, from submission to its end. For the engine thread.
 */
final class Generation implements AutoCloseable {

    private static final System.Logger LOG = System.getLogger(Generation.class.getName());

    private GenerationRequest request;
    private final Consumer<GenerationEvent> consumer;
    private final long streamInterval;
    private final Runnable onDeaf;
    private boolean deaf;
    private volatile boolean ended;
    private PromptBuilder.Prepared prepared;
    private Answer answer;
    private Gathering deltas;
    /** Images in the embedding cache that this request holds, by unit. */
    private final Map<Integer, String> pins = new HashMap<>();
    private int tokens;

    private final long submitted = System.nanoTime();
    private long admitted;
    private long accepted;
    private double imageEncodeMillis;

    /**
     * @param streamInterval of {@link EngineOptions}, in nanoseconds
     * @param onDeaf called once when the consumer throws: nobody listens any more
     */
    Generation(GenerationRequest request, Consumer<GenerationEvent> consumer, long streamInterval, Runnable onDeaf) {
        this.request = request;
        this.consumer = consumer;
        this.streamInterval = streamInterval;
        this.onDeaf = onDeaf;
    }

    GenerationRequest request() {
        return request;
    }

    /** Whether nobody needs this any more; readable by every thread. */
    boolean ended() {
        return ended;
    }

    void emit(GenerationEvent event) {
        if (deaf) {
            return;
        }
        try {
            consumer.accept(event);
        } catch (RuntimeException e) {
            deaf = true;
            LOG.log(System.Logger.Level.WARNING, "A listener failed; its request is cancelled", e);
            onDeaf.run();
        }
    }

    void prepared(PromptBuilder.Prepared newPrepared, Vocabulary vocabulary) {
        prepared = newPrepared;
        request = request.withoutContent();
        List<String> stops = new ArrayList<>(request.stop());
        stops.addAll(prepared.chat().stops());
        deltas = new Gathering((content, toolCall, logprobs) ->
                emit(new GenerationEvent.Delta(request.id(), content, toolCall, logprobs)),
                streamInterval, System::nanoTime);
        answer = new Answer(vocabulary, stops, prepared.chat().preservedTokens(), prepared.parser(),
                request.topLogprobs(), deltas);
    }

    void admitted() {
        admitted = System.nanoTime();
    }

    void accepted(Prompt prompt, int cachedTokens) {
        accepted = System.nanoTime();
        emit(new GenerationEvent.Accepted(request.id(), prompt.tokens(), prompt.imageTokens(), cachedTokens));
    }

    /** Takes an image's pixels out; the caller closes them. */
    ImageChunk takeImage(int unit) {
        return prepared.images().remove(unit);
    }

    void pin(int unit, String image) {
        pins.put(unit, image);
    }

    /** Lets go of an image that is decoded. */
    void unpin(int unit, EmbeddingCache<?> cache) {
        cache.unpin(pins.remove(unit));
        ImageChunk chunk = prepared.images().remove(unit);
        if (chunk != null) {
            chunk.close();
        }
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
            throw new EngineException.NotFinite("The model's outputs");
        }
        LogProbabilities logprobs = request.topLogprobs() < 0 ? null : new LogProbabilities(logits);
        int token = choose(context, batchIndex);
        tokens++;
        boolean ends = vocabulary.isEndOfGeneration(token) || answer.append(token, logprobs);
        return new Effects.Sampled(token, ends ? FinishReason.STOP : null);
    }

    private int choose(Context context, int batchIndex) {
        try {
            return prepared.sampler().sample(context, batchIndex);
        } catch (LlamaException.TooComplex e) {
            String param = prepared.grammarField();
            throw new PromptException.SchemaTooComplex(param, "The answer cannot be made to follow " + param + ": "
                    + e.getMessage() + ". Use a simpler schema, with fewer and smaller repetitions.", e);
        }
    }

    /** Shows the text that is kept back for a longer delta. */
    void showGathered() {
        if (deltas != null) {
            deltas.passOn();
        }
    }

    void fail(EngineException failure) {
        showGathered();
        emit(new GenerationEvent.Failed(request.id(), failure.code(), failure.getMessage(), failure.param()));
    }

    void finish(FinishReason reason) {
        FinishReason told = answer.finish(reason);
        showGathered();
        emit(new GenerationEvent.Finished(request.id(), told, tokens, timings()));
    }

    private GenerationEvent.Timings timings() {
        return new GenerationEvent.Timings(millis(submitted, admitted), millis(admitted, accepted),
                millis(accepted, System.nanoTime()), imageEncodeMillis);
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
