package dev.luq.engine;

import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Whose request is next. The client with the fewest running requests is, and of several such the one that has waited
 * longest since it last had a turn: whoever sends many requests at once waits for himself, and nobody for ever, since each
 * turn puts its client behind those who wait. Not thread-safe.
 */
final class Turns {

    /** When clients that still wait had their latest turn. */
    private final Map<String, Long> latest = new HashMap<>();
    private long clock;

    /** A request begins to wait. */
    void arrived(Request r) {
        r.arrived = ++clock;
    }

    /**
     * @param candidates not empty, in the order in which they came
     * @return one of them
     */
    Request next(List<Request> candidates, Collection<Request> running) {
        Request best = null;
        Set<String> seen = new HashSet<>();
        for (Request r : candidates) {
            if (seen.add(r.client) && (best == null || isBefore(r, best, running))) {
                best = r;
            }
        }
        return best;
    }

    private boolean isBefore(Request a, Request b, Collection<Request> running) {
        long ofA = running.stream().filter(r -> r.client.equals(a.client)).count();
        long ofB = running.stream().filter(r -> r.client.equals(b.client)).count();
        return ofA != ofB ? ofA < ofB : waitsSince(a) < waitsSince(b);
    }

    private long waitsSince(Request r) {
        return Math.max(r.arrived, latest.getOrDefault(r.client, 0L));
    }

    /** A request has its turn. @param waiting those who still wait */
    void took(Request r, Collection<Request> waiting) {
        latest.put(r.client, ++clock);
        Set<String> clients = new HashSet<>();
        waiting.forEach(other -> clients.add(other.client));
        latest.keySet().retainAll(clients);
    }
}
