package dev.luq.memory;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.luq.gguf.GgmlType;
import dev.luq.gguf.GgufTensor;
import dev.luq.gguf.GgufValue;
import dev.luq.gguf.GgufValueType;
import dev.luq.gguf.LayeredModel;
import dev.luq.machine.Kernels;
import dev.luq.machine.KvType;
import dev.luq.requant.plan.Models;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class MemoryModelTest {

    private static final double MIB = 1048576;
    private static final int VOCABULARY = 600;
    private static final int SLOTS = 4;

    /** What llama.cpp v0.5.0 reports as compute buffer and KV buffer of models with random weights. */
    @ParameterizedTest
    @CsvSource({
        // layers, width, keys, feed-forward, batch, context, compute MiB, KV MiB
        "2, 3584, 512, 18944, 128, 8192, 36.75, 32",
        "2,  256,  64, 18944, 128, 8192, 30.25, 4",
        "3, 1536, 256,  8960, 128, 8192, 18.13, 24",
        "2, 1024, 256,   512, 128, 8192,  4.75, 16",
        "3,  768, 192,  3072, 128,  512,  6.13, 1.12",
        "3, 2048, 512,  5632, 512, 4096, 53.01, 24"
    })
    void buffersAreThoseOfLlama(
            int layers, int width, int keys, int feedForward, int batch, int context, double compute, double kvCache) {
        LayeredModel model = Models.decoder(layers, width, keys, feedForward, VOCABULARY, true);
        MemoryEstimate estimate =
                new MemoryModel(model, Optional.empty(), new ServingShape(context, batch, SLOTS, 2)).estimate(1, 0);

        // A row in half precision and the logits lie beside the buffer; the vocabulary's tables are small here.
        double beside = (feedForward * batch * 2.0 + VOCABULARY * SLOTS * 4.0) / MIB;
        assertEquals(compute + beside, estimate.compute() / MIB, 0.25);
        assertEquals(kvCache, estimate.kvCache() / MIB, 0.01);
        ServingShape inEightBits = new ServingShape(context, batch, SLOTS, 2, 0, Kernels.STOCK, KvType.Q8_0, 1L << 20);
        MemoryEstimate smaller = new MemoryModel(model, Optional.empty(), inEightBits).estimate(1, 0);
        assertEquals(kvCache * 34 / 64 + 1, smaller.kvCache() / MIB, 0.01);
        assertEquals(estimate.compute(), smaller.compute());
    }

    /** Packed columns of floats where llama.cpp has halves; keys and values in blocks, however many there are. */
    @Test
    void ourKernelsKeepPackedColumnsAndABlockOfAttentionForEachThread() {
        long columns = 5632 * 512 * 4L;
        for (int threads : new int[] {2, 32}) {
            assertEquals(
                    columns / 2 + threads * (3L << 20),
                    compute(threads, 4096, Kernels.FAST) - compute(threads, 4096, Kernels.STOCK));
        }
        assertEquals(
                compute(2, 131072, Kernels.STOCK) - compute(2, 4096, Kernels.STOCK),
                compute(2, 131072, Kernels.FAST) - compute(2, 4096, Kernels.FAST));
    }

    /** As Qwen3.5 has them: three quarters of its layers keep no keys and values, but a state for each sequence. */
    @Test
    void layersOfLinearAttentionKeepAStateForEachSequence() {
        Map<String, GgufValue> metadata = Map.of(
                "general.architecture", new GgufValue.Text("qwen35"),
                "qwen35.ssm.inner_size", number(4096),
                "qwen35.ssm.state_size", number(128),
                "qwen35.ssm.group_count", number(16),
                "qwen35.ssm.conv_kernel", number(4));
        long attention = kvCache(metadata, tensor("blk.0.attn_k.weight", 512), tensor("blk.0.attn_v.weight", 512));
        assertEquals(8192 * 2 * 512 * 2, attention);
        long both = kvCache(
                metadata,
                tensor("blk.0.attn_k.weight", 512),
                tensor("blk.0.attn_v.weight", 512),
                tensor("blk.1.attn_qkv.weight", 8192),
                tensor("blk.1.ssm_conv1d.weight", 8192));
        assertEquals(attention + SLOTS * 4L * (3 * (4096 + 2 * 16 * 128) + 128 * 4096), both);
    }

    @Test
    void ofLatentAttentionOneVectorIsKept() {
        assertEquals(8192 * 576 * 2, kvCache(Map.of(), tensor("blk.0.attn_kv_a_mqa.weight", 576)));
    }

    private static GgufValue number(int value) {
        return new GgufValue.Int(GgufValueType.UINT32, value);
    }

    private static GgufTensor tensor(String name, long rows) {
        return new GgufTensor(name, GgmlType.F16, List.of(2560L, rows));
    }

    private static long kvCache(Map<String, GgufValue> metadata, GgufTensor... tensors) {
        LayeredModel model = LayeredModel.of(metadata, OptionalLong.empty(), Stream.of(tensors));
        return new MemoryModel(model, Optional.empty(), new ServingShape(8192, 128, SLOTS, 2))
                .estimate(1, 0)
                .kvCache();
    }

    private static long compute(int threads, int context, Kernels kernels) {
        LayeredModel model = Models.decoder(3, 2048, 512, 5632, VOCABULARY, true);
        return new MemoryModel(model, Optional.empty(), new ServingShape(context, 512, SLOTS, threads, 0, kernels))
                .estimate(1, 0)
                .compute();
    }
}
