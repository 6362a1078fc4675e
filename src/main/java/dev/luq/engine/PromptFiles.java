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
import java.util.concurrent.atomic.AtomicLong;

/**
 * Keys and values of prompts up to their last image, as files for later engines. One thread reads, another writes: neither
 * steps nor answers wait for a disk. What is on its way to the disk and from it has {@value #MOST_BYTES} bytes at most, or
 * is one prompt of at most half of the KV cache; what is too much meanwhile is neither kept nor read. Its methods are for
 * the engine thread unless they say otherwise.
 */
final class PromptFiles {

    private static final System.Logger LOG = System.getLogger(PromptFiles.class.getName());

    private static final long MOST_BYTES = 128 << 20;

    /**
     * What a sequence held, or will hold.
     *
     * @param name of its file
     */
    private record Kept(String name, SequenceState state) {}

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
    /** Bytes of all that is copied or read, also of what is being written. */
    private final AtomicLong held = new AtomicLong();

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
        long bytes = Math.max(1, length.orElse(0));
        if (length.isEmpty() || bytes > Integer.MAX_VALUE || !hold(bytes)) {
            return null;
        }
        SequenceState state = null;
        boolean read = false;
        try {
            state = SequenceState.allocate(bytes);
            read = files.read(name, state.view());
            return read ? state : null;
        } finally {
            if (!read) {
                held.addAndGet(-bytes);
                if (state != null) {
                    state.close();
                }
            }
        }
    }

    private boolean hold(long bytes) {
        long before = held.getAndAdd(bytes);
        if (before == 0 || before + bytes <= MOST_BYTES) {
            return true;
        }
        held.addAndGet(-bytes);
        return false;
    }

    /** What was copied or read is needed no more. */
    void drop(SequenceState state) {
        held.addAndGet(-state.bytes());
        state.close();
    }

    /** Takes over what was read for a request. */
    void found(String request, ImagePrefix prefix, SequenceState state) {
        found.put(request, new Kept(prefix.name(), state));
    }

    /** As {@link Effects#restorePrefix}. */
    boolean restore(String request, int sequence) {
        Kept kept = found.remove(request);
        try {
            if (context.restore(kept.state, sequence)) {
                counters.promptFileHits++;
                return true;
            }
        } finally {
            drop(kept.state);
        }
        LOG.log(System.Logger.Level.WARNING, "A prompt that was kept cannot be restored; its file is removed");
        writer.execute(() -> files.remove(kept.name));
        return false;
    }

    /** As {@link Effects#keepPrefix}. */
    void keep(String request, int sequence, Prompt prefix) {
        int cells = prefix.tokens();
        if (files == null || cells < PromptCache.WORTH_KEEPING || cells > mostCells) {
            return;
        }
        List<ImagePrefix> names = ImagePrefix.of(prefix);
        String name = names.get(names.size() - 1).name();
        long bytes = context.stateBytes(sequence);
        if (files.has(name) || bytes > Integer.MAX_VALUE || !hold(bytes)) {
            return;
        }
        SequenceState state = null;
        try {
            state = context.save(sequence);
            copies.put(request, new Kept(name, state));
        } catch (LlamaException | OutOfMemoryError e) {
            LOG.log(System.Logger.Level.WARNING, "A prompt is not kept", e);
        } finally {
            held.addAndGet((state == null ? 0 : state.bytes()) - bytes);
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
        try {
            files.write(copy.name, copy.state.view());
        } catch (RuntimeException | Error e) {
            LOG.log(System.Logger.Level.WARNING, "A prompt cannot be kept", e);
        } finally {
            drop(copy.state);
        }
    }

    /** A request needs nothing of what was read for it any more. */
    void forgetRead(String request) {
        Kept kept = found.remove(request);
        if (kept != null) {
            drop(kept.state);
        }
    }

    /** A request ends. */
    void release(String request) {
        forgetRead(request);
        Kept copy = copies.remove(request);
        if (copy != null) {
            drop(copy.state);
        }
    }

    /** Waits for what the threads have begun. */
    void stopThreads() {
        NativeThreads.stop(reader);
        NativeThreads.stop(writer);
    }
}
