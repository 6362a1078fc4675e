package dev.luq.engine;

import dev.luq.llama.Context;
import dev.luq.llama.GraphTensor;
import dev.luq.llama.TensorTap;
import java.nio.FloatBuffer;

/**
 * The vectors behind the last norm that a decode computes logits from, one for each of its outputs in the order of the
 * batch: llama.cpp's embeddings without pooling. They are read from the graph, since a context that is asked for
 * embeddings has outputs, and so logits, for every token of every request. For the engine thread.
 */
final class OutputVectors implements TensorTap {

    /** llama.cpp's name for them in its models that generate. */
    private static final String NAME = "result_norm";

    private float[] floats;
    private int columns;
    private boolean read;

    /**
     * Decodes, and reads the vectors.
     *
     * @throws EngineException.Internal there are none, or not those of the whole batch at once
     */
    void read(Context context, Runnable decode) {
        read = false;
        context.watch(this);
        try {
            decode.run();
        } finally {
            context.watch(null);
        }
        if (!read) {
            throw new EngineException.Internal(
                    "llama.cpp computes no embeddings for models of this architecture.", null);
        }
    }

    @Override
    public boolean wants(GraphTensor tensor) {
        return tensor.name().equals(NAME);
    }

    @Override
    public void computed(GraphTensor tensor) {
        if (read) {
            // Its order among several micro-batches may be another one than in the batch.
            throw new EngineException.Internal("The embeddings were computed in several parts.", null);
        }
        columns = tensor.columns();
        int size = tensor.rows() * columns;
        if (floats == null || floats.length < size) {
            floats = new float[size];
        }
        tensor.floats().get(floats, 0, size);
        read = true;
    }

    /** One of them. */
    FloatBuffer row(int row) {
        return FloatBuffer.wrap(floats, row * columns, columns).slice();
    }
}
