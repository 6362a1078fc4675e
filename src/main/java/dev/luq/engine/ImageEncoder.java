package dev.luq.engine;

import dev.luq.llama.EncodingListener;
import dev.luq.llama.FiniteNumbers;
import dev.luq.llama.ImageChunk;
import dev.luq.llama.ImageEmbedding;
import dev.luq.llama.LlamaException;
import dev.luq.prompt.EmbeddingCache;
import dev.luq.prompt.PreparedImage;
import dev.luq.prompt.PromptException;
import dev.luq.prompt.PromptUnit;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.function.BiFunction;

/**
 * Encodes images on a thread of its own, each once for all requests that wait for it, and caches the embeddings. An
 * encoding goes on as long as a request waits for it that is not cancelled, and takes turns with the engine's steps
 * ({@link Turns}). Those seen before are read from files on another thread, which also writes them: neither waits for a
 * long encoding. Its methods are for the engine thread unless they say otherwise; results come through
 * {@link LlamaEffects.Replies}. Owns the embeddings.
 */
final class ImageEncoder implements AutoCloseable {

    private static final System.Logger LOG = System.getLogger(ImageEncoder.class.getName());

    /**
     * A request that waits for an image.
     *
     * @param unit index of the image in its prompt
     */
    private record Waiter(RequestState request, int unit) {}

    private final BiFunction<ImageChunk, EncodingListener, ImageEmbedding> encode;
    private final Turns turns;
    private final LlamaEffects.Replies replies;
    private final WorkListener work;
    private final LlamaEffects.Counters counters;
    private final EmbeddingCache<ImageEmbedding> embeddings;
    private final ThreadPoolExecutor thread = NativeThreads.pool("luq-image", 1);
    /** Null where nothing is kept. */
    private final SeenImages seen;

    private final ThreadPoolExecutor files = NativeThreads.pool("luq-image-files", 1);
    /** By image that is being encoded or queued for it. */
    private final Map<String, Job> jobs = new HashMap<>();

    /**
     * @param encode used on one thread at a time
     * @param turns of this and the steps
     * @param seen images that were encoded before this process was; null to encode each anew
     * @param cacheBytes of embeddings that are kept while no request uses them
     */
    ImageEncoder(
            BiFunction<ImageChunk, EncodingListener, ImageEmbedding> encode,
            Turns turns,
            SeenImages seen,
            long cacheBytes,
            LlamaEffects.Replies replies,
            WorkListener work,
            LlamaEffects.Counters counters) {
        this.encode = encode;
        this.turns = turns;
        this.seen = seen;
        this.replies = replies;
        this.work = work;
        this.counters = counters;
        this.embeddings = new EmbeddingCache<>(cacheBytes);
        if (seen != null) {
            files.execute(this::open);
        }
    }

    private void open() {
        try {
            seen.open();
        } catch (RuntimeException | Error e) {
            LOG.log(System.Logger.Level.WARNING, "Images that were kept cannot be looked for", e);
        }
    }

    /** Encodes one image on the encoder's thread. */
    private final class Job implements Runnable, EncodingListener {
        private final String image;
        private final PreparedImage picture;
        /** Read by the encoder's thread. */
        private final List<Waiter> waiters = new CopyOnWriteArrayList<>();

        private final Runnable search = this::find;
        private volatile float share;

        /** @param first waits for the image and has its pixels */
        Job(String image, Waiter first) {
            this.image = image;
            this.picture = first.request.takeImage(first.unit);
            waiters.add(first);
        }

        /** Any thread. */
        private boolean isWanted() {
            return waiters.stream().anyMatch(waiter -> waiter.request.isWanted());
        }

        @Override
        public boolean computed(float newShare) {
            share = newShare;
            turns.piece(this::isWanted);
            return isWanted();
        }

        /** Looks for the image among those seen before, and has it encoded if it is not there. On the files' thread. */
        private void find() {
            Optional<ImageEmbedding> found = isWanted() ? seenBefore() : Optional.empty();
            if (found.isPresent()) {
                picture.close();
                replies.restored(image, found.get());
            } else {
                thread.execute(this);
            }
        }

        private Optional<ImageEmbedding> seenBefore() {
            try {
                return seen.find(image, picture.chunk());
            } catch (RuntimeException | Error e) {
                LOG.log(System.Logger.Level.WARNING, "An image that was kept cannot be read", e);
                return Optional.empty();
            }
        }

        @Override
        public void run() {
            turns.beginEncoding(this::isWanted);
            try (picture) {
                if (isWanted()) {
                    encode();
                } else {
                    replies.encodingStopped(image);
                }
            } finally {
                turns.endEncoding();
            }
        }

        private void encode() {
            long start = System.nanoTime();
            work.begins(
                    WorkListener.Work.IMAGE,
                    waiters.stream().map(waiter -> waiter.request.id()).limit(1).toList());
            try {
                ImageEmbedding embedding = encode.apply(picture.withPixels(), this);
                if (!FiniteNumbers.areFinite(embedding.data())) {
                    embedding.close();
                    throw new EngineException.NonFiniteOutput("The embeddings of the image");
                }
                replies.encoded(image, embedding, (System.nanoTime() - start) / 1e6);
            } catch (LlamaException.EncodingStopped e) {
                replies.encodingStopped(image);
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
        Waiter waiter = new Waiter(request, unit);
        Job job = jobs.get(image.id());
        if (job == null) {
            start(image.id(), waiter);
        } else {
            job.waiters.add(waiter);
        }
        return false;
    }

    private Job start(String image, Waiter first) {
        Job job = new Job(image, first);
        jobs.put(image, job);
        if (seen == null) {
            thread.execute(job);
        } else {
            counters.imageFileQueries++;
            files.execute(job.search);
        }
        return job;
    }

    /** Of an image that a request waits for: the share of the encoder's layers that are done, 0..1. */
    float share(PromptUnit.Image image) {
        Job job = jobs.get(image.id());
        return job == null ? 0 : job.share;
    }

    /** Takes an image's embedding over and pins it for the requests that wait for it. */
    void encoded(String image, ImageEmbedding embedding, double millis) {
        counters.imagesEncoded++;
        counters.imageEncodeMillis += millis;
        boolean kept = seen != null && !files.isShutdown();
        put(image, embedding, kept ? 1 : 0).forEach(waiter -> waiter.request.imageEncoded(millis));
        if (kept) {
            files.execute(() -> keep(image, embedding));
        }
    }

    private void keep(String image, ImageEmbedding embedding) {
        try {
            seen.keep(image, embedding);
        } catch (RuntimeException | Error e) {
            LOG.log(System.Logger.Level.WARNING, "An image cannot be kept", e);
        } finally {
            replies.kept(image);
        }
    }

    /** The same for one that was encoded before this process was. */
    void restored(String image, ImageEmbedding embedding) {
        counters.imageFileHits++;
        put(image, embedding, 0);
    }

    /** The file of an image is written. */
    void kept(String image) {
        embeddings.unpin(image);
    }

    /**
     * Takes an image's embedding over and pins it for the requests that wait for it.
     *
     * @param pins beside theirs
     * @return who waited
     */
    private List<Waiter> put(String image, ImageEmbedding embedding, int pins) {
        List<Waiter> waiting = jobs.remove(image).waiters;
        embeddings.put(image, embedding, embedding.bytes(), waiting.size() + pins);
        waiting.forEach(waiter -> waiter.request.pin(waiter.unit, image));
        return waiting;
    }

    void encodingFailed(String image) {
        jobs.remove(image);
    }

    /** An image was not encoded to its end. It begins anew for requests that have come to wait for it since. */
    void encodingStopped(String image) {
        List<Waiter> waiting = jobs.remove(image).waiters;
        if (!waiting.isEmpty()) {
            start(image, waiting.get(0)).waiters.addAll(waiting.subList(1, waiting.size()));
        }
    }

    /** Looks again at who is cancelled. Any thread. */
    void cancelled() {
        turns.wake();
    }

    /** @throws IllegalStateException unless a request has pinned it */
    ImageEmbedding embedding(PromptUnit.Image image) {
        return embeddings.pinned(image.id());
    }

    /** A request has decoded all of an image. */
    void decoded(RequestState request, int unit) {
        request.unpin(unit, embeddings);
    }

    /** A request ends. An image that no other request waits for is not encoded any further. */
    void release(RequestState request) {
        jobs.values().removeIf(job -> {
            job.waiters.removeIf(waiter -> waiter.request == request);
            boolean dropped = job.waiters.isEmpty() && (thread.remove(job) || files.remove(job.search));
            if (dropped) {
                job.picture.close();
            }
            return dropped;
        });
        turns.wake();
        request.unpinAll(embeddings);
    }

    /** Waits for what the threads have begun. */
    void stopThreads() {
        NativeThreads.stop(files); // it gives work to the other one
        NativeThreads.stop(thread);
    }

    @Override
    public void close() {
        embeddings.close();
    }
}
