package dev.luq.serving;

/**
 * Memory of all models' processes together.
 *
 * @param limit bytes that they may take
 * @param taken bytes that they take as measured, or by their files where that is more: buffers grow while a model
 *     serves
 */
public record MemoryUse(long limit, long taken) {}
