package dev.luq.llama;

/**
 * Sees the tensors of a model's graph while a {@link Context} computes them, one micro-batch after the other, or those of
 * a vision tower's graph while {@link Vision} encodes an image. Called on the thread that decodes or encodes. What it
 * throws ends that and comes out of it.
 */
public interface TensorTap {

    /** Whether this tensor is wanted once it is computed. Asked for every node of the graph: be quick. */
    boolean wants(GraphTensor tensor);

    /** A wanted tensor is computed; it and its sources can be read until this returns. */
    void computed(GraphTensor tensor);
}
