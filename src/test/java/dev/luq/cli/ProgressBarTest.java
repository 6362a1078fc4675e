package dev.luq.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.luq.requant.spec.Phase;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.util.List;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ProgressBarTest {

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();

    private ProgressBar bar(int width) {
        return new ProgressBar(new PrintStream(out), width);
    }

    @Test
    void aTerminalHasOneLineThatIsDrawnAgain() {
        ProgressBar bar = bar(60);
        bar.phase(Phase.QUANTIZE);
        bar.progress(0, OptionalLong.empty());
        bar.progress(0.5, OptionalLong.of(75));
        assertFalse(out.toString(UTF_8).contains("\n"));
        String last = out.toString(UTF_8).substring(out.toString(UTF_8).lastIndexOf('\r') + 1);
        assertTrue(last.startsWith("[###########-----"), last);
        assertTrue(last.contains(" 50 %  quantize") && last.endsWith("1:15 left"), last);
    }

    @ParameterizedTest
    @ValueSource(ints = {2, 10, 30, 60, 80, 300})
    void theLineIsNeverWiderThanTheTerminal(int width) {
        ProgressBar bar = bar(width);
        bar.phase(Phase.CALIBRATE);
        for (int i = 0; i <= 100; i++) {
            bar.progress(i / 100.0, OptionalLong.of(100_000 - i));
        }
        bar.clear();
        for (String line : out.toString(UTF_8).split("\r")) {
            assertTrue(line.length() < width, line);
        }
    }

    @Test
    void elsewhereThereAreAFewPlainLines() {
        ProgressBar bar = bar(0);
        bar.phase(Phase.PLAN);
        for (int i = 0; i <= 1000; i++) {
            bar.progress(i / 1000.0, OptionalLong.of(5));
        }
        bar.message("Published x.");
        bar.clear();
        List<String> lines = out.toString(UTF_8).lines().toList();
        assertEquals(13, lines.size(), lines.toString());
        assertEquals("luq: plan", lines.get(0));
        assertEquals("luq: 0 %, 0:05 left", lines.get(1));
        assertFalse(out.toString(UTF_8).contains("\r"));
    }

    @Test
    void elsewhereNobodyWaitsLongerThanHalfAMinuteForALine() {
        long[] seconds = {0};
        ProgressBar bar = new ProgressBar(new PrintStream(out), 0, () -> seconds[0] * 1_000_000_000L);
        bar.progress(0.42, OptionalLong.of(300));
        for (; seconds[0] <= 300; seconds[0]++) {
            bar.tick();
        }
        assertEquals(11, out.toString(UTF_8).lines().count());
    }

    @Test
    void aMessageTakesThePlaceOfTheBar() {
        ProgressBar bar = bar(40);
        bar.progress(0.3, OptionalLong.empty());
        bar.message("Published x.");
        assertTrue(out.toString(UTF_8).endsWith("\r" + " ".repeat(39) + "\rluq: Published x.\n"));
    }

    @Test
    void timesReadLikeClocks() {
        assertEquals("0:07", ProgressBar.time(7));
        assertEquals("12:34", ProgressBar.time(754));
        assertEquals("1:02:03", ProgressBar.time(3723));
    }
}
