package dev.luq.requant.plan;

import dev.luq.gguf.GgmlType;
import dev.luq.gguf.GgufTensor;
import dev.luq.gguf.GgufValue;
import dev.luq.gguf.LayeredModel;
import java.util.Map;

/**
 * What llama.cpp makes of a whole model under one of its file types, with an importance matrix. What it has in common with
 * a {@link Precision}, and what of llama.cpp is left out, is in {@link TensorTypes}.
 */
public enum Mix {
    IQ1_M(GgmlType.IQ1_M),
    IQ2_XXS(GgmlType.IQ2_XXS),
    IQ2_XS(GgmlType.IQ2_XS),
    IQ2_M(GgmlType.IQ2_S),
    Q2_K(GgmlType.Q2_K),
    IQ3_XXS(GgmlType.IQ3_XXS),
    IQ3_XS(GgmlType.IQ3_S),
    IQ3_S(GgmlType.IQ3_S),
    IQ3_M(GgmlType.IQ3_S),
    Q3_K_M(GgmlType.Q3_K),
    Q3_K_L(GgmlType.Q3_K),
    IQ4_XS(GgmlType.IQ4_XS),
    Q4_K_S(GgmlType.Q4_K),
    Q4_K_M(GgmlType.Q4_K),
    Q5_K_S(GgmlType.Q5_K),
    Q5_K_M(GgmlType.Q5_K),
    Q6_K(GgmlType.Q6_K),
    Q8_0(GgmlType.Q8_0);

    /** Heads that share keys and values, from which on the value matrix is small enough to get more bits. */
    private static final int SHARED_HEADS = 4;

    private final GgmlType main;

    Mix(GgmlType main) {
        this.main = main;
    }

    /** What a tensor is in its layer. */
    private enum Kind {
        VALUE,
        KEY_OR_QUERY,
        ATTENTION_OUTPUT,
        GATE_OR_UP,
        DOWN,
        OTHER;

        /** {@code tensor_get_category} of llama.cpp. */
        private static Kind of(String name) {
            if (TensorTypes.isValue(name)) {
                return VALUE;
            } else if (name.contains("attn_k.weight") || name.contains("attn_q.weight")) {
                return KEY_OR_QUERY;
            } else if (name.contains("attn_output.weight")) {
                return ATTENTION_OUTPUT;
            } else if (name.contains("ffn_up") || name.contains("ffn_gate")) {
                return GATE_OR_UP;
            }
            return name.contains("ffn_down") ? DOWN : OTHER;
        }
    }

    /** The type of a tensor that can be quantized. */
    GgmlType type(GgufTensor source, LayeredModel model) {
        return LayeredModel.layerOf(source.name())
                .map(layer -> TensorTypes.fitting(
                        inLayer(
                                source.name(),
                                layer,
                                model.layers().size(),
                                sharedHeads(model.metadata()) >= SHARED_HEADS),
                        source))
                .orElseGet(() -> TensorTypes.outside(main, source, model.tied()));
    }

    /** Heads of queries for one of keys and values: {@code n_gqa} of llama.cpp. */
    private static long sharedHeads(Map<String, GgufValue> metadata) {
        if (!(metadata.get("general.architecture") instanceof GgufValue.Text architecture)
                || !(metadata.get(architecture.value() + ".attention.head_count") instanceof GgufValue.Int heads)) {
            return 1;
        }
        return metadata.get(architecture.value() + ".attention.head_count_kv") instanceof GgufValue.Int shared
                        && shared.value() > 0
                ? heads.value() / shared.value()
                : 1;
    }

    private GgmlType inLayer(String tensor, int layer, int layers, boolean shared) {
        Kind kind = Kind.of(tensor);
        boolean first = layer < layers / 8;
        return switch (this) {
            case IQ1_M, IQ2_XXS, IQ2_XS ->
                switch (kind) {
                    case VALUE -> shared ? GgmlType.Q4_K : GgmlType.Q2_K;
                    case DOWN -> first ? GgmlType.Q2_K : main;
                    case ATTENTION_OUTPUT -> this == IQ1_M ? GgmlType.IQ2_XXS : main;
                    default -> main;
                };
            case IQ2_M ->
                switch (kind) {
                    case VALUE -> shared ? GgmlType.Q4_K : GgmlType.IQ3_S;
                    case DOWN -> first ? GgmlType.IQ3_S : main;
                    case ATTENTION_OUTPUT -> GgmlType.IQ3_S;
                    default -> main;
                };
            case Q2_K ->
                switch (kind) {
                    case VALUE -> shared ? GgmlType.Q4_K : GgmlType.Q3_K;
                    case DOWN, ATTENTION_OUTPUT -> GgmlType.Q3_K;
                    default -> main;
                };
            case IQ3_XXS ->
                switch (kind) {
                    case VALUE -> shared ? GgmlType.Q4_K : main;
                    case KEY_OR_QUERY -> GgmlType.IQ2_S;
                    case ATTENTION_OUTPUT -> GgmlType.IQ3_S;
                    default -> main;
                };
            case IQ3_XS ->
                switch (kind) {
                    case VALUE -> shared ? GgmlType.Q4_K : main;
                    case KEY_OR_QUERY -> GgmlType.IQ3_XXS;
                    case GATE_OR_UP -> !first && layer < 7 * layers / 8 ? GgmlType.IQ3_XXS : main;
                    default -> main;
                };
            case IQ3_S -> kind == Kind.VALUE && shared ? GgmlType.Q4_K : main;
            case IQ3_M ->
                switch (kind) {
                    case VALUE, ATTENTION_OUTPUT -> GgmlType.Q4_K;
                    case DOWN -> first ? GgmlType.Q4_K : main;
                    default -> main;
                };
            case Q3_K_M ->
                switch (kind) {
                    case VALUE -> layer < 2 ? GgmlType.Q5_K : GgmlType.Q4_K;
                    case DOWN -> layer < layers / 16 ? GgmlType.Q5_K : GgmlType.Q4_K;
                    case ATTENTION_OUTPUT -> GgmlType.Q4_K;
                    default -> main;
                };
            case Q3_K_L ->
                switch (kind) {
                    case VALUE, DOWN, ATTENTION_OUTPUT -> GgmlType.Q5_K;
                    default -> main;
                };
            case IQ4_XS -> kind == Kind.VALUE && shared ? GgmlType.Q5_K : main;
            case Q4_K_S ->
                switch (kind) {
                    case VALUE -> layer < 4 ? GgmlType.Q5_K : main;
                    case DOWN -> first ? GgmlType.Q5_K : main;
                    default -> main;
                };
            case Q4_K_M, Q5_K_M -> TensorTypes.getsMoreBits(tensor, layer, layers) ? GgmlType.Q6_K : main;
            case Q5_K_S, Q6_K, Q8_0 -> main;
        };
    }
}
