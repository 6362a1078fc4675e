package dev.luq.engine;

import dev.luq.prompt.Prompt;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Prompts beyond the sequences: what an evicted sequence held is kept in memory of its own, within a bound, the least
 * recently used ones go. As {@code --cache-ram} of llama-server. Bookkeeping alone, like {@link KvCache}: the states lie
 * behind {@link Effects}.
 */
final class PromptCache {

    /** Fewer cells are evaluated sooner than kept and restored. */
    static final int WORTH_KEEPING = 32;

    /** No id. */
    private static final long NONE = 0;

    /** @param prompt with what was generated after it */
    private record Kept(Prompt prompt, long bytes) {}

    /**
     * A kept prompt that begins like another one.
     *
     * @param prompt all that is kept
     * @param units of the common prefix
     */
    record Match(long id, Prompt prompt, int units) {

        /** Of the common prefix. */
        int cells() {
            return prompt.cells(units);
        }
    }

    private final Effects effects;
    private final Window window;
    private final long maxBytes;
    private final Map<Long, Kept> kept = new LinkedHashMap<>(16, 0.75f, true);
    private long ids = NONE;
    /** What is being restored, which nothing else takes the place of. */
    private long restoring = NONE;

    private long bytes;
    private long evictions;

    /** @param maxBytes of all states together; 0 keeps none */
    PromptCache(Effects effects, long maxBytes) {
        this.effects = effects;
        this.window = new Window(effects);
        this.maxBytes = maxBytes;
    }

    /**
     * Keeps what an idle sequence holds, unless that is short, too large, or the beginning of what is kept already and can
     * be cut there.
     *
     * @param cuts whether the model's memory can keep a part of what is restored
     */
    void keep(int sequence, Prompt content, boolean cuts) {
        if (maxBytes == 0 || content.tokens() < WORTH_KEEPING) {
            return;
        }
        List<Long> shorter = new ArrayList<>();
        for (Map.Entry<Long, Kept> entry : kept.entrySet()) {
            Prompt other = entry.getValue().prompt;
            int common = other.common(content);
            boolean begins = common == content.units().size();
            boolean isBegun = common == other.units().size();
            if (begins && (isBegun || cuts && window.holds(other))) {
                use(entry.getKey());
                return;
            }
            if (isBegun && cuts && window.holds(content) && entry.getKey() != restoring) {
                shorter.add(entry.getKey());
            }
        }
        long size = effects.stateBytes(sequence);
        long staying = restoring == NONE ? 0 : kept.get(restoring).bytes;
        if (size > maxBytes - staying) {
            return;
        }
        shorter.forEach(this::forget);
        evict(maxBytes - size);
        if (effects.save(sequence, ++ids)) {
            kept.put(ids, new Kept(content, size));
            bytes += size;
        }
    }

    private void evict(long most) {
        Iterator<Map.Entry<Long, Kept>> oldest = kept.entrySet().iterator();
        while (bytes > most) {
            Map.Entry<Long, Kept> entry = oldest.next();
            if (entry.getKey() != restoring) {
                effects.forget(entry.getKey());
                bytes -= entry.getValue().bytes;
                evictions++;
                oldest.remove();
            }
        }
    }

    /**
     * The kept prompt with the longest common prefix, of which at least the last unit of the new prompt is no part.
     *
     * @param cells that the prefix has at least
     * @param cuts whether the model's memory can keep a part of what is restored
     */
    Optional<Match> find(Prompt prompt, int cells, boolean cuts) {
        Match best = null;
        for (Map.Entry<Long, Kept> entry : kept.entrySet()) {
            Prompt other = entry.getValue().prompt;
            int units = Math.min(other.common(prompt), prompt.units().size() - 1);
            boolean usable = units == other.units().size() || cuts && window.holds(other);
            if (usable && (best == null || units > best.units)) {
                best = new Match(entry.getKey(), other, units);
            }
        }
        return Optional.ofNullable(best).filter(match -> match.units > 0 && match.cells() >= cells);
    }

    /**
     * Puts a kept prompt into a sequence.
     *
     * @param room makes the sequence and enough cells empty; what they held may be kept, but not in place of this prompt
     * @return false when that failed; the prompt is kept no longer then
     */
    boolean restore(Match match, int sequence, Runnable room) {
        use(match.id);
        restoring = match.id;
        try {
            room.run();
        } finally {
            restoring = NONE;
        }
        if (effects.restore(match.id, sequence)) {
            return true;
        }
        forget(match.id);
        return false;
    }

    /** It is the most recently used one. */
    private void use(long id) {
        kept.get(id);
    }

    private void forget(long id) {
        effects.forget(id);
        bytes -= kept.remove(id).bytes;
    }

    /** Bytes of all states. */
    long bytes() {
        return bytes;
    }

    /** States that went for others so far. */
    long evictions() {
        return evictions;
    }
}
