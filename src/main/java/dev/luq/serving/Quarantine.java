package dev.luq.serving;

import dev.luq.files.Sha256;
import dev.luq.protocol.ServerFrame;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.function.LongSupplier;

/**
 * Remembers inputs that a worker worked on when it died. Such an input is a suspect, to be worked on alone; one with
 * which a worker dies alone is refused; one that is answered is innocent. All is forgotten after a while, and the inputs
 * blamed longest ago when there are too many. Thread-safe.
 */
final class Quarantine {

    private record Blame(boolean refused, long since) {
    }

    private final Map<String, Blame> blamed;
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
        this.blamed = new LinkedHashMap<>() {
            @Override
            protected boolean removeEldestEntry(Map.Entry<String, Blame> eldest) {
                return size() > capacity;
            }
        };
    }

    /** What of a request reaches native code as content; sampling does not count, so that a new seed is no way out. */
    static String key(ServerFrame.Generate request) {
        MessageDigest digest = Sha256.create();
        add(digest, request.messages());
        add(digest, request.tools());
        add(digest, request.toolChoice());
        add(digest, request.responseFormat());
        for (ServerFrame.Image image : request.images()) {
            add(digest, image.sha256());
        }
        return Sha256.hex(digest);
    }

    private static void add(MessageDigest digest, String part) {
        digest.update(Objects.requireNonNullElse(part, "").getBytes(StandardCharsets.UTF_8));
        digest.update((byte) 0xFF); // occurs in no UTF-8 text, so parts cannot run into each other
    }

    /** Whether a worker died with this input alone. */
    synchronized boolean refuses(String key) {
        Blame blame = blame(key);
        return blame != null && blame.refused();
    }

    /** Whether it is to be worked on alone. */
    synchronized boolean suspects(String key) {
        Blame blame = blame(key);
        return blame != null && !blame.refused();
    }

    private Blame blame(String key) {
        Blame blame = blamed.get(key);
        if (blame != null && clock.getAsLong() - blame.since() >= memory) {
            blamed.remove(key);
            return null;
        }
        return blame;
    }

    /** A worker died while it worked on this input. @param alone whether on nothing else, because it was suspected */
    synchronized void blame(String key, boolean alone) {
        boolean refused = alone || refuses(key);
        blamed.remove(key);
        blamed.put(key, new Blame(refused, clock.getAsLong()));
    }

    synchronized void acquit(String key) {
        blamed.remove(key);
    }
}
