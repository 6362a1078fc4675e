package dev.luq.serving;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class ProbationTest {

    private static final long SECOND = 1_000_000_000L;
    private static final long LIMIT = 30 * SECOND;

    private long now = Long.MAX_VALUE - 5 * SECOND; // nanoTime may run over
    private final Probation probation = new Probation(LIMIT, now);

    @Test
    void whoIsNotSuspectedGoesAtOnce() {
        Generation first = ordinary();
        Generation second = ordinary();
        assertEquals(List.of(first, second), next());
        assertFalse(probation.isWaiting());
    }

    @Test
    void aSuspectGoesAloneAndTheOthersAfterIt() {
        Generation suspect = suspect();
        assertEquals(List.of(suspect), next());
        assertTrue(probation.isAlone(suspect));
        Generation other = ordinary();
        assertEquals(List.of(), next());
        assertTrue(probation.remove(suspect, now));
        assertEquals(List.of(other), next());
    }

    @Test
    void aSuspectWaitsForWhatTheWorkerHasAndWasToldToStop() {
        Generation running = ordinary();
        assertEquals(List.of(running), next());
        Generation suspect = suspect();
        Generation passing = ordinary();
        assertEquals(List.of(passing), next());
        probation.remove(running, now);
        probation.remove(passing, now);
        assertEquals(List.of(), probation.next(now, false));
        assertEquals(List.of(suspect), next());
    }

    @Test
    void othersLetASuspectThroughAfterAMoment() {
        Generation running = ordinary();
        next();
        Generation suspect = suspect();
        next();
        now += Probation.PATIENCE;
        next();
        Generation late = ordinary();
        assertEquals(List.of(), next());
        probation.remove(running, now);
        assertEquals(List.of(suspect), next());
        probation.remove(suspect, now);
        assertEquals(List.of(late), next());
    }

    @Test
    void nobodyWaitsForASuspectForEver() {
        Generation suspect = suspect();
        next();
        Generation other = ordinary();
        now += LIMIT - 1;
        assertEquals(List.of(), next());
        now++;
        assertEquals(List.of(other), next());
        assertFalse(probation.isAlone(suspect));
    }

    @Test
    void aSuspectDoesNotWaitForEverForOthersThatRun() {
        Generation running = ordinary();
        next();
        Generation suspect = suspect();
        now += Probation.PATIENCE;
        next();
        Generation late = ordinary();
        now += LIMIT;
        assertEquals(List.of(suspect, late), next());
        assertFalse(probation.isAlone(suspect));
        assertTrue(probation.remove(running, now));
    }

    @Test
    void suspectsInARowLeaveTheOthersHalfOfTheTime() {
        Generation first = suspect();
        next();
        suspect();
        Generation other = ordinary();
        now += LIMIT;
        probation.remove(first, now);
        assertEquals(List.of(other), next());
        now += LIMIT - 1;
        Generation soon = ordinary();
        assertEquals(List.of(soon), next());
        now += 1;
        next();
        ordinary();
        assertEquals(List.of(), next());
    }

    @Test
    void oneThatLeavesWhileItWaitsIsForgotten() {
        Generation running = ordinary();
        next();
        Generation suspect = suspect();
        now += Probation.PATIENCE;
        next();
        assertFalse(probation.remove(suspect, now));
        Generation other = ordinary();
        assertEquals(List.of(other), next());
        assertTrue(probation.remove(running, now));
    }

    /** Whatever happens in whatever order: everybody goes, within a bounded time. */
    @Test
    void nobodyIsStuck() {
        Random random = new Random(1);
        for (int run = 0; run < 50; run++) {
            List<Generation> working = new ArrayList<>();
            int waiting = 0;
            for (int step = 0; step < 200; step++) {
                if (random.nextInt(3) == 0) {
                    if (random.nextInt(4) == 0) {
                        suspect();
                    } else {
                        ordinary();
                    }
                    waiting++;
                }
                if (!working.isEmpty() && random.nextInt(8) == 0) {
                    probation.remove(working.remove(random.nextInt(working.size())), now);
                }
                List<Generation> gone = next();
                waiting -= gone.size();
                working.addAll(gone);
                now += random.nextInt(1_000_000_000);
            }
            for (int i = 0; waiting > 0; i++) {
                assertTrue(i < 400, "somebody is stuck");
                List<Generation> gone = next();
                waiting -= gone.size();
                working.addAll(gone);
                now += 10 * SECOND;
            }
            working.forEach(generation -> probation.remove(generation, now));
        }
    }

    private List<Generation> next() {
        return probation.next(now, true);
    }

    private Generation ordinary() {
        return add(false);
    }

    private Generation suspect() {
        return add(true);
    }

    private Generation add(boolean suspect) {
        List<Generation> made = new ArrayList<>();
        Generation.stream("m", WorkerClient.request("x", 1), new GenerationListener() { }, made::add).subscribe().with(item -> { });
        probation.add(made.get(0), suspect, now);
        return made.get(0);
    }
}
