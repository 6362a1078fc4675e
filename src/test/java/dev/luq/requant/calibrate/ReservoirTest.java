package dev.luq.requant.calibrate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.luq.requant.feed.Modality;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ReservoirTest {

    /** The numbers of the tokens that end up in the slots. */
    private static long[] sample(long seed, int capacity, int tokens) {
        long[] slots = new long[capacity];
        Reservoir reservoir = new Reservoir(seed, capacity, Map.of());
        for (int number = 0; number < tokens; number++) {
            int slot = reservoir.offer(Modality.TEXT);
            if (slot >= 0) {
                slots[slot] = number;
            }
        }
        return slots;
    }

    @Test
    void theFirstTokensFillTheSlotsInOrder() {
        Reservoir reservoir = new Reservoir(1, 3, Map.of());
        assertEquals(
                List.of(0, 1, 2),
                List.of(
                        reservoir.offer(Modality.IMAGE),
                        reservoir.offer(Modality.IMAGE),
                        reservoir.offer(Modality.IMAGE)));
        assertEquals(0, reservoir.offer(Modality.TEXT), "each modality has slots of its own");
    }

    @Test
    void everyTokenIsEquallyLikelyToStay() {
        int tokens = 100;
        int[] kept = new int[10];
        int trials = 2000;
        for (int seed = 0; seed < trials; seed++) {
            for (long number : sample(seed * 7919L, 20, tokens)) {
                kept[(int) number / 10]++;
            }
        }
        for (int tenth : kept) {
            assertEquals(trials * 2, tenth, trials * 2 * 0.1);
        }
    }

    @Test
    void itGoesOnWhereItStood() {
        Reservoir whole = new Reservoir(5, 4, Map.of());
        List<Integer> expected = new ArrayList<>();
        for (int i = 0; i < 50; i++) {
            expected.add(whole.offer(Modality.IMAGE));
        }
        Reservoir first = new Reservoir(5, 4, Map.of());
        List<Integer> slots = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            slots.add(first.offer(Modality.IMAGE));
        }
        Reservoir second = new Reservoir(5, 4, first.seen());
        for (int i = 0; i < 30; i++) {
            slots.add(second.offer(Modality.IMAGE));
        }
        assertEquals(expected, slots);
        assertTrue(expected.contains(-1));
    }
}
