package dev.luq.worker;

import dev.luq.files.Sha256;
import dev.luq.worker.protocol.ServerFrame;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;

/**
 * Remembers inputs that a worker was busy with when it died. An input that was there twice is refused from then on;
 * one that is answered in between is innocent. Bounded: the inputs blamed longest ago are forgotten. Thread-safe.
 */
final class Quarantine {

    private static final int DEATHS = 2;

    private final Map<String, Integer> deaths;

    /** @param capacity inputs remembered */
    Quarantine(int capacity) {
        deaths = new LinkedHashMap<>() {
            @Override
            protected boolean removeEldestEntry(Map.Entry<String, Integer> eldest) {
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

    synchronized boolean refuses(String key) {
        return deaths.getOrDefault(key, 0) >= DEATHS;
    }

    synchronized void blame(String key) {
        Integer before = deaths.remove(key);
        deaths.put(key, before == null ? 1 : before + 1);
    }

    synchronized void acquit(String key) {
        deaths.remove(key);
    }
}
