package dev.luq.requant.calibrate;

import dev.luq.requant.feed.Modality;
import java.util.EnumMap;
import java.util.Map;
import java.util.SplittableRandom;

/**
 * A uniform sample of all tokens of each modality, however many come (Vitter's algorithm R). A token's slot depends on
 * the seed and its number only, so that a pass can go on from any number.
 */
final class Reservoir {

    private final long seed;
    private final int capacity;
    private final Map<Modality, Long> seen = new EnumMap<>(Modality.class);

    /** @param seen tokens of each modality that were offered before */
    Reservoir(long seed, int capacity, Map<Modality, Long> seen) {
        this.seed = seed;
        this.capacity = capacity;
        for (Modality modality : Modality.values()) {
            this.seen.put(modality, seen.getOrDefault(modality, 0L));
        }
    }

    /** @return the slot, 0 to capacity - 1, whose token this one replaces, or -1 when it is not taken */
    int offer(Modality modality) {
        long number = seen.merge(modality, 1L, Long::sum) - 1;
        if (number < capacity) {
            return (int) number;
        }
        long slot = new SplittableRandom(seed + number * Modality.values().length + modality.ordinal())
                .nextLong(number + 1);
        return slot < capacity ? (int) slot : -1;
    }

    /** Tokens offered. A copy. */
    Map<Modality, Long> seen() {
        return new EnumMap<>(seen);
    }
}
