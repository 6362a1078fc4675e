package dev.luq.engine;

import dev.luq.filecache.CachedFiles;
import dev.luq.llama.Context;
import dev.luq.llama.LlamaException;
import dev.luq.llama.SequenceState;
import dev.luq.prompt.Prompt;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Keys and values of prompts up to their last image, as files for later engines. One thread reads, another writes: neither
 * steps nor answers wait for a disk. What is on its way to the disk is at most half of the KV cache; what is too much
 * meanwhile is not kept. Its methods are for the engine thread unless they say otherwise.
 */
final class PromptFiles {

    private static final System.Logger LOG = System.getLogger(PromptFiles.class.getName());

    /**
     * What a sequence held, or will hold.
     *
     * @param name of its file
     */
    private record Kept(String name, SequenceState state, int cells) {}

    private final CachedFiles files;
    private final Context context;
    private final LlamaEffects.Replies replies;
    private final LlamaEffects.Counters counters;
    private final int mostCells;
    private final ThreadPoolExecutor reader = NativeThreads.pool("luq-prompt-reads", 1);
    private final ThreadPoolExecutor writer = NativeThreads.pool("luq-prompt-writes", 1);
    /** Read and not restored yet, by request. */
    private final Map<String, Kept> found = new HashMap<>();
    /** Not written yet since nothing came of them yet, by request. */
    private final Map<String, Kept> copies = new HashMap<>();
    /** Of all copies, also those being written. */
    private final AtomicInteger copiedCells = new AtomicInteger();

    /**
     * @param files null to keep none
     * @param context of their language model
     */
    PromptFiles(CachedFiles files, Context context, LlamaEffects.Replies replies, LlamaEffects.Counters counters) {
        this.files = files;
        this.context = context;
        this.replies = replies;
        this.counters = counters;
        this.mostCells = context.contextSize() / 2;
        if (files != null) {
            reader.execute(this::open);
        }
    }

    private void open() {
        try {
            files.open();
        } catch (RuntimeException | Error e) {
            LOG.log(System.Logger.Level.WARNING, "Prompts that were kept cannot be looked for", e);
        }
    }

    /** As {@link Effects#readPrefix}. */
    boolean ask(RequestState request, Prompt prompt, int cells) {
        if (files == null) {
            return false;
        }
        List<ImagePrefix> candidates = new ArrayList<>();
        for (ImagePrefix prefix : ImagePrefix.of(prompt)) {
            boolean fits = prefix.cells() >= cells && prefix.cells() <= mostCells;
            if (fits && prefix.units() < prompt.units().size()) {
                candidates.add(0, prefix);
            }
        }
        if (candidates.isEmpty()) {
            return false;
        }
        counters.promptFileQueries++;
        if (files.isOpen() && candidates.stream().noneMatch(prefix -> files.has(prefix.name()))) {
            return false;
        }
        reader.execute(() -> find(request, candidates));
        return true;
    }

    /** @param candidates the longest first */
    private void find(RequestState request, List<ImagePrefix> candidates) {
        try {
            for (ImagePrefix prefix : candidates) {
                SequenceState state = request.isWanted() ? read(prefix.name()) : null;
                if (state != null) {
                    replies.prefixRead(request.id(), prefix, state);
                    return;
                }
            }
        } catch (RuntimeException | Error e) {
            LOG.log(System.Logger.Level.WARNING, "A prompt that was kept cannot be read", e);
        }
        replies.prefixRead(request.id(), null, null);
    }

    /** @return null when it is not there */
    private SequenceState read(String name) {
        OptionalLong length = files.length(name);
        if (length.isEmpty() || length.getAsLong() > Integer.MAX_VALUE) {
            return null;
        }
        SequenceState state = SequenceState.allocate(Math.max(1, length.getAsLong()));
        boolean read = false;
        try {
            read = files.read(name, state.view());
            return read ? state : null;
        } finally {
            if (!read) {
                state.close();
            }
        }
    }

    /** Takes over what was read for a request. */
    void found(String request, ImagePrefix prefix, SequenceState state) {
        found.put(request, new Kept(prefix.name(), state, prefix.cells()));
    }

    /** As {@link Effects#restorePrefix}. */
    boolean restore(String request, int sequence) {
        Kept kept = found.remove(request);
        try (SequenceState state = kept.state) {
            if (context.restore(state, sequence)) {
                counters.promptFileHits++;
                return true;
            }
        }
        LOG.log(System.Logger.Level.WARNING, "A prompt that was kept cannot be restored; its file is removed");
        writer.execute(() -> files.remove(kept.name));
        return false;
    }

    /** As {@link Effects#keepPrefix}. */
    void keep(String request, int sequence, Prompt prefix) {
        int cells = prefix.tokens();
        if (files == null || cells < PromptCache.WORTH_KEEPING || copiedCells.get() > mostCells - cells) {
            return;
        }
        List<ImagePrefix> names = ImagePrefix.of(prefix);
        String name = names.get(names.size() - 1).name();
        if (files.has(name) || context.stateBytes(sequence) > Integer.MAX_VALUE) {
            return;
        }
        try {
            copies.put(request, new Kept(name, context.save(sequence), cells));
            copiedCells.addAndGet(cells);
        } catch (LlamaException | OutOfMemoryError e) {
            LOG.log(System.Logger.Level.WARNING, "A prompt is not kept", e);
        }
    }

    /** A request's token was chosen among finite numbers: what its sequence held is sound, and may be written. */
    void isSound(String request) {
        Kept copy = copies.remove(request);
        if (copy != null) {
            writer.execute(() -> write(copy));
        }
    }

    private void write(Kept copy) {
        try (SequenceState state = copy.state) {
            files.write(copy.name, state.view());
        } catch (RuntimeException | Error e) {
            LOG.log(System.Logger.Level.WARNING, "A prompt cannot be kept", e);
        } finally {
            copiedCells.addAndGet(-copy.cells);
        }
    }

    /** A request needs nothing of what was read for it any more. */
    void forgetRead(String request) {
        Kept kept = found.remove(request);
        if (kept != null) {
            kept.state.close();
        }
    }

    /** A request ends. */
    void release(String request) {
        forgetRead(request);
        Kept copy = copies.remove(request);
        if (copy != null) {
            copy.state.close();
            copiedCells.addAndGet(-copy.cells);
        }
    }

    /** Waits for what the threads have begun. */
    void stopThreads() {
        NativeThreads.stop(reader);
        NativeThreads.stop(writer);
    }
}
