package dev.luq.requant.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.stream.DoubleStream;
import org.junit.jupiter.api.Test;

class AxisTest {

    @Test
    void ticksAreRoundAndSpanTheValues() {
        assertEquals(
                List.of(0.0, 0.2, 0.4, 0.6, 0.8, 1.0),
                Axis.linear("", DoubleStream.of(0.05, 0.93)).ticks());
        assertEquals(
                List.of(60.0, 65.0, 70.0, 75.0, 80.0),
                Axis.linear("", DoubleStream.of(61, 79.5)).ticks());
    }

    @Test
    void logarithmicTicksAreOneTwoFive() {
        assertEquals(
                List.of(0.01, 0.02, 0.05, 0.1, 0.2, 0.5),
                Axis.logarithmic("", DoubleStream.of(0.01, 0.5)).ticks());
        assertEquals(
                List.of(0.001, 0.01, 0.1, 1.0),
                Axis.logarithmic("", DoubleStream.of(0.001, 2)).ticks());
    }

    @Test
    void aNarrowLogarithmicAxisHasTicksToo() {
        assertEquals(
                List.of(0.025, 0.03, 0.035, 0.04, 0.045),
                Axis.logarithmic("", DoubleStream.of(0.024, 0.042)).ticks());
        for (double value : new double[] {0.03, 1.7e-5, 700}) {
            List<Double> ticks = Axis.logarithmic("", DoubleStream.of(value)).ticks();
            assertTrue(ticks.size() > 1, ticks.toString());
            assertEquals(ticks.size(), ticks.stream().map(Axis::text).distinct().count(), ticks.toString());
        }
    }

    @Test
    void equalRatiosAreEqualDistancesOnALogarithmicAxis() {
        Axis axis = new Axis("", true, 1, 100);
        assertEquals(0.5, axis.place(10), 1e-12);
        assertEquals(0, axis.place(0), "what is 0 lies on the edge");
    }

    @Test
    void oneValueAndNoneStillMakeAnAxis() {
        for (DoubleStream values :
                List.of(DoubleStream.of(3), DoubleStream.empty(), DoubleStream.of(0), DoubleStream.of(Double.NaN))) {
            Axis axis = Axis.fromZero("", values);
            assertTrue(axis.high() > axis.low());
            assertTrue(axis.ticks().size() > 1, axis.toString());
        }
        Axis flat = Axis.logarithmic("", DoubleStream.of(0, 0));
        assertTrue(flat.high() > flat.low() && flat.low() > 0);
    }

    @Test
    void numbersHaveNoNeedlessDigits() {
        assertEquals("0.3", Axis.text(0.1 + 0.2));
        assertEquals("5", Axis.text(5));
        assertEquals("2.0e-05", Axis.text(2e-5));
        assertEquals("1.45e-05", Axis.text(1.45e-5));
    }
}
