package dev.luq.serving;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.ToLongFunction;

/**
 * The requests that are admitted at once: as many as may run and wait, as many queries beside them, no more pixels than
 * configured, and of those that the engine has not tokenized yet, no more text. One client may have all of that; when
 * others come, the client that has most is preempted. Choices of an answer that has begun are admitted beyond that, and
 * its queries beyond the number: one takes the place of another that has ended. What was cancelled counts until the
 * worker has given it up, as bytes alone. Not thread-safe: guarded by its owner.
 */
final class Permits {

    /** Why a request gets no permit. */
    record Refusal(String reason, WorkerException exception) {}

    /** What a request holds in the worker: its pixels, and its text while the engine has not tokenized it. */
    record Bytes(long images, long text) {}

    private final String modelId;
    private final WorkerConfig config;
    private final int slots;
    private final Quarantine quarantine;
    /** By id, in the order of admission. */
    private final Map<String, InFlightRequest> held = new LinkedHashMap<>();
    /** Ids of those whose text the engine has not tokenized yet. */
    private final Set<String> untokenized = new HashSet<>();
    /** Of requests that gave their permit back and are not out of the worker yet, by id. */
    private final Map<String, Bytes> leaving = new HashMap<>();

    /** @param slots of the model */
    Permits(String modelId, WorkerConfig config, int slots, Quarantine quarantine) {
        this.modelId = modelId;
        this.config = config;
        this.slots = slots;
        this.quarantine = quarantine;
    }

    /**
     * Gives a permit.
     *
     * @return null, or why there is none
     */
    Refusal acquire(InFlightRequest request) {
        Refusal refusal = refusal(request);
        if (refusal == null) {
            held.put(request.id(), request);
            untokenized.add(request.id());
        }
        return refusal;
    }

    /** The engine has made tokens of this request's text. */
    void accepted(String id) {
        untokenized.remove(id);
        InFlightRequest request = held.get(id); // null when it was given up meanwhile
        if (request != null) {
            request.answer.begin();
        }
    }

    /**
     * The requests to preempt so that this one gets its permit; the owner ends them. They are the newest of the client that
     * holds most of what is short: those whose answer has not begun, then queries whose answer has. None when there is room,
     * when the request is refused for another reason, or when its client would then hold as much as the preempted one.
     */
    List<InFlightRequest> preempted(InFlightRequest request) {
        if (refusalForItself(request) != null) {
            return List.of();
        }
        List<InFlightRequest> left = new ArrayList<>(held.values());
        List<InFlightRequest> going = new ArrayList<>();
        for (Shortage lack = shortage(request, left); lack != null; lack = shortage(request, left)) {
            InFlightRequest chosen = choosePreempted(request, left, lack.measure());
            if (chosen == null) {
                return List.of();
            }
            left.remove(chosen);
            going.add(chosen);
        }
        return going;
    }

    /**
     * What there is too little of.
     *
     * @param said of it to people
     * @param measure how much of it a request takes
     */
    private record Shortage(String said, ToLongFunction<InFlightRequest> measure) {}

    /** @return what there is too little of for one more beside these; null when it fits */
    private Shortage shortage(InFlightRequest request, Collection<InFlightRequest> others) {
        boolean begun = request.answer.hasBegun();
        if (begun && !request.isQuery()) {
            return null;
        }
        // Queries never wait for generations, and take no place from them.
        ToLongFunction<InFlightRequest> one = each -> each.isQuery() == request.isQuery() ? 1 : 0;
        long alike = sum(others, one);
        if (!begun && alike >= slots + config.queueSize()) {
            return new Shortage(": " + alike + " requests run or wait", one);
        }
        long leavingImages = leaving.values().stream().mapToLong(Bytes::images).sum();
        if (sum(others, each -> each.imageBytes) + leavingImages + request.imageBytes > config.imageBytesInFlight()) {
            return new Shortage(" with the images of other requests", each -> each.imageBytes);
        }
        // All text of the request that asks for a permit counts.
        ToLongFunction<InFlightRequest> text =
                each -> each == request || untokenized.contains(each.id()) ? each.textBytes : 0;
        long leavingText = leaving.values().stream().mapToLong(Bytes::text).sum();
        return sum(others, text) + leavingText + request.textBytes > config.textBytesInFlight()
                ? new Shortage(" with the texts of other requests", text)
                : null;
    }

    private static long sum(Collection<InFlightRequest> requests, ToLongFunction<InFlightRequest> measure) {
        return requests.stream().mapToLong(measure).sum();
    }

    private InFlightRequest choosePreempted(
            InFlightRequest request, List<InFlightRequest> others, ToLongFunction<InFlightRequest> measure) {
        Map<String, Long> holdings = new HashMap<>();
        others.forEach(each -> holdings.merge(each.client, measure.applyAsLong(each), Long::sum));
        long own = holdings.getOrDefault(request.client, 0L) + measure.applyAsLong(request);
        InFlightRequest chosen = null;
        for (InFlightRequest each : others) {
            // All queries that wait may have begun: a client that holds every place still gives way.
            if ((!each.answer.hasBegun() || each.isQuery())
                    && measure.applyAsLong(each) > 0
                    && holdings.get(each.client) > own
                    && (chosen == null || goesBefore(each, chosen, holdings))) {
                chosen = each;
            }
        }
        return chosen;
    }

    /** @param later admitted after the other one */
    private static boolean goesBefore(InFlightRequest later, InFlightRequest other, Map<String, Long> holdings) {
        int heavier = Long.compare(holdings.get(later.client), holdings.get(other.client));
        if (heavier != 0) {
            return heavier > 0;
        }
        if (later.answer.hasBegun() != other.answer.hasBegun()) {
            return other.answer.hasBegun();
        }
        return !other.answer.isNewerThan(later.answer);
    }

    /** What the client of a preempted request is told. */
    Refusal preemption() {
        return new Refusal(
                "queue_full",
                new WorkerException.QueueFull("The model " + modelId
                        + " is busy, and others who have fewer requests there came before this one"));
    }

    private Refusal refusal(InFlightRequest request) {
        Refusal refusal = refusalForItself(request);
        if (refusal != null) {
            return refusal;
        }
        Shortage lack = shortage(request, held.values());
        return lack == null
                ? null
                : new Refusal(
                        "queue_full", new WorkerException.QueueFull("The model " + modelId + " is busy" + lack.said()));
    }

    /** Why a request gets no permit however few others there are. */
    private Refusal refusalForItself(InFlightRequest request) {
        if (quarantine.refuses(request.contentKey)) {
            return new Refusal(
                    "input_quarantined",
                    new WorkerException.Quarantined(
                            "This input ended the model's process more than once and is not tried again"));
        }
        if (request.imageBytes > config.imageBytesInFlight()) {
            return new Refusal(
                    "request_too_large",
                    new WorkerException.Rejected(
                            "request_too_large",
                            "The images have " + request.imageBytes + " bytes of pixels; at most "
                                    + config.imageBytesInFlight() + " are accepted per request",
                            "messages"));
        }
        if (request.textBytes > config.textBytesInFlight()) {
            return new Refusal(
                    "request_too_large",
                    new WorkerException.Rejected(
                            "request_too_large",
                            "The messages, tools and schemas are too long: they take " + request.textBytes
                                    + " bytes, and at most " + config.textBytesInFlight() + " are accepted per request",
                            "messages"));
        }
        if (held.containsKey(request.id())) {
            return duplicate();
        }
        return null;
    }

    static Refusal draining() {
        return new Refusal("draining", WorkerException.NotReady.stopping());
    }

    static Refusal duplicate() {
        return new Refusal(
                "duplicate_id",
                new WorkerException.Rejected("internal_error", "A request with this id is in flight", null));
    }

    /** @return whether the request had a permit: the caller took it back */
    boolean release(InFlightRequest request) {
        if (!held.remove(request.id(), request)) {
            return false;
        }
        untokenized.remove(request.id());
        return true;
    }

    /** Of a request that holds a permit. */
    Bytes bytes(InFlightRequest request) {
        return new Bytes(request.imageBytes, untokenized.contains(request.id()) ? request.textBytes : 0);
    }

    /** A request that gave its permit back holds this in the worker until it has {@link #left}. */
    void leaves(String id, Bytes bytes) {
        leaving.put(id, bytes);
    }

    /** The worker holds nothing of a request any more. */
    void left(String id) {
        leaving.remove(id);
    }

    /** @return null when there is none */
    InFlightRequest get(String id) {
        return held.get(id);
    }

    /** In the order of admission. */
    List<InFlightRequest> all() {
        return List.copyOf(held.values());
    }

    int size() {
        return held.size();
    }
}
