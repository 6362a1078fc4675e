package dev.luq.serving;

import dev.luq.protocol.ImagePixels;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import java.util.function.ToLongFunction;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The requests that are admitted at once: as many as may run and wait, as many queries beside them, and no more than
 * configured of pixels that may not be encoded yet and of text that is not tokenized yet. One client may have all of that;
 * when others come, the client that has most is preempted. Choices of an answer that has begun are admitted beyond that,
 * and its queries beyond the number: one takes the place of another that has ended. What was cancelled counts until the
 * worker has given it up, as bytes alone. Not thread-safe: guarded by its owner.
 */
final class Permits {

    /** Why a request gets no permit. */
    record Refusal(String reason, WorkerException exception) {}

    /**
     * What a request holds in the worker: its pixels while they may not be encoded yet, and its text while the engine has
     * not tokenized it.
     */
    record Holding(Map<ImagePixels, Integer> images, long text) {

        static final Holding NOTHING = new Holding(Map.of(), 0);
    }

    private final String modelId;
    private final WorkerConfig config;
    private final int slots;
    private final Quarantine quarantine;
    /** By id, in the order of admission. */
    private final Map<String, InFlightRequest> held = new LinkedHashMap<>();
    /** Ids of those whose text the engine has not tokenized yet. */
    private final Set<String> untokenized = new HashSet<>();
    /** Ids of those whose images may not be encoded yet. */
    private final Set<String> unencoded = new HashSet<>();
    /** Of requests that gave their permit back and are not out of the worker yet, by id. */
    private final Map<String, Holding> leaving = new HashMap<>();

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
            unencoded.add(request.id());
        }
        return refusal;
    }

    /** The engine has made tokens of this request's text. */
    void accepted(String id) {
        untokenized.remove(id);
        InFlightRequest request = held.get(id); // null when it was given up meanwhile
        if (request != null) {
            request.answer.tokenized();
        }
    }

    /** Text of a request's answer has come: its prompt is done, and its images with it. */
    void answering(String id) {
        unencoded.remove(id);
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
     * @param measure how much of it requests take together
     */
    private record Shortage(String said, ToLongFunction<Collection<InFlightRequest>> measure) {}

    /** @return what there is too little of for one more beside these; null when it fits */
    private Shortage shortage(InFlightRequest request, Collection<InFlightRequest> others) {
        boolean begun = request.answer.hasBegun();
        if (begun && !request.isQuery()) {
            return null;
        }
        // Queries never wait for generations, and take no place from them.
        ToLongFunction<Collection<InFlightRequest>> one = all ->
                all.stream().filter(each -> each.isQuery() == request.isQuery()).count();
        long alike = one.applyAsLong(others);
        if (!begun && alike >= slots + config.queueSize()) {
            return new Shortage(": " + alike + " requests run or wait", one);
        }
        Collection<InFlightRequest> all = new ArrayList<>(others);
        all.add(request);
        // Everything of the request that asks for a permit counts.
        Predicate<InFlightRequest> hasPixels = each -> each == request || unencoded.contains(each.id());
        ToLongFunction<Collection<InFlightRequest>> images =
                some -> bytes(some.stream().filter(hasPixels).map(each -> each.images));
        Stream<Map<ImagePixels, Integer>> ofAll = all.stream().filter(hasPixels).map(each -> each.images);
        if (bytes(Stream.concat(ofAll, leaving.values().stream().map(Holding::images))) > config.imageBytesInFlight()) {
            return new Shortage(" with the images of other requests", images);
        }
        ToLongFunction<Collection<InFlightRequest>> text = some -> some.stream()
                .filter(each -> each == request || untokenized.contains(each.id()))
                .mapToLong(each -> each.textBytes)
                .sum();
        long leavingText = leaving.values().stream().mapToLong(Holding::text).sum();
        return text.applyAsLong(all) + leavingText > config.textBytesInFlight()
                ? new Shortage(" with the texts of other requests", text)
                : null;
    }

    /** Choices of one answer share their images. */
    private static long bytes(Stream<Map<ImagePixels, Integer>> images) {
        Map<ImagePixels, Integer> distinct = new HashMap<>();
        images.forEach(distinct::putAll);
        return distinct.values().stream().mapToLong(Integer::longValue).sum();
    }

    private InFlightRequest choosePreempted(
            InFlightRequest request,
            List<InFlightRequest> others,
            ToLongFunction<Collection<InFlightRequest>> measure) {
        Map<String, List<InFlightRequest>> byClient =
                others.stream().collect(Collectors.groupingBy(each -> each.client));
        Map<String, Long> holdings = new HashMap<>();
        byClient.forEach((client, all) -> holdings.put(client, measure.applyAsLong(all)));
        List<InFlightRequest> own = new ArrayList<>(byClient.getOrDefault(request.client, List.of()));
        own.add(request);
        long ownHolding = measure.applyAsLong(own);
        InFlightRequest chosen = null;
        for (InFlightRequest each : others) {
            // All queries that wait may have begun: a client that holds every place still gives way.
            if ((!each.answer.hasBegun() || each.isQuery())
                    && holdings.get(each.client) > ownHolding
                    && measure.applyAsLong(List.of(each)) > 0
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
        long imageBytes = bytes(Stream.of(request.images));
        if (imageBytes > config.imageBytesInFlight()) {
            return new Refusal(
                    "request_too_large",
                    new WorkerException.Rejected(
                            "request_too_large",
                            "The images have " + imageBytes + " bytes of pixels; at most " + config.imageBytesInFlight()
                                    + " are accepted per request",
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
        unencoded.remove(request.id());
        return true;
    }

    /** Of a request that holds a permit. */
    Holding holding(InFlightRequest request) {
        return new Holding(
                unencoded.contains(request.id()) ? request.images : Map.of(),
                untokenized.contains(request.id()) ? request.textBytes : 0);
    }

    /** A request that gave its permit back holds this in the worker until it has {@link #left}. */
    void leaves(String id, Holding holding) {
        leaving.put(id, holding);
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
