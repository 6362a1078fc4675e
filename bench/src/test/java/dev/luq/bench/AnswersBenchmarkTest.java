package dev.luq.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.luq.gguf.GgmlType;
import java.util.EnumSet;
import java.util.Map;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

class AnswersBenchmarkTest {

    @Test
    void everyTypeOfTheLadderHasALayerAndEverySecondLayerStays() {
        Map<String, GgmlType> types = LadderMix.types(16);
        assertEquals(
                EnumSet.of(GgmlType.IQ1_M, GgmlType.IQ2_XXS, GgmlType.IQ2_S, GgmlType.IQ3_XXS, GgmlType.IQ3_S),
                EnumSet.copyOf(types.values()));
        for (int layer = 0; layer < 16; layer++) {
            String tensor = "blk." + layer + ".attn_q.weight";
            assertEquals(
                    layer % 2,
                    types.keySet().stream()
                            .filter(name ->
                                    Pattern.compile(name).matcher(tensor).find())
                            .count(),
                    tensor);
        }
    }

    @Test
    void whatCannotBeAskedIsRefused() {
        assertEquals(1, BenchCommand.commandLine().execute("answers", "--every=0"));
        assertEquals(1, BenchCommand.commandLine().execute("answers", "--threads=0"));
        assertEquals(1, BenchCommand.commandLine().execute("answers", "--model=nowhere.gguf"));
    }
}
