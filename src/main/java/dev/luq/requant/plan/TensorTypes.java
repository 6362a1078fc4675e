package dev.luq.requant.plan;

import dev.luq.gguf.GgmlType;
import dev.luq.gguf.GgufTensor;
import dev.luq.gguf.LayeredModel;
import java.util.Arrays;
import java.util.Comparator;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/**
 * Which type each tensor gets: the rules of {@code src/llama-quant.cpp} of llama.cpp v0.5.0 for dense models, so that
 * {@link Precision#Q4_K_M} everywhere is llama.cpp's file type of that name. Its exceptions for Falcon, for
 * mixture-of-experts models and for Llama 70B are left out.
 */
public final class TensorTypes {

    /** Parts of names of small or sensitive matrices that stay as they are. */
    private static final List<String> NEVER = List.of(
            "_norm.weight",
            "ffn_gate_inp.weight",
            "altup",
            "laurel",
            "per_layer_model_proj",
            "ssm_conv1d",
            "shortconv.conv.weight",
            "attn_rel_b.weight",
            ".position_embd",
            "sam.pos_embd",
            "sam.neck.",
            "sam.net_",
            ".rel_pos",
            ".patch_embd",
            ".patch_merger");

    /**
     * The order of tensors in a file: what llama.cpp computes with as it lies in the mapped file comes first, what it may
     * copy into another layout for this machine's CPU last. It keeps a file mapped from the first to the last tensor of
     * the former kind: in this order none of the latter is in memory twice. What is copied where: IQ4_XS with AMX, Q5_K,
     * Q6_K and Q8_0 also with ARM's dot products, Q2_K with AVX-512, the 4-bit types everywhere.
     */
    public static final Comparator<GgufTensor> MAPPED_FIRST = Comparator.comparingInt(tensor -> {
        if (tensor.shape().size() < 2 || tensor.name().equals(LayeredModel.EMBEDDING)) {
            return 0;
        }
        return switch (tensor.type()) {
            case F32, F16, BF16 -> 1;
            default -> 2;
            case IQ4_XS -> 3;
            case Q5_K, Q6_K, Q8_0 -> 4;
            case Q2_K -> 5;
            case Q4_0, Q4_1, Q4_K, IQ4_NL, MXFP4 -> 6;
        };
    });

    /** What an allocation chooses among for a matrix whose rows are whole blocks of 256, from the smallest on. */
    private static final List<GgmlType> OF_256 = List.of(
            GgmlType.IQ1_M,
            GgmlType.IQ2_XXS,
            GgmlType.IQ2_XS,
            GgmlType.IQ2_S,
            GgmlType.IQ3_XXS,
            GgmlType.IQ3_S,
            GgmlType.IQ4_XS,
            GgmlType.Q4_K,
            GgmlType.Q5_K,
            GgmlType.Q6_K,
            GgmlType.Q8_0);
    /** The same for embeddings that are only looked up: no calibration tells which of their columns matter. */
    private static final List<GgmlType> LOOKED_UP = List.of(
            GgmlType.Q2_K, GgmlType.Q3_K, GgmlType.IQ4_XS, GgmlType.Q4_K, GgmlType.Q5_K, GgmlType.Q6_K, GgmlType.Q8_0);
    /** The same for rows of whole blocks of 32. */
    private static final List<GgmlType> OF_32 =
            List.of(GgmlType.IQ4_NL, GgmlType.Q4_1, GgmlType.Q5_0, GgmlType.Q5_1, GgmlType.Q8_0);

    /** Types that are exact enough to be quantized from. */
    private static final Set<GgmlType> SOURCES = Set.of(GgmlType.F32, GgmlType.F16, GgmlType.BF16, GgmlType.Q8_0);

    private TensorTypes() {}

    /** Whether a tensor of this type may be brought to a smaller one. */
    public static boolean isSource(GgmlType type) {
        return SOURCES.contains(type);
    }

    /**
     * The type that a tensor of the language model gets.
     *
     * @param tied whether the model has no {@code output.weight} and takes the embeddings in its place
     */
    public static GgmlType of(Plan plan, GgufTensor source, boolean tied) {
        GgmlType own = plan.matrices().get(source.name());
        if (own != null) {
            return own;
        }
        return LayeredModel.layerOf(source.name())
                .map(layer -> inLayer(
                        plan.layers().get(layer), source, layer, plan.layers().size()))
                .orElseGet(() -> outside(plan.outside(), source, tied));
    }

    /**
     * The types among which an allocation chooses for a tensor of the language model, from the smallest on.
     *
     * @param tied whether the model has no {@code output.weight} and takes the embeddings in its place
     * @return empty for what stays as it is: vectors, small or sensitive matrices, rows that are no whole blocks
     */
    public static List<GgmlType> choices(GgufTensor source, boolean tied) {
        if (!isQuantizable(source)) {
            return List.of();
        }
        if (source.extent(0) % OF_256.get(0).blockSize() == 0) {
            return source.name().equals(LayeredModel.EMBEDDING) && !tied
                    ? LOOKED_UP
                    : OF_256.stream().filter(type -> isFor(type, source)).toList();
        }
        return source.extent(0) % OF_32.get(0).blockSize() == 0 ? OF_32 : List.of();
    }

    /** The types that a tensor of a model has in any allocation or {@link Mix}; none where an allocation has none. */
    public static Set<GgmlType> used(GgufTensor source, LayeredModel model) {
        Set<GgmlType> used = EnumSet.noneOf(GgmlType.class);
        used.addAll(choices(source, model.tied()));
        if (!used.isEmpty()) {
            Arrays.stream(Mix.values())
                    .map(mix -> mix.type(source, model))
                    .filter(type -> isFor(type, source))
                    .forEach(used::add);
        }
        return used;
    }

    static GgmlType inLayer(Precision precision, GgufTensor source, int layer, int layerCount) {
        if (precision == Precision.F16 || !isQuantizable(source)) {
            return source.type();
        }
        boolean more = precision == Precision.Q4_K_M && getsMoreBits(source.name(), layer, layerCount);
        return fitting(more ? GgmlType.Q6_K : precision.matrices(), source);
    }

    /**
     * The type of a tensor outside the layers: embeddings, output, norms.
     *
     * @param tied whether the model has no {@code output.weight} and takes the embeddings in its place
     */
    public static GgmlType outside(Precision precision, GgufTensor source, boolean tied) {
        return precision == Precision.F16 || !isQuantizable(source)
                ? source.type()
                : outside(precision.matrices(), source, tied);
    }

    /**
     * The type of a tensor outside the layers that can be quantized.
     *
     * @param main the type of matrices in layers for which no rule asks for another
     */
    static GgmlType outside(GgmlType main, GgufTensor source, boolean tied) {
        boolean embedding = source.name().equals(LayeredModel.EMBEDDING);
        if (source.name().equals(LayeredModel.OUTPUT) || tied && embedding) {
            return source.extent(0) % main.blockSize() == 0 ? output(main) : GgmlType.Q8_0;
        }
        return fitting(embedding ? embedding(main) : main, source);
    }

    /** The type of a projector's tensor; only {@link Precision#Q8_0} and {@link Precision#F16} are of use there. */
    public static GgmlType projector(Precision precision, GgufTensor source) {
        return precision == Precision.F16 || !isQuantizable(source)
                ? source.type()
                : fitting(precision.matrices(), source);
    }

    private static GgmlType output(GgmlType main) {
        return switch (main) {
            case IQ1_M, IQ2_XXS, IQ2_XS, IQ2_S, IQ3_XXS -> GgmlType.Q5_K;
            case Q8_0 -> GgmlType.Q8_0;
            default -> GgmlType.Q6_K;
        };
    }

    private static GgmlType embedding(GgmlType main) {
        return switch (main) {
            case IQ1_M, IQ2_XXS, IQ2_XS -> GgmlType.Q2_K;
            case IQ2_S, IQ3_XXS -> GgmlType.IQ3_S;
            default -> main;
        };
    }

    /**
     * Whether a tensor of this type is worthless without importances, by llama.cpp's judgement. A {@link Precision} gives
     * none of these types to the embeddings and the output. An allocation gives one to the output, or to tied embeddings,
     * where their importances were measured.
     */
    public static boolean needsImportance(GgmlType type) {
        return switch (type) {
            case IQ1_S, IQ1_M, IQ2_XXS, IQ2_XS, IQ2_S, IQ3_XXS -> true;
            default -> false;
        };
    }

    /**
     * Whether a matrix is a stack of experts, of which a token passes a few. What goes into each is not measured: it has no
     * importances.
     */
    static boolean isStack(GgufTensor matrix) {
        return matrix.extent(2) > 1;
    }

    /** Whether a matrix has the importances that a type needs. */
    static boolean isFor(GgmlType type, GgufTensor matrix) {
        return !needsImportance(type) || !isStack(matrix);
    }

    /** Only matrices that multiply activations are quantized. */
    static boolean isQuantizable(GgufTensor tensor) {
        boolean matrix = tensor.extent(1) > 1 || tensor.extent(2) > 1 || tensor.extent(3) > 1;
        return matrix && tensor.name().endsWith("weight") && NEVER.stream().noneMatch(tensor.name()::contains);
    }

    /** {@code category_is_attn_v} of llama.cpp: the values' matrix, also where it is one with others. */
    static boolean isValue(String tensor) {
        return tensor.endsWith("attn_v.weight")
                || tensor.endsWith("attn_qkv.weight")
                || tensor.endsWith("attn_kv_b.weight");
    }

    /**
     * Whether it is a matrix that the file types for medium sizes bring to Q6_K: values and down, by
     * {@code use_more_bits} of llama.cpp in the first and last eighth, and every third layer between.
     */
    static boolean getsMoreBits(String tensor, int layer, int layerCount) {
        return (isValue(tensor) || tensor.contains("ffn_down"))
                && (layer < layerCount / 8 || layer >= 7 * layerCount / 8 || (layer - layerCount / 8) % 3 == 2);
    }

    /** {@code tensor_type_fallback} of llama.cpp: blocks of 32 where 256 do not divide a row, then F16. */
    static GgmlType fitting(GgmlType type, GgufTensor tensor) {
        if (tensor.extent(0) % type.blockSize() == 0) {
            return type;
        }
        GgmlType smaller =
                switch (type) {
                    case Q2_K, Q3_K -> GgmlType.Q4_0;
                    case Q4_K -> GgmlType.Q5_0;
                    case Q5_K -> GgmlType.Q5_1;
                    case Q6_K, Q8_0 -> GgmlType.Q8_0;
                    default -> GgmlType.IQ4_NL;
                };
        return tensor.extent(0) % smaller.blockSize() == 0 ? smaller : GgmlType.F16;
    }
}
