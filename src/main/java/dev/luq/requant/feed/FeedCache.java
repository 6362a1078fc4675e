package dev.luq.requant.feed;

import dev.luq.llama.ImageEmbedding;
import dev.luq.prompt.EmbeddingCache;
import dev.luq.prompt.PromptUnit;
import dev.luq.requant.data.Example;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * What models of one vocabulary, chat template, projector and bound of images share, however their layers are quantized:
 * prompts and embeddings of images. Files of examples must not change meanwhile. Owns its embeddings; thread-safe.
 */
public final class FeedCache implements AutoCloseable {

    /** Units of prompts that are kept, of 24 bytes or so. */
    private static final int UNITS = 2 << 20;

    private final EmbeddingCache<ImageEmbedding> embeddings;
    private final Map<Example, List<PromptUnit>> prompts = new HashMap<>();
    private int units;

    /** @param embeddingBytes native memory of embeddings that are not in use, at most */
    public FeedCache(long embeddingBytes) {
        embeddings = new EmbeddingCache<>(embeddingBytes);
    }

    synchronized Optional<List<PromptUnit>> prompt(Example example) {
        return Optional.ofNullable(prompts.get(example));
    }

    /** Kept unless there are too many. */
    synchronized void put(Example example, List<PromptUnit> prompt) {
        if (units + prompt.size() <= UNITS && prompts.putIfAbsent(example, prompt) == null) {
            units += prompt.size();
        }
    }

    /**
     * An image's embedding, in use until it is given back with {@link #unpin}.
     *
     * @param encode computes it; two threads may do so at once
     */
    ImageEmbedding pinned(String id, Supplier<ImageEmbedding> encode) {
        synchronized (this) {
            if (embeddings.pin(id)) {
                return embeddings.pinned(id);
            }
        }
        ImageEmbedding encoded = encode.get();
        synchronized (this) {
            if (embeddings.pin(id)) {
                encoded.close();
            } else {
                embeddings.put(id, encoded, encoded.bytes(), 1);
            }
            return embeddings.pinned(id);
        }
    }

    synchronized void unpin(String id) {
        embeddings.unpin(id);
    }

    @Override
    public synchronized void close() {
        embeddings.close();
    }
}
