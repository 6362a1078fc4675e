package dev.luq.http.access;

import jakarta.inject.Inject;
import jakarta.inject.Singleton;

/**
 * Who shares the caches of a model with whom. With more than one key each has its own salt, so that neither the time
 * of an answer nor its cached tokens tell what others asked. A request may narrow that with a salt of its own.
 */
@Singleton
public final class CacheSalts {

    private final KeyRing ring;

    @Inject
    CacheSalts(KeyRing ring) {
        this.ring = ring;
    }

    /**
     * @param requested the request's {@code cache_salt}, or null
     * @return null where everybody shares
     */
    public String of(Caller caller, String requested) {
        String own = ring.keys().size() > 1 ? caller.tag() : null;
        if (requested == null) {
            return own;
        }
        return Caller.tag((own == null ? "" : own) + "/" + requested);
    }
}
