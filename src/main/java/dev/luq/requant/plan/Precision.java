package dev.luq.requant.plan;

import dev.luq.gguf.GgmlType;
import dev.luq.gguf.GgufTensor;
import java.util.List;

/**
 * How exact a layer's matrices, the tensors outside the layers, or a projector are. Ordered from the smallest to the
 * largest. The types of single tensors follow {@link TensorTypes}.
 */
public enum Precision {
    IQ1_M(GgmlType.IQ1_M),
    IQ2_XXS(GgmlType.IQ2_XXS),
    IQ2_XS(GgmlType.IQ2_XS),
    IQ2_S(GgmlType.IQ2_S),
    IQ3_XXS(GgmlType.IQ3_XXS),
    IQ3_S(GgmlType.IQ3_S),
    IQ4_XS(GgmlType.IQ4_XS),
    Q4_K(GgmlType.Q4_K),
    /** A recipe of llama.cpp: Q4_K, with Q6_K for the value and down matrices of about half the layers. */
    Q4_K_M(GgmlType.Q4_K),
    Q5_K(GgmlType.Q5_K),
    Q6_K(GgmlType.Q6_K),
    Q8_0(GgmlType.Q8_0),
    /** Nothing is quantized: each tensor keeps the type of the base file, be it F16, BF16, F32 or Q8_0. */
    F16(GgmlType.F16);

    /** What a ladder chooses among, beside the low and the high precision. */
    public static final List<Precision> LADDER = List.of(IQ1_M, IQ2_XXS, IQ2_S, IQ3_XXS, IQ3_S, Q4_K, Q6_K);

    private final GgmlType matrices;

    Precision(GgmlType matrices) {
        this.matrices = matrices;
    }

    /** The type of matrices for which no rule asks for another. */
    GgmlType matrices() {
        return matrices;
    }

    /**
     * The type that a tensor of a layer gets. Norms and biases keep theirs; where the row length is no multiple of the
     * type's block, the type falls back as in llama.cpp.
     *
     * @param source the tensor in the base file
     * @param layer its layer, from 0
     * @param layerCount layers of the model
     */
    public GgmlType type(GgufTensor source, int layer, int layerCount) {
        return TensorTypes.inLayer(this, source, layer, layerCount);
    }
}
