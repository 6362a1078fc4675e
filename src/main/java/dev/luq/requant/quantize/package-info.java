/**
 * Makes quantized files: the layers that the {@link dev.luq.requant.store.LayerStore} lacks for a plan, by slices of rows on
 * all cores, and uniform models through llama.cpp's quantize tool for comparison. What both make of the same tensor, type
 * and importances is the same bit for bit, but for IQ1_M, IQ2 and IQ3: their blocks are searched for, lose less, and are
 * entries of their own in the store for each version of the search.
 */
package dev.luq.requant.quantize;
