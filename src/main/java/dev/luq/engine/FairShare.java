package dev.luq.engine;

import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Shares sequences fairly between clients. The next request is that of the client with the fewest running requests; of
 * several such clients, the one whose latest admission, or arrival if later, is longest ago. A client that sends many
 * requests at once delays only itself, and none starves: each admission puts its client behind those that wait. Not
 * thread-safe.
 */
final class FairShare {

    /** When clients that still wait were last admitted. */
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

    /**
     * A request is admitted.
     *
     * @param waiting those that still wait
     */
    void admitted(Request r, Collection<Request> waiting) {
        latest.put(r.client, ++clock);
        Set<String> clients = new HashSet<>();
        waiting.forEach(other -> clients.add(other.client));
        latest.keySet().retainAll(clients);
    }
}
