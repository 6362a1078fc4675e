package dev.luq.serving;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.luq.catalog.KeepAlive;
import dev.luq.serving.LoadScheduler.Decision.Keep;
import dev.luq.serving.LoadScheduler.Decision.Load;
import dev.luq.serving.LoadScheduler.Decision.Refuse;
import dev.luq.serving.LoadScheduler.Decision.Unload;
import dev.luq.serving.LoadScheduler.Reason;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Who goes for whom, by hand: ten bytes for all models, time in seconds. */
class LoadSchedulerTest {

    private static final long SECOND = 1_000_000_000L;

    private final Set<String> busy = new HashSet<>();
    private final Map<String, Long> measured = new HashMap<>();
    private final LoadScheduler scheduler = new LoadScheduler(10, busy::contains, id -> measured.getOrDefault(id, 0L));
    private final Set<String> known = new HashSet<>();
    private long now;

    @Test
    void aModelThatFitsIsLoadedAndNobodyGoes() {
        loaded("a", 4);
        assertEquals(List.of(new Load("b")), ask("b", 6));
        assertEquals(10, scheduler.taken());
    }

    @Test
    void nothingIsDecidedBeforeItIsKnownWhatAModelTakes() {
        add("a", false);
        scheduler.ask("a");
        assertEquals(List.of(), next());
        scheduler.sized("a", 1);
        assertEquals(List.of(new Load("a")), next());
    }

    @Test
    void aModelOfWhichItIsNotKnownWhatItTakesHoldsNobodyBack() {
        add("a", false);
        assertTrue(scheduler.ask("a"));
        assertFalse(scheduler.ask("a"), "it has its place");
        assertEquals(List.of(new Load("b")), ask("b", 6));
        scheduler.sized("a", 4);
        assertEquals(List.of(new Load("a")), next());
    }

    @Test
    void oneThatWasAskedForWhileItEndedAndIsThereAgainStays() {
        loaded("a", 4);
        scheduler.leave("a");
        assertEquals(List.of(), ask("a", 4));
        scheduler.enter("a");
        assertEquals(List.of(new Keep("a")), next());
    }

    @Test
    void aModelMayTakeMoreThanInItsEarlierLife() {
        loaded("a", 4);
        scheduler.leave("a");
        scheduler.gone("a");
        scheduler.ask("a");
        assertEquals(List.of(), next());
        scheduler.sized("a", 11);
        assertEquals(List.of(new Refuse("a", 11, Map.of())), next());
    }

    @Test
    void whileAModelEndsItsEstimateIsThatOfItsPresentLife() {
        loaded("a", 4);
        scheduler.leave("a");
        scheduler.ask("a");
        assertEquals(4, scheduler.taken());
    }

    @Test
    void theOneThatWasUsedLongestAgoGoesFirst() {
        loaded("a", 4);
        loaded("b", 4);
        scheduler.used("a", ++now);
        assertEquals(List.of(new Unload("b", Reason.EVICTED)), ask("c", 4));
        assertEquals(List.of(), next());
        scheduler.gone("b");
        assertEquals(List.of(new Load("c")), next());
    }

    @Test
    void theMemoryOfOneThatEndsCountsUntilItIsGone() {
        loaded("a", 6);
        ask("b", 6);
        assertEquals(6, scheduler.taken());
        assertEquals(List.of(), ask("c", 2));
        scheduler.gone("a");
        assertEquals(List.of(new Load("b"), new Load("c")), next());
    }

    @Test
    void whomTheRestMakeUnnecessaryStays() {
        loaded("small", 2);
        loaded("large", 8);
        assertEquals(List.of(new Unload("large", Reason.EVICTED)), ask("new", 7));
    }

    @Test
    void measuredBytesCountWhereTheyAreMore() {
        loaded("a", 4);
        measured.put("a", 7L);
        assertEquals(List.of(new Unload("a", Reason.EVICTED)), ask("b", 4));
        measured.put("a", 1L);
        assertEquals(4, scheduler.taken());
    }

    @Test
    void idleOnesGoBeforeBusyOnes() {
        loaded("a", 5);
        loaded("b", 5);
        busy.add("a");
        assertEquals(List.of(new Unload("b", Reason.EVICTED)), ask("c", 5));
        assertTrue(scheduler.admits("a"));
    }

    @Test
    void aBusyOneGivesWayAfterItsRequests() {
        loaded("a", 6);
        busy.add("a");
        assertEquals(List.of(), ask("b", 6));
        assertFalse(scheduler.admits("a"));
        busy.clear();
        assertEquals(List.of(new Unload("a", Reason.EVICTED)), next());
        scheduler.gone("a");
        assertEquals(List.of(new Load("b")), next());
    }

    @Test
    void oneForWhichNobodyWaitsAnyMoreTakesNoMemory() {
        loaded("a", 6);
        busy.add("a");
        ask("b", 6);
        scheduler.abandon("b");
        assertEquals(List.of(), next());
        assertTrue(scheduler.admits("a"));
    }

    /** Requests for one model in memory and one that is not, again and again: neither waits for ever. */
    @Test
    void twoThatDoNotFitTogetherTakeTurns() {
        loaded("a", 6);
        busy.add("a");
        ask("b", 6);
        assertEquals(List.of(), ask("a", 6));
        busy.clear();
        assertEquals(List.of(new Unload("a", Reason.EVICTED)), next());
        scheduler.gone("a");
        assertEquals(List.of(new Load("b")), nextWith("b"));
        assertEquals(List.of(), ask("b", 6), "it queues behind the other one");
        assertFalse(scheduler.admits("b"));
        busy.clear();
        assertEquals(List.of(new Unload("b", Reason.EVICTED)), next());
        scheduler.gone("b");
        assertEquals(List.of(new Load("a")), nextWith("a"));
    }

    @Test
    void whoQueuesForOneThatStaysAfterAllGoesOn() {
        loaded("a", 6);
        busy.add("a");
        ask("b", 6);
        ask("a", 6);
        scheduler.abandon("b");
        assertEquals(List.of(new Keep("a")), next());
        assertTrue(scheduler.admits("a"));
    }

    @Test
    void loadsBeginInTheOrderInWhichTheyWereAskedFor() {
        loaded("a", 8);
        busy.add("a");
        assertEquals(List.of(), ask("large", 9));
        assertEquals(List.of(), ask("small", 1));
        busy.clear();
        assertEquals(List.of(new Unload("a", Reason.EVICTED)), next());
        scheduler.gone("a");
        assertEquals(List.of(new Load("large"), new Load("small")), next());
    }

    @Test
    void pinnedOnesStayAndAreNamed() {
        loaded("a", 4);
        add("p", true);
        scheduler.enter("p");
        scheduler.sized("p", 5);
        assertEquals(List.of(new Refuse("b", 6, Map.of("p", 5L))), ask("b", 6));
        assertTrue(scheduler.admits("a"), "nobody goes for one that does not fit anyway");
        assertEquals(List.of(new Unload("a", Reason.EVICTED)), ask("c", 5));
    }

    @Test
    void oneThatIsLargerThanTheLimitIsRefused() {
        assertEquals(List.of(new Refuse("a", 11, Map.of())), ask("a", 11));
    }

    @Test
    void whatIsLoadedAtTheStartMayExceedTheLimit() {
        for (String id : List.of("a", "b")) {
            add(id, true);
            scheduler.enter(id);
            scheduler.sized(id, 8);
        }
        assertEquals(List.of(), next());
        assertEquals(16, scheduler.taken());
        assertFalse(scheduler.fits(0));
    }

    @Test
    void anIdleOneGoesAfterItsKeepAlive() {
        loaded("a", 1);
        scheduler.keepAlive("a", KeepAlive.of("10s"));
        scheduler.used("a", now);
        assertEquals(OptionalLong.of(10 * SECOND), scheduler.untilNext(now));
        busy.add("a");
        assertEquals(OptionalLong.empty(), scheduler.untilNext(now));
        now += 60 * SECOND;
        assertEquals(List.of(), next());
        busy.clear();
        scheduler.used("a", now);
        now += 10 * SECOND - 1;
        assertEquals(List.of(), next());
        now++;
        assertEquals(List.of(new Unload("a", Reason.IDLE)), next());
        assertEquals(OptionalLong.empty(), scheduler.untilNext(now));
    }

    @Test
    void aKeepAliveOfZeroIsTheEndOfTheLastRequest() {
        loaded("a", 1);
        scheduler.keepAlive("a", KeepAlive.of("0"));
        busy.add("a");
        assertEquals(List.of(), next());
        busy.clear();
        scheduler.used("a", now);
        assertEquals(List.of(new Unload("a", Reason.IDLE)), next());
    }

    @Test
    void oneThatEndsIsLoadedAgainWhenItIsGone() {
        loaded("a", 6);
        assertTrue(scheduler.leave("a"));
        assertEquals(List.of(), ask("a", 6));
        scheduler.gone("a");
        assertEquals(List.of(new Load("a")), next());
    }

    @Test
    void aSecondProcessOfAModelCounts() {
        loaded("a", 4);
        assertTrue(scheduler.fits(6));
        scheduler.replacing("a", 4, true);
        assertFalse(scheduler.fits(3));
        scheduler.replaced("a");
        assertTrue(scheduler.fits(6));
    }

    @Test
    void aLargerProcessInTheFirstOnesPlaceCountsBeforeItIsThere() {
        loaded("a", 4);
        scheduler.replacing("a", 7, false);
        assertTrue(scheduler.fits(3));
        assertFalse(scheduler.fits(4));
        scheduler.replacing("a", 2, false);
        assertFalse(scheduler.fits(7), "the first one is still there");
    }

    @Test
    void oneThatIsAskedForWhileItEndsHoldsNobodyBack() {
        loaded("a", 4);
        scheduler.leave("a");
        assertEquals(List.of(), ask("a", 4));
        assertEquals(List.of(new Load("b")), ask("b", 6));
        assertEquals(List.of(), next(), "its memory is not free before it is gone");
        scheduler.gone("a");
        assertEquals(List.of(new Load("a")), next());
    }

    private void add(String id, boolean pinned) {
        scheduler.add(id, pinned, KeepAlive.NEVER);
    }

    private void loaded(String id, long bytes) {
        assertEquals(List.of(new Load(id)), ask(id, bytes));
        scheduler.used(id, ++now);
    }

    private List<LoadScheduler.Decision> ask(String id, long bytes) {
        if (known.add(id)) {
            add(id, false);
        }
        scheduler.ask(id);
        scheduler.sized(id, bytes);
        return next();
    }

    /** What is decided now; from then on requests for this model run. */
    private List<LoadScheduler.Decision> nextWith(String id) {
        List<LoadScheduler.Decision> decisions = scheduler.next(now);
        busy.add(id);
        scheduler.next(now);
        return decisions;
    }

    private List<LoadScheduler.Decision> next() {
        return scheduler.next(now);
    }
}
