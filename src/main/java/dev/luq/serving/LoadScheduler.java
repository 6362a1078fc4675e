package dev.luq.serving;

import dev.luq.catalog.KeepAlive;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.Predicate;
import java.util.function.ToLongFunction;

/**
 * Decides which models are in memory: which load begins, which model ends for it, and which ends because it is idle. It
 * only decides: {@link ModelLoader} tells it what happens, and does what it says.
 * <ol>
 *   <li>A model that is idle for its keep-alive ends.
 *   <li>Loads begin in the order in which they were asked for, as soon as it is known what they take. One that waits for
 *       memory holds back those behind it: small models do not keep a large one waiting for ever.
 *   <li>A load begins when the model fits into the limit beside all that have memory: that load, serve, or still end.
 *   <li>For one that does not fit, others end that are not pinned: idle ones first, then busy ones, of both those first
 *       that were used longest ago. Whom the rest make unnecessary stays.
 *   <li>A busy one that is to end gives way: its requests are answered, and further ones queue behind the load that it
 *       ends for. When all clients that asked for that load have left, it stays.
 *   <li>One that does not fit beside the pinned ones alone is refused.
 * </ol>
 * Times are {@link System#nanoTime()}. Not thread-safe: guarded by its owner.
 */
final class LoadScheduler {

    /** Why a model ends. */
    enum Reason {
        /** It was not used for its keep-alive. */
        IDLE,
        /** Another model needs its memory. */
        EVICTED
    }

    /** What is to be done. */
    sealed interface Decision {

        String modelId();

        /** Its memory is reserved: load it. */
        record Load(String modelId) implements Decision {}

        /** It was asked for and is in memory already: it stays. */
        record Keep(String modelId) implements Decision {}

        /** Its process is to end; {@link LoadScheduler#gone} follows. */
        record Unload(String modelId, Reason reason) implements Decision {}

        /**
         * Nobody can make room for it.
         *
         * @param bytes that it takes
         * @param pinned ids and bytes of the pinned models in memory
         */
        record Refuse(String modelId, long bytes, Map<String, Long> pinned) implements Decision {}
    }

    /** Where a model stands. */
    private enum Place {
        /** No memory is its own. */
        OUT,
        /** Memory is reserved for it: it loads or serves. */
        IN,
        /** Its process ends. */
        LEAVING
    }

    private static final class Model {
        private final String id;
        private final boolean pinned;
        private Place place = Place.OUT;
        private long estimate;
        /** Whether the estimate is of the files that the next load takes. */
        private boolean sized;

        /** What a process that takes the first one's place takes beyond it. */
        private long extra;

        private KeepAlive keepAlive;
        private long lastUsed;
        private boolean givesWay;

        Model(String id, boolean pinned) {
            this.id = id;
            this.pinned = pinned;
        }
    }

    private final long limit;
    private final Predicate<String> busy;
    private final ToLongFunction<String> measured;
    private final Map<String, Model> models = new LinkedHashMap<>();
    /** Asked for, in this order. */
    private final Set<String> asked = new LinkedHashSet<>();
    /** Those of the present decisions that requests wait for: busy before their owner can say so. */
    private final Set<String> begun = new HashSet<>();

    /**
     * @param limit bytes that all models together may take
     * @param busy whether requests to a model that is in memory run there or wait until it is loaded
     * @param measured bytes that a model's processes take; 0 where that is not known
     */
    LoadScheduler(long limit, Predicate<String> busy, ToLongFunction<String> measured) {
        this.limit = limit;
        this.busy = busy;
        this.measured = measured;
    }

    long limit() {
        return limit;
    }

    /** There is such a model from now on, without memory. */
    void add(String id, boolean pinned, KeepAlive keepAlive) {
        Model model = new Model(id, pinned);
        model.keepAlive = keepAlive;
        models.put(id, model);
    }

    /** There is no such model any more; it has no memory. */
    void remove(String id) {
        asked.remove(id);
        models.remove(id);
    }

    /** A request for a model has come or has ended. */
    void used(String id, long now) {
        models.get(id).lastUsed = now;
    }

    /** How long a model stays after its last request, from now on. */
    void keepAlive(String id, KeepAlive keepAlive) {
        models.get(id).keepAlive = keepAlive;
    }

    /** As was said last. */
    KeepAlive keepAlive(String id) {
        return models.get(id).keepAlive;
    }

    /**
     * A model is to be in memory. It has its place in the queue from now on; its load begins when {@link #sized} is
     * said: its files may be others than those of its latest load.
     *
     * @return whether it had no place there
     */
    boolean ask(String id) {
        Model model = models.get(id);
        boolean asks = asked.add(id);
        if (asks && model.place != Place.IN) {
            model.sized = false;
        }
        return asks;
    }

    /** Nobody waits for it any more. */
    void abandon(String id) {
        asked.remove(id);
    }

    /** What serving a model takes by its files; counts until more is measured. */
    void sized(String id, long estimate) {
        Model model = models.get(id);
        model.estimate = estimate;
        model.sized = true;
    }

    /** A model is loaded whatever the limit says. */
    void enter(String id) {
        models.get(id).place = Place.IN;
    }

    /**
     * A model is to end now; {@link #gone} follows.
     *
     * @return whether it has memory
     */
    boolean leave(String id) {
        asked.remove(id);
        Model model = models.get(id);
        if (model.place == Place.IN) {
            model.place = Place.LEAVING;
        }
        return model.place == Place.LEAVING;
    }

    /** The memory of a model is free. */
    void gone(String id) {
        models.get(id).place = Place.OUT;
    }

    /**
     * Another process of a model takes the present one's place, {@link #replaced} follows.
     *
     * @param bytes that it takes
     * @param beside whether the present one is there until then
     */
    void replacing(String id, long bytes, boolean beside) {
        Model model = models.get(id);
        model.extra = beside ? bytes : Math.max(0, bytes - model.estimate);
    }

    /** The replaced process of a model is gone. */
    void replaced(String id) {
        models.get(id).extra = 0;
    }

    /** Whether so much more fits as things are. */
    boolean fits(long bytes) {
        return bytes <= limit - taken(models.values());
    }

    /** Whether memory is reserved for it and it does not end. */
    boolean isIn(String id) {
        Model model = models.get(id);
        return model != null && model.place == Place.IN;
    }

    /** Whether its process ends. */
    boolean isLeaving(String id) {
        return models.get(id).place == Place.LEAVING;
    }

    /** Whether a request for it goes on at once or when it is loaded: it has memory, and no other model needs that. */
    boolean admits(String id) {
        Model model = models.get(id);
        return model.place == Place.IN && !model.givesWay;
    }

    /** Bytes of all models that have memory. */
    long taken() {
        return taken(models.values());
    }

    private long taken(Iterable<Model> those) {
        long bytes = 0;
        for (Model model : those) {
            if (model.place != Place.OUT) {
                bytes += bytes(model);
            }
        }
        return bytes;
    }

    /** Buffers grow while a model serves, so that less than estimated may be measured. */
    private long bytes(Model model) {
        return Math.max(model.estimate + model.extra, measured.applyAsLong(model.id));
    }

    /** What is to be done now, in this order; it counts as begun. */
    List<Decision> next(long now) {
        List<Decision> decisions = new ArrayList<>();
        models.values().forEach(model -> model.givesWay = false);
        begun.clear();
        endIdle(now, decisions);
        for (String id : List.copyOf(asked)) {
            if (!decide(models.get(id), decisions)) {
                break;
            }
        }
        return decisions;
    }

    private void endIdle(long now, List<Decision> decisions) {
        for (Model model : models.values()) {
            if (model.place == Place.IN && remaining(model, now) <= 0) {
                end(model, Reason.IDLE, decisions);
            }
        }
    }

    /** Nanoseconds until a model has been idle for its keep-alive; the largest number for never. */
    private long remaining(Model model, long now) {
        return model.keepAlive.idle() == null || asked.contains(model.id) || busy.test(model.id)
                ? Long.MAX_VALUE
                : model.lastUsed + model.keepAlive.idle().toNanos() - now;
    }

    /** Nanoseconds until {@link #next} is to be asked again even if nothing happens; empty for never. */
    OptionalLong untilNext(long now) {
        return models.values().stream()
                .filter(model -> model.place == Place.IN)
                .mapToLong(model -> remaining(model, now))
                .filter(nanos -> nanos < Long.MAX_VALUE)
                .min();
    }

    private static void end(Model model, Reason reason, List<Decision> decisions) {
        model.place = Place.LEAVING;
        decisions.add(new Decision.Unload(model.id, reason));
    }

    /**
     * The first of those asked for that are not decided on.
     *
     * @return whether the next one can be decided on
     */
    private boolean decide(Model first, List<Decision> decisions) {
        if (first.place == Place.LEAVING) {
            return true; // its memory counts until it is gone, and then it comes first
        }
        if (first.place == Place.IN) {
            asked.remove(first.id);
            begun.add(first.id);
            decisions.add(new Decision.Keep(first.id));
            return true;
        }
        if (!first.sized) {
            return true; // a disk that does not answer holds back its models alone
        }
        Map<String, Long> pinned = pinned();
        long bytes = first.estimate;
        if (bytes > limit - pinned.values().stream().mapToLong(Long::longValue).sum()) {
            asked.remove(first.id);
            decisions.add(new Decision.Refuse(first.id, bytes, pinned));
            return true;
        }
        if (fits(bytes)) {
            asked.remove(first.id);
            first.place = Place.IN;
            begun.add(first.id);
            decisions.add(new Decision.Load(first.id));
            return true;
        }
        makeRoom(bytes, decisions);
        return false;
    }

    private boolean isBusy(Model model) {
        return begun.contains(model.id) || busy.test(model.id);
    }

    private Map<String, Long> pinned() {
        Map<String, Long> pinned = new LinkedHashMap<>();
        for (Model model : models.values()) {
            if (model.pinned && model.place == Place.IN) {
                pinned.put(model.id, bytes(model));
            }
        }
        return Collections.unmodifiableMap(pinned);
    }

    private void makeRoom(long bytes, List<Decision> decisions) {
        long missing = bytes - limit;
        List<Model> candidates = new ArrayList<>();
        for (Model model : models.values()) {
            if (model.place == Place.IN) {
                missing += bytes(model);
                if (!model.pinned) {
                    candidates.add(model);
                }
            }
        }
        candidates.sort(
                Comparator.comparing(this::isBusy).thenComparing((a, b) -> Long.signum(a.lastUsed - b.lastUsed)));
        List<Model> ending = new ArrayList<>();
        for (Model candidate : candidates) {
            if (missing > 0) {
                ending.add(candidate);
                missing -= bytes(candidate);
            }
        }
        for (int i = ending.size() - 1; i >= 0; i--) {
            if (missing + bytes(ending.get(i)) <= 0) {
                missing += bytes(ending.remove(i));
            }
        }
        for (Model model : ending) {
            if (isBusy(model)) {
                model.givesWay = true;
            } else {
                end(model, Reason.EVICTED, decisions);
            }
        }
    }
}
