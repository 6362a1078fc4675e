package dev.luq.requant.plan;

/** How layers are ordered for going low. */
public enum RankingMethod {
    /** The paper's: ascending entropy of the layer's clustered output vectors. */
    ENTROPY,
    /** The same over the normed input of the layer, as in the code published close to the paper. */
    ENTROPY_NORMED_INPUT,
    /** Ascending importance-weighted relative quantization error per byte saved. */
    ERROR,
    /** Ascending measured KL divergence with this one layer low. */
    KLD,
    /** From the first layer to the last: an ablation. */
    DEPTH,
    /** Any order, by a seed: an ablation. */
    RANDOM
}
