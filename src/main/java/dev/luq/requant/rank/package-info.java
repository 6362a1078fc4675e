/** In which order layers go low: the paper's entropies, quantization errors, measured divergences, and ablations. */
package dev.luq.requant.rank;
