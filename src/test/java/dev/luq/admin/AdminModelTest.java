package dev.luq.admin;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.luq.catalog.Variant;
import dev.luq.gguf.GgmlType;
import dev.luq.requant.plan.Plan;
import dev.luq.requant.plan.Precision;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class AdminModelTest {

    @Test
    void typesOfMatricesAreInTheOrderOfTheirNames() {
        TreeMap<String, GgmlType> types = new TreeMap<>();
        IntStream.range(0, 20).forEach(layer -> types.put("blk." + layer + ".attn_q.weight", GgmlType.IQ3_S));
        Variant variant = new Variant(
                "low",
                "base",
                Instant.EPOCH,
                List.of(Path.of("low.gguf")),
                Optional.empty(),
                Optional.empty(),
                1,
                new Plan(List.of(Precision.Q4_K_M), Precision.Q4_K_M, Precision.Q8_0, types),
                Map.of());
        assertEquals(
                List.copyOf(types.keySet()),
                List.copyOf(AdminModel.ActiveVariant.of(variant).matrices().keySet()));
    }
}
