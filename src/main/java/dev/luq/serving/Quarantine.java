package dev.luq.serving;

import dev.luq.files.Sha256;
import dev.luq.protocol.PromptInput;
import dev.luq.protocol.ServerFrame;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.LongSupplier;

/**
 * Remembers inputs that a worker worked on when it crashed. Such an input is isolated: it runs alone. One that crashes a
 * worker while it runs alone is refused. One that is answered is forgotten, as are all after a while, and the inputs of the
 * crashes longest ago when there are too many. Thread-safe.
 */
final class Quarantine {

    /**
     * The latest crash of an input.
     *
     * @param time of the clock
     */
    private record Crash(boolean refused, long time) {}

    /** Occurs in no UTF-8 text, so parts cannot run into each other. */
    private static final byte END_OF_PART = (byte) 0xFF;

    /** By content key, the latest last. */
    private final Map<String, Crash> crashes;

    private final long memory;
    private final LongSupplier clock;

    Quarantine(WorkerConfig.Restart config) {
        this(config.suspects(), config.suspicion().toNanos(), System::nanoTime);
    }

    /**
     * @param capacity inputs remembered
     * @param memory how long, in the clock's nanoseconds
     */
    Quarantine(int capacity, long memory, LongSupplier clock) {
        this.memory = memory;
        this.clock = clock;
        this.crashes = new LinkedHashMap<>() {
            @Override
            protected boolean removeEldestEntry(Map.Entry<String, Crash> eldest) {
                return size() > capacity;
            }
        };
    }

    /** What of a request reaches native code as content; sampling does not count, so that a new seed is no way out. */
    static String key(ServerFrame.OfRequest request) {
        MessageDigest digest = Sha256.create();
        if (request.prompt() instanceof PromptInput.Chat chat) {
            add(chat.json(), digest);
        } else if (request.prompt() instanceof PromptInput.Raw raw) {
            raw.pieces().forEach(piece -> add(piece, digest));
            if (raw.constraint() != null) {
                add(raw.constraint().toString(), digest);
            }
        }
        request.images().forEach(image -> add(image.sha256(), digest));
        return Sha256.hex(digest);
    }

    private static void add(PromptInput.Piece piece, MessageDigest digest) {
        if (piece instanceof PromptInput.Piece.Tokens tokens) {
            for (int token : tokens.tokens()) {
                digest.update((byte) token);
                digest.update((byte) (token >> 8));
                digest.update((byte) (token >> 16));
                digest.update((byte) (token >> 24));
            }
            digest.update(END_OF_PART);
        } else if (piece instanceof PromptInput.Piece.Pair pair) {
            add(pair.query(), digest);
            add(pair.document(), digest);
        } else {
            add(piece instanceof PromptInput.Piece.Text text ? text.text() : "", digest);
        }
    }

    private static void add(String text, MessageDigest digest) {
        digest.update(text.getBytes(StandardCharsets.UTF_8));
        digest.update(END_OF_PART);
    }

    /** Whether a worker crashed while this input ran alone. */
    synchronized boolean refuses(String key) {
        Crash crash = crash(key);
        return crash != null && crash.refused();
    }

    /** Whether it has to run alone. */
    synchronized boolean isolates(String key) {
        Crash crash = crash(key);
        return crash != null && !crash.refused();
    }

    private Crash crash(String key) {
        Crash crash = crashes.get(key);
        if (crash != null && clock.getAsLong() - crash.time() >= memory) {
            crashes.remove(key);
            return null;
        }
        return crash;
    }

    /**
     * A worker crashed while it worked on this input.
     *
     * @param alone whether on nothing else, because it was isolated
     */
    synchronized void crashed(String key, boolean alone) {
        boolean refused = alone || refuses(key);
        crashes.remove(key);
        crashes.put(key, new Crash(refused, clock.getAsLong()));
    }

    /** A worker answered this input, or refused it. */
    synchronized void answered(String key) {
        crashes.remove(key);
    }
}
