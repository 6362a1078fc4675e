package dev.luq.requant.pipeline;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.luq.requant.spec.Phase;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class ProgressMeterTest {

    private final AtomicLong nanos = new AtomicLong(1_000_000_000_000L);
    private final ProgressMeter meter =
            new ProgressMeter(Map.of(Phase.CALIBRATE, 1.0, Phase.QUANTIZE, 3.0), Map.of(), Set.of(), nanos::get);

    private void pass(double seconds) {
        nanos.addAndGet(Math.round(seconds * 1e9));
    }

    @Test
    void progressIsWeightedByPhase() {
        meter.begin(Phase.CALIBRATE);
        assertEquals(0, meter.overall());
        meter.progress(0.5);
        assertEquals(0.125, meter.overall());
        meter.begin(Phase.QUANTIZE);
        assertEquals(0.25, meter.overall());
        meter.progress(1);
        assertEquals(1, meter.overall());
        meter.finish();
        assertEquals(1, meter.overall());
    }

    @Test
    void progressNeverFalls() {
        meter.begin(Phase.QUANTIZE);
        meter.progress(0.5);
        meter.progress(0.25);
        assertEquals(0.375, meter.overall());
    }

    /** 10 s for half a phase of weight 1: 10 s more, then 20 s for each weight of the next. */
    @Test
    void timeLeftFollowsFromTheRateOfThePhaseAtWork() {
        meter.begin(Phase.CALIBRATE);
        assertEquals(OptionalLong.empty(), meter.secondsLeft());
        pass(10);
        meter.progress(0.5);
        assertEquals(OptionalLong.of(10 + 60), meter.secondsLeft());
        meter.begin(Phase.QUANTIZE);
        pass(3);
        meter.progress(0.75);
        assertEquals(OptionalLong.of(1), meter.secondsLeft());
    }

    /** Half of it was done by an earlier run, which this one finds in a second. */
    @Test
    void whatWasDoneBeforeTeachesNothingAboutTheRest() {
        meter.begin(Phase.CALIBRATE);
        meter.begin(Phase.QUANTIZE);
        pass(1);
        meter.progress(0.5);
        for (int minute = 1; minute <= 10; minute++) {
            pass(60);
            meter.progress(0.5 + 0.01 * minute);
        }
        assertEquals(OptionalLong.of(40 * 60), meter.secondsLeft());
    }

    @Test
    void whereNothingHappenedLatelyTheWholePhaseCounts() {
        meter.begin(Phase.CALIBRATE);
        meter.begin(Phase.QUANTIZE);
        pass(10);
        meter.progress(0.5);
        pass(50);
        meter.progress(0.5);
        pass(50);
        assertEquals(OptionalLong.of(110), meter.secondsLeft());
    }

    /** A search of an hour does not make the evaluation after it take days. */
    @Test
    void aPhaseThatIsToldHowLongToTakeSaysNothingOfOthers() {
        ProgressMeter searching = new ProgressMeter(
                Map.of(Phase.RANK, 10.0, Phase.PLAN, 1.0, Phase.EVALUATE, 5.0),
                Map.of(),
                Set.of(Phase.PLAN),
                nanos::get);
        searching.begin(Phase.RANK);
        pass(20);
        searching.begin(Phase.PLAN);
        pass(1800);
        searching.progress(0.5);
        assertEquals(OptionalLong.of(1800 + 10), searching.secondsLeft());
    }

    @Test
    void secondsAddUpOverRunsOfTheJob() {
        ProgressMeter second =
                new ProgressMeter(Map.of(Phase.QUANTIZE, 1.0), Map.of(Phase.QUANTIZE, 5.0), Set.of(), nanos::get);
        second.begin(Phase.QUANTIZE);
        pass(2);
        assertEquals(Map.of(Phase.QUANTIZE, 7.0), second.seconds());
        second.finish();
        pass(100);
        assertEquals(Map.of(Phase.QUANTIZE, 7.0), second.seconds());
    }
}
