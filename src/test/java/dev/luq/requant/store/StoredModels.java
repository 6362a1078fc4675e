package dev.luq.requant.store;

import dev.luq.gguf.GgmlType;
import dev.luq.gguf.GgufTensor;
import dev.luq.gguf.GgufValue;
import dev.luq.gguf.GgufValueType;
import dev.luq.requant.plan.Plan;
import dev.luq.requant.plan.Precision;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Models of one tensor a file, for what does not depend on the content. */
public final class StoredModels {

    static final int LAYERS = 3;

    private StoredModels() {}

    /**
     * Writes the entries that are missing.
     *
     * @param variant decides the layers' content
     */
    public static Manifest write(LayerStore store, String id, int variant, int bytes) throws IOException {
        List<Manifest.Entry> entries = new ArrayList<>();
        for (int split = 0; split <= LAYERS; split++) {
            entries.add(entry(store, split, split == 0 ? 0 : variant, bytes));
        }
        return new Manifest(
                Manifest.VERSION,
                id,
                "base",
                "f".repeat(64),
                Instant.parse("2026-01-01T00:00:00Z"),
                Plan.uniform(LAYERS, Precision.Q4_K, Precision.Q4_K_M, Precision.F16),
                Optional.of("60%"),
                entries,
                Optional.empty(),
                Map.of("method", "DEPTH", "seeds", List.of(1, 2)),
                Map.of("meanKld", 0.25));
    }

    static EntryKey key(int split, int variant) {
        return EntryKey.of(List.of("split " + split, "variant " + variant));
    }

    static Manifest.Entry entry(LayerStore store, int split, int variant, int bytes) throws IOException {
        Map<String, GgufValue> metadata = Map.of(
                "split.no", new GgufValue.Int(GgufValueType.UINT16, split),
                "split.count", new GgufValue.Int(GgufValueType.UINT16, LAYERS + 1),
                "split.tensors.count", new GgufValue.Int(GgufValueType.INT32, LAYERS + 1));
        GgufTensor tensor = new GgufTensor("t" + split, GgmlType.I8, List.of((long) bytes));
        return store.write(key(split, variant), metadata, List.of(tensor), writer -> {
            writer.begin(tensor.name());
            ByteBuffer chunk = ByteBuffer.allocate(1 << 12);
            for (int done = 0; done < bytes; done += chunk.limit()) {
                chunk.clear().limit(Math.min(chunk.capacity(), bytes - done));
                Arrays.fill(chunk.array(), (byte) (variant * 7 + split + done / chunk.capacity()));
                writer.write(chunk);
            }
        });
    }
}
