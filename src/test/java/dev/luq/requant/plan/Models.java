package dev.luq.requant.plan;

import dev.luq.gguf.GgmlType;
import dev.luq.gguf.GgufTensor;
import dev.luq.gguf.LayeredModel;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Tensor tables of real models, without their data. */
public final class Models {

    private Models() {}

    /** Qwen2.5-VL-7B-Instruct's language model, F16: 28 layers of 3584, 4 of 28 heads for keys and values. */
    public static LayeredModel qwen7B() {
        return decoder(28, 3584, 512, 18944, 152064, true);
    }

    /** LLaVA-1.5-7B's: Vicuna, 32 layers of 4096. */
    public static LayeredModel llava7B() {
        return decoder(32, 4096, 4096, 11008, 32064, false);
    }

    public static LayeredModel decoder(
            int layers, long width, long keyValueWidth, long feedForward, long vocabulary, boolean biases) {
        List<GgufTensor> outside = List.of(
                matrix("token_embd.weight", width, vocabulary),
                vector("output_norm.weight", width),
                matrix("output.weight", width, vocabulary));
        List<List<GgufTensor>> all = new ArrayList<>();
        for (int i = 0; i < layers; i++) {
            String prefix = "blk." + i + ".";
            List<GgufTensor> layer = new ArrayList<>(List.of(
                    vector(prefix + "attn_norm.weight", width),
                    matrix(prefix + "attn_q.weight", width, width),
                    matrix(prefix + "attn_k.weight", width, keyValueWidth),
                    matrix(prefix + "attn_v.weight", width, keyValueWidth),
                    matrix(prefix + "attn_output.weight", width, width),
                    vector(prefix + "ffn_norm.weight", width),
                    matrix(prefix + "ffn_gate.weight", width, feedForward),
                    matrix(prefix + "ffn_up.weight", width, feedForward),
                    matrix(prefix + "ffn_down.weight", feedForward, width)));
            if (biases) {
                layer.addAll(List.of(
                        vector(prefix + "attn_q.bias", width),
                        vector(prefix + "attn_k.bias", keyValueWidth),
                        vector(prefix + "attn_v.bias", keyValueWidth)));
            }
            all.add(layer);
        }
        return new LayeredModel(Map.of(), outside, all);
    }

    /** A decoder whose feed-forward parts are stacks of experts. */
    public static LayeredModel experts(int layers, long width, long feedForward, long experts) {
        LayeredModel dense = decoder(layers, width, width / 4, feedForward, 8192, false);
        List<List<GgufTensor>> all = dense.layers().stream()
                .map(layer -> layer.stream()
                        .map(tensor ->
                                tensor.name().contains("ffn_") && tensor.shape().size() > 1
                                        ? new GgufTensor(
                                                tensor.name().replace(".weight", "_exps.weight"),
                                                tensor.type(),
                                                List.of(tensor.extent(0), tensor.extent(1), experts))
                                        : tensor)
                        .toList())
                .toList();
        return new LayeredModel(dense.metadata(), dense.outside(), all);
    }

    private static GgufTensor matrix(String name, long columns, long rows) {
        return new GgufTensor(name, GgmlType.F16, List.of(columns, rows));
    }

    private static GgufTensor vector(String name, long size) {
        return new GgufTensor(name, GgmlType.F32, List.of(size));
    }
}
