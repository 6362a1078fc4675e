package dev.luq.llama;

import dev.luq.preset.llama_batch;
import org.bytedeco.javacpp.FloatPointer;

/** A batch of image embeddings; the embeddings themselves stay where they are. */
final class EmbeddingBatch implements AutoCloseable {

    private final TokenBatch.BatchColumns columns;
    private final llama_batch batch;

    EmbeddingBatch(int capacity) {
        columns = new TokenBatch.BatchColumns(capacity, ImageEmbedding.AXES);
        batch = columns.attach(new llama_batch().token(null));
    }

    /**
     * With M-RoPE a token has four positions, stored axis by axis: all of the first axis, then all of the second.
     */
    llama_batch fill(ImageEmbedding e, int firstToken, int count, int position, int sequence, int outputs) {
        int axes = e.mrope() ? ImageEmbedding.AXES : 1;
        for (int i = 0; i < count; i++) {
            for (int axis = 0; axis < axes; axis++) {
                columns.positions.put(axis * count + i, e.position(firstToken + i, axis, position));
            }
            columns.set(i, sequence, i >= count - outputs);
        }
        FloatPointer run = new FloatPointer(e.floats()).position((long) firstToken * e.embeddingSize());
        return batch.embd(run).n_tokens(count);
    }

    @Override
    public void close() {
        batch.close();
        columns.close();
    }
}
