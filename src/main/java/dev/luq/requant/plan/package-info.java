/**
 * What a mixed-precision model is made of, and what it will take: precisions per layer, rankings, budgets, and the sizes
 * of every choice, all computed from file headers. Nothing here reads weights or loads native code.
 *
 * <p>Bytes of weights are those of the tensors' data without padding. A layer is a transformer block, its tensors are
 * named {@code blk.<layer>.<rest>}.
 */
package dev.luq.requant.plan;
