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
 * The generations that are let in at once: as many as may run and wait, no more pixels than configured, and of those that
 * the engine has not taken yet, no more text. A client alone may have all of that; when others come, whoever has most gives
 * way. Not thread-safe: guarded by its owner.
 */
final class Permits {

    /** Why a generation gets no permit. */
    record Refusal(String reason, WorkerException exception) {
    }

    private final String modelId;
    private final WorkerConfig config;
    private final Quarantine quarantine;
    /** By id, in the order of arrival. */
    private final Map<String, Generation> held = new LinkedHashMap<>();
    /** Ids of those whose text the engine has not taken yet. */
    private final Set<String> untaken = new HashSet<>();
    /** Answers that have begun with one of their choices. */
    private final Set<String> begun = new HashSet<>();

    Permits(String modelId, WorkerConfig config, Quarantine quarantine) {
        this.modelId = modelId;
        this.config = config;
        this.quarantine = quarantine;
    }

    /** Gives a permit. @return null, or why there is none */
    Refusal take(Generation generation) {
        Refusal refusal = refusal(generation);
        if (refusal == null) {
            held.put(generation.id(), generation);
            untaken.add(generation.id());
        }
        return refusal;
    }

    /** The engine has made tokens of this generation's text. */
    void accepted(String id) {
        untaken.remove(id);
        // It may have been given up meanwhile.
        if (held.containsKey(id)) {
            begun.add(answerOf(id));
        }
    }

    /** Choices of one request are one answer to its client: their ids are the answer's, a dash and a number. */
    private static String answerOf(String id) {
        int dash = id.lastIndexOf('-');
        return dash < 0 ? id : id.substring(0, dash);
    }

    /**
     * Those that have to go so that a generation gets its permit, which the owner does: of the client that holds most of
     * what is short, the newest whose answer has not begun. None when there is room, when the generation is refused for
     * another reason, or when its client would then hold as much as the one that gave way.
     */
    List<Generation> givingWayTo(Generation generation) {
        if (refusalForItself(generation) != null) {
            return List.of();
        }
        List<Generation> left = new ArrayList<>(held.values());
        List<Generation> going = new ArrayList<>();
        for (Shortage lack = shortage(generation, left); lack != null; lack = shortage(generation, left)) {
            Generation victim = givesWay(generation, left, lack.measure());
            if (victim == null) {
                return List.of();
            }
            left.remove(victim);
            going.add(victim);
        }
        return going;
    }

    /**
     * What there is too little of.
     *
     * @param said of it to people
     * @param measure how much of it a generation takes
     */
    private record Shortage(String said, ToLongFunction<Generation> measure) {
    }

    /** @return what there is too little of for one more beside these; null when it fits */
    private Shortage shortage(Generation generation, Collection<Generation> others) {
        if (others.size() >= config.slots() + config.queueSize()) {
            return new Shortage(": " + others.size() + " requests run or wait", each -> 1);
        }
        if (sum(others, each -> each.imageBytes) + generation.imageBytes > config.imageBytesInFlight()) {
            return new Shortage(" with the images of other requests", each -> each.imageBytes);
        }
        // Of one that asks to be let in all text counts.
        ToLongFunction<Generation> text = each -> each == generation || untaken.contains(each.id()) ? each.textBytes : 0;
        return sum(others, text) + generation.textBytes > config.textBytesInFlight()
                ? new Shortage(" with the texts of other requests", text) : null;
    }

    private static long sum(Collection<Generation> generations, ToLongFunction<Generation> measure) {
        return generations.stream().mapToLong(measure).sum();
    }

    private Generation givesWay(Generation generation, List<Generation> others, ToLongFunction<Generation> measure) {
        Map<String, Long> holdings = new HashMap<>();
        others.forEach(each -> holdings.merge(each.client, measure.applyAsLong(each), Long::sum));
        long own = holdings.getOrDefault(generation.client, 0L) + measure.applyAsLong(generation);
        Generation victim = null;
        for (Generation each : others) {
            if (!begun.contains(answerOf(each.id())) && measure.applyAsLong(each) > 0 && holdings.get(each.client) > own
                    && (victim == null || holdings.get(each.client) >= holdings.get(victim.client))) {
                victim = each;
            }
        }
        return victim;
    }

    /** What a generation that gave way to somebody else's is told. */
    Refusal displaced() {
        return new Refusal("queue_full", new WorkerException.QueueFull(
                "The model " + modelId + " is busy, and others who have fewer requests there came before this one"));
    }

    private Refusal refusal(Generation generation) {
        Refusal refusal = refusalForItself(generation);
        if (refusal != null) {
            return refusal;
        }
        Shortage lack = shortage(generation, held.values());
        return lack == null ? null
                : new Refusal("queue_full", new WorkerException.QueueFull("The model " + modelId + " is busy" + lack.said()));
    }

    /** Why a generation gets no permit however few others there are. */
    private Refusal refusalForItself(Generation generation) {
        if (quarantine.refuses(generation.contentKey)) {
            return new Refusal("input_quarantined", new WorkerException.Quarantined(
                    "This input ended the model's process more than once and is not tried again"));
        }
        if (generation.imageBytes > config.imageBytesInFlight()) {
            return new Refusal("request_too_large", new WorkerException.Rejected("request_too_large",
                    "The images have " + generation.imageBytes + " bytes of pixels; at most "
                            + config.imageBytesInFlight() + " are accepted per request", "messages"));
        }
        if (generation.textBytes > config.textBytesInFlight()) {
            return new Refusal("request_too_large", new WorkerException.Rejected("request_too_large",
                    "The messages, tools and schemas are too long: they take " + generation.textBytes + " bytes, and at most "
                            + config.textBytesInFlight() + " are accepted per request", "messages"));
        }
        if (held.containsKey(generation.id())) {
            return duplicate();
        }
        return null;
    }

    static Refusal duplicate() {
        return new Refusal("duplicate_id", new WorkerException.Rejected("internal_error",
                "A request with this id is in flight", null));
    }

    /** @return whether the generation had a permit: the caller took it back */
    boolean giveBack(Generation generation) {
        if (!held.remove(generation.id(), generation)) {
            return false;
        }
        untaken.remove(generation.id());
        String answer = answerOf(generation.id());
        if (held.keySet().stream().noneMatch(other -> answerOf(other).equals(answer))) {
            begun.remove(answer);
        }
        return true;
    }

    /** @return null when there is none */
    Generation get(String id) {
        return held.get(id);
    }

    /** In the order of arrival. */
    List<Generation> all() {
        return List.copyOf(held.values());
    }

    int size() {
        return held.size();
    }
}
