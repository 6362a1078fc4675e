package dev.luq.engine;

import dev.luq.llama.FiniteNumbers;
import dev.luq.llama.ImageChunk;
import dev.luq.llama.ImageEmbedding;
import dev.luq.llama.LlamaException;
import dev.luq.prompt.EmbeddingCache;
import dev.luq.prompt.PromptException;
import dev.luq.prompt.PromptUnit;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.function.Function;

/**
 * Encodes images on a thread of its own, each once for all requests that wait for it, and caches the embeddings. Its
 * methods are for the engine thread; results come through {@link LlamaEffects.Replies}. Owns the embeddings.
 */
final class ImageEncoder implements AutoCloseable {

    /**
     * A request that waits for an image.
     *
     * @param unit index of the image in its prompt
     */
    private record Waiter(RequestState request, int unit) {}

    private final Function<ImageChunk, ImageEmbedding> encode;
    private final LlamaEffects.Replies replies;
    private final WorkListener work;
    private final LlamaEffects.Counters counters;
    private final EmbeddingCache<ImageEmbedding> embeddings;
    private final ThreadPoolExecutor thread = NativeThreads.pool("luq-image", 1);
    /** By image that is being encoded or queued for it. */
    private final Map<String, List<Waiter>> waiters = new HashMap<>();

    private final Map<String, Job> jobs = new HashMap<>();

    /**
     * @param encode used on one thread at a time
     * @param cacheBytes of embeddings that are kept while no request uses them
     */
    ImageEncoder(
            Function<ImageChunk, ImageEmbedding> encode,
            long cacheBytes,
            LlamaEffects.Replies replies,
            WorkListener work,
            LlamaEffects.Counters counters) {
        this.encode = encode;
        this.replies = replies;
        this.work = work;
        this.counters = counters;
        this.embeddings = new EmbeddingCache<>(cacheBytes);
    }

    /** Encodes one image on the encoder's thread. */
    private final class Job implements Runnable {
        private final String request;
        private final String image;
        private final ImageChunk chunk;

        /** @param request the first one that waits for the image */
        Job(String request, String image, ImageChunk chunk) {
            this.request = request;
            this.image = image;
            this.chunk = chunk;
        }

        @Override
        public void run() {
            long start = System.nanoTime();
            work.begins(WorkListener.Work.IMAGE, List.of(request));
            try (chunk) {
                ImageEmbedding embedding = encode.apply(chunk);
                if (!FiniteNumbers.areFinite(embedding.data())) {
                    embedding.close();
                    throw new EngineException.NonFiniteOutput("The embeddings of the image");
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

    /** As {@link Effects#encode}. */
    boolean encode(RequestState request, int unit, PromptUnit.Image image) {
        counters.imageQueries++;
        if (embeddings.pin(image.id())) {
            counters.imageHits++;
            request.pin(unit, image.id());
            return true;
        }
        waiters.computeIfAbsent(image.id(), id -> {
                    Job job = new Job(request.id(), id, request.takeImage(unit));
                    jobs.put(id, job);
                    thread.execute(job);
                    return new ArrayList<>();
                })
                .add(new Waiter(request, unit));
        return false;
    }

    /** Takes an image's embedding over and pins it for the requests that wait for it. */
    void encoded(String image, ImageEmbedding embedding, double millis) {
        counters.imagesEncoded++;
        counters.imageEncodeMillis += millis;
        jobs.remove(image);
        List<Waiter> waiting = waiters.remove(image);
        embeddings.put(image, embedding, embedding.bytes(), waiting.size());
        for (Waiter waiter : waiting) {
            waiter.request.pin(waiter.unit, image);
            waiter.request.imageEncoded(millis);
        }
    }

    void encodingFailed(String image) {
        jobs.remove(image);
        waiters.remove(image);
    }

    /** @throws IllegalStateException unless a request has pinned it */
    ImageEmbedding embedding(PromptUnit.Image image) {
        return embeddings.pinned(image.id());
    }

    /** A request has decoded all of an image. */
    void decoded(RequestState request, int unit) {
        request.unpin(unit, embeddings);
    }

    /** A request ends. An image that no other request waits for is not encoded, unless that has begun. */
    void release(RequestState request) {
        waiters.entrySet().removeIf(entry -> {
            entry.getValue().removeIf(waiter -> waiter.request == request);
            if (!entry.getValue().isEmpty()) {
                return false;
            }
            Job job = jobs.get(entry.getKey());
            if (!thread.remove(job)) {
                return false;
            }
            jobs.remove(entry.getKey());
            job.chunk.close();
            return true;
        });
        request.unpinAll(embeddings);
    }

    /** Waits for what the thread has begun. */
    void stopThread() {
        NativeThreads.stop(thread);
    }

    @Override
    public void close() {
        embeddings.close();
    }
}
