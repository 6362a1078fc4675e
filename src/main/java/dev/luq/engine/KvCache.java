package dev.luq.engine;

import dev.luq.prompt.Prompt;
import dev.luq.prompt.PromptUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.OptionalInt;

/**
 * What every sequence holds in the unified KV cache, and how many cells that takes. Bookkeeping alone: {@link Scheduler}
 * makes each change in llama.cpp's cache too.
 *
 * <p>Sequences may share the cells of a common prefix, as llama.cpp's unified cache lets them; a shared cell is counted
 * once and is free when its last sequence lets go. A sequence is active while a request runs in it, else its content
 * is a cache for later prompts and may be evicted.
 */
final class KvCache {

    /** A unit in the KV cache and how many sequences hold it. */
    private static final class Cached {
        final PromptUnit unit;
        int holders;
        int activeHolders;

        Cached(PromptUnit unit) {
            this.unit = unit;
        }
    }

    private static final class Sequence {
        final List<Cached> units = new ArrayList<>();
        /** Of the prompt that it holds; means nothing while it holds nothing. */
        String salt;

        int cells;
        int position;
        /** Cells of an image whose other cells are still to come. */
        int partial;

        boolean active;
        long lastUsed;
    }

    private final List<Sequence> sequences = new ArrayList<>();
    private final int capacity;
    private int used;
    private int activeCells;
    private long clock;

    /** @param capacity cells of the KV cache */
    KvCache(int sequences, int capacity) {
        for (int i = 0; i < sequences; i++) {
            this.sequences.add(new Sequence());
        }
        this.capacity = capacity;
    }

    int sequences() {
        return sequences.size();
    }

    int capacity() {
        return capacity;
    }

    /** Cells that hold something. */
    int used() {
        return used;
    }

    /** Cells that an active sequence holds: these cannot be evicted. */
    int activeCells() {
        return activeCells;
    }

    boolean isActive(int sequence) {
        return sequences.get(sequence).active;
    }

    int cells(int sequence) {
        return sequences.get(sequence).cells;
    }

    /** Units of this sequence. */
    int length(int sequence) {
        return sequences.get(sequence).units.size();
    }

    /** Position of the next unit; an unfinished image has not advanced it yet. */
    int position(int sequence) {
        return sequences.get(sequence).position;
    }

    /** Length of the longest common prefix of this sequence and a prompt, in units. */
    int common(int sequence, Prompt prompt) {
        if (!Objects.equals(sequences.get(sequence).salt, prompt.salt())) {
            return 0;
        }
        List<Cached> cached = sequences.get(sequence).units;
        int limit = Math.min(cached.size(), prompt.units().size());
        int n = 0;
        while (n < limit && cached.get(n).unit.equals(prompt.units().get(n))) {
            n++;
        }
        return n;
    }

    /** What this sequence holds, which must not be nothing. */
    Prompt content(int sequence) {
        Sequence s = sequences.get(sequence);
        return Prompt.of(s.units.stream().map(cached -> cached.unit).toList(), s.salt);
    }

    /** Cells behind this sequence's first units that no active sequence holds. */
    int inactiveCells(int sequence, int units) {
        int cells = 0;
        for (Cached cached : sequences.get(sequence).units.subList(0, units)) {
            cells += cached.activeHolders == 0 ? cached.unit.cells() : 0;
        }
        return cells;
    }

    /**
     * The idle sequence to evict first: an empty one, else the least recently used.
     *
     * @param except or -1
     */
    OptionalInt leastRecentlyUsed(int except) {
        int best = -1;
        for (int i = 0; i < sequences.size(); i++) {
            if (i == except || sequences.get(i).active) {
                continue;
            }
            if (best < 0 || age(i) < age(best)) {
                best = i;
            }
        }
        return best < 0 ? OptionalInt.empty() : OptionalInt.of(best);
    }

    private long age(int sequence) {
        Sequence s = sequences.get(sequence);
        return s.cells == 0 ? -1 : s.lastUsed;
    }

    /** The idle sequence whose content to evict next; empty when no idle one holds anything. */
    OptionalInt evictable() {
        int best = -1;
        for (int i = 0; i < sequences.size(); i++) {
            Sequence s = sequences.get(i);
            if (!s.active && s.cells > 0 && (best < 0 || s.lastUsed < sequences.get(best).lastUsed)) {
                best = i;
            }
        }
        return best < 0 ? OptionalInt.empty() : OptionalInt.of(best);
    }

    /**
     * A prompt begins in this sequence, whose content is a prefix of it.
     *
     * @param salt of the prompt
     */
    void activate(int sequence, String salt) {
        Sequence s = sequences.get(sequence);
        s.salt = salt;
        s.active = true;
        for (Cached cached : s.units) {
            activeCells += cached.activeHolders++ == 0 ? cached.unit.cells() : 0;
        }
        activeCells += s.partial;
    }

    void deactivate(int sequence) {
        Sequence s = sequences.get(sequence);
        s.active = false;
        s.lastUsed = ++clock;
        for (Cached cached : s.units) {
            activeCells -= --cached.activeHolders == 0 ? cached.unit.cells() : 0;
        }
        activeCells -= s.partial;
    }

    /** Lets an empty sequence hold the first units of another one. */
    void share(int from, int to, int units) {
        for (Cached cached : sequences.get(from).units.subList(0, units)) {
            hold(sequences.get(to), cached);
        }
    }

    /** An empty sequence holds a prompt. */
    void fill(int sequence, Prompt prompt) {
        sequences.get(sequence).salt = prompt.salt();
        prompt.units().forEach(unit -> append(sequence, unit));
    }

    void append(int sequence, PromptUnit unit) {
        hold(sequences.get(sequence), new Cached(unit));
    }

    /** Adds some cells of an image; it becomes a unit with {@link #completeImage}. */
    void appendPartial(int sequence, int cells) {
        partial(sequences.get(sequence), cells);
    }

    void completeImage(int sequence, PromptUnit.Image image) {
        Sequence s = sequences.get(sequence);
        partial(s, -s.partial);
        hold(s, new Cached(image));
    }

    /** Keeps the first units of a sequence; an unfinished image goes in any case. */
    void truncate(int sequence, int units) {
        Sequence s = sequences.get(sequence);
        partial(s, -s.partial);
        while (s.units.size() > units) {
            Cached cached = s.units.remove(s.units.size() - 1);
            int cells = cached.unit.cells();
            s.cells -= cells;
            s.position -= cached.unit.positions();
            used -= --cached.holders == 0 ? cells : 0;
            if (s.active) {
                activeCells -= --cached.activeHolders == 0 ? cells : 0;
            }
        }
    }

    private void hold(Sequence s, Cached cached) {
        int cells = cached.unit.cells();
        s.units.add(cached);
        s.cells += cells;
        s.position += cached.unit.positions();
        used += cached.holders++ == 0 ? cells : 0;
        if (s.active) {
            activeCells += cached.activeHolders++ == 0 ? cells : 0;
        }
    }

    private void partial(Sequence s, int cells) {
        s.partial += cells;
        s.cells += cells;
        used += cells;
        activeCells += s.active ? cells : 0;
    }
}
