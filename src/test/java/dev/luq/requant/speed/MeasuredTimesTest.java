package dev.luq.requant.speed;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.luq.requant.speed.MeasuredTimes.Line;
import org.junit.jupiter.api.Test;

class MeasuredTimesTest {

    private final MeasuredTimes times = new MeasuredTimes();

    @Test
    void untilSomethingIsMeasuredExpectationsHold() {
        assertEquals(new Line(0, 1), times.line());
    }

    @Test
    void whatOneModelTakesLongerIsNotTheWeights() {
        times.add(0.004, 0.010);
        assertEquals(0.006, times.line().fixed(), 1e-9);
        assertEquals(1, times.line().factor(), 1e-9);
    }

    @Test
    void aModelThatIsFasterThanExpectedHasFasterKernels() {
        times.add(0.010, 0.008);
        assertEquals(0, times.line().fixed());
        assertEquals(0.8, times.line().factor(), 0.01);
    }

    @Test
    void twoModelsShowBoth() {
        times.add(0.010, 0.005 + 1.3 * 0.010);
        times.add(0.050, 0.005 + 1.3 * 0.050);
        assertEquals(1.3, times.line().factor(), 0.01);
        assertEquals(0.005, times.line().fixed(), 0.0005);
    }

    @Test
    void twoThatAreExpectedAlikeSayLittleOfTheFactor() {
        times.add(0.0100, 0.0200);
        times.add(0.0101, 0.0204);
        assertEquals(1, times.line().factor(), 0.05);
    }

    @Test
    void aModelThatIsSlowerWithLessToDoDoesNotTurnTheLine() {
        times.add(0.010, 0.020);
        times.add(0.005, 0.030);
        assertEquals(0.5, times.line().factor());
        assertEquals(0.019, times.line().fixed(), 0.001);
    }

    @Test
    void timesAreMoreThanNothing() {
        assertThrows(IllegalArgumentException.class, () -> times.add(0, 1));
        assertThrows(IllegalArgumentException.class, () -> times.add(1, Double.NaN));
    }
}
