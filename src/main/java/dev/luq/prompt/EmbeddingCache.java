package dev.luq.prompt;

import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Image embeddings by image, the least recently used ones closed when they take more than a bound. Pinned ones are in
 * use and stay, beyond the bound if need be. Owns its values. For one thread.
 */
public final class EmbeddingCache<V extends AutoCloseable> implements AutoCloseable {

    private static final class Entry<V> {
        final V value;
        final long bytes;
        int pins;

        Entry(V value, long bytes, int pins) {
            this.value = value;
            this.bytes = bytes;
            this.pins = pins;
        }
    }

    private final Map<String, Entry<V>> entries = new LinkedHashMap<>(16, 0.75f, true);
    private final long maxBytes;
    private long bytes;

    public EmbeddingCache(long maxBytes) {
        this.maxBytes = maxBytes;
    }

    /** Pins an image's value if it is there. */
    public boolean pin(String image) {
        Entry<V> entry = entries.get(image);
        if (entry == null) {
            return false;
        }
        entry.pins++;
        return true;
    }

    /** @throws IllegalStateException unless it is pinned */
    public V pinned(String image) {
        Entry<V> entry = entries.get(image);
        if (entry == null || entry.pins == 0) {
            throw new IllegalStateException("image is not pinned");
        }
        return entry.value;
    }

    public void unpin(String image) {
        pinned(image);
        entries.get(image).pins--;
        evict();
    }

    /**
     * Takes a value of an image that is not there yet.
     *
     * @param pins how often it is pinned from the start
     */
    public void put(String image, V value, long size, int pins) {
        if (entries.putIfAbsent(image, new Entry<>(value, size, pins)) != null) {
            throw new IllegalStateException("image is cached already");
        }
        bytes += size;
        evict();
    }

    public long bytes() {
        return bytes;
    }

    private void evict() {
        Iterator<Entry<V>> oldest = entries.values().iterator();
        while (bytes > maxBytes && oldest.hasNext()) {
            Entry<V> entry = oldest.next();
            if (entry.pins == 0) {
                oldest.remove();
                bytes -= entry.bytes;
                close(entry.value);
            }
        }
    }

    @Override
    public void close() {
        entries.values().forEach(entry -> close(entry.value));
        entries.clear();
        bytes = 0;
    }

    private static void close(AutoCloseable value) {
        try {
            value.close();
        } catch (RuntimeException e) {
            throw e;
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }
}
