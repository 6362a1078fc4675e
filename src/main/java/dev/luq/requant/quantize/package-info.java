/**
 * Makes quantized files: the layers that the {@link dev.luq.requant.store.LayerStore} lacks for a plan, through ggml's own
 * code by slices of rows on all cores, and uniform models through llama.cpp's quantize tool for comparison. What both make
 * of the same tensor, type and importances is the same bit for bit.
 */
package dev.luq.requant.quantize;
