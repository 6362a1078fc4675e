package dev.luq.llama;

import dev.luq.preset.llama_batch;
import java.nio.ByteBuffer;
import java.nio.IntBuffer;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.IntPointer;
import org.bytedeco.javacpp.LongPointer;
import org.bytedeco.javacpp.PointerPointer;

/**
 * Tokens to decode in one step, of one or several sequences. Made once and filled again for every step; not
 * thread-safe.
 */
public final class TokenBatch implements AutoCloseable {

    private final int capacity;
    private final IntPointer tokens;
    private final BatchColumns columns;
    private final IntBuffer tokenBuffer;
    private final llama_batch batch;
    private boolean closed;
    private int size;
    private int outputs;

    private TokenBatch(int capacity) {
        this.capacity = capacity;
        tokens = new IntPointer((long) capacity);
        tokenBuffer = tokens.asBuffer();
        columns = new BatchColumns(capacity, 1);
        batch = columns.attach(new llama_batch().token(tokens).embd(null));
    }

    /** @param capacity tokens that fit */
    public static TokenBatch create(int capacity) {
        if (capacity < 1) {
            throw new IllegalArgumentException("a batch holds 1 token or more, not " + capacity);
        }
        return new TokenBatch(capacity);
    }

    /** Forgets all tokens. */
    public void clear() {
        size = 0;
        outputs = 0;
    }

    /**
     * Appends a token.
     *
     * @param position in its sequence; after an image it continues from the image's positions, not its tokens
     * @param output whether logits are wanted for the token after this one
     * @return the token's index in this batch, for {@link Context#logits} and {@link Sampler#sample}
     * @throws IllegalStateException the batch is full
     */
    public int add(int token, int position, int sequence, boolean output) {
        if (closed) {
            throw new IllegalStateException("the batch is closed");
        }
        if (size == capacity) {
            throw new IllegalStateException("the batch is full: it holds " + capacity + " tokens");
        }
        tokenBuffer.put(size, token);
        columns.positions.put(size, position);
        columns.set(size, sequence, output);
        if (output) {
            outputs++;
        }
        return size++;
    }

    /** Number of tokens. */
    public int size() {
        return size;
    }

    /** Number of tokens with output. */
    public int outputs() {
        return outputs;
    }

    /** Tokens that fit. */
    public int capacity() {
        return capacity;
    }

    llama_batch pointer() {
        if (closed) {
            throw new IllegalStateException("the batch is closed");
        }
        return batch.n_tokens(size);
    }

    int token(int index) {
        return tokenBuffer.get(index);
    }

    int sequence(int index) {
        return columns.sequences.get(index);
    }

    int position(int index) {
        return columns.positions.get(index);
    }

    @Override
    public void close() {
        if (!closed) {
            closed = true;
            batch.close();
            tokens.close();
            columns.close();
        }
    }

    /** The arrays that token and embedding batches have in common, one sequence per token. */
    static final class BatchColumns implements AutoCloseable {
        final IntBuffer positions;
        final IntBuffer sequences;
        private final ByteBuffer outputs;
        private final IntPointer positionArray;
        private final IntPointer sequenceCounts;
        private final IntPointer sequenceArray;
        private final LongPointer sequenceLists;
        private final PointerPointer<IntPointer> sequenceListPointers;
        private final BytePointer outputArray;

        BatchColumns(int capacity, int positionsPerToken) {
            positionArray = new IntPointer((long) capacity * positionsPerToken);
            positions = positionArray.asBuffer();
            sequenceCounts = new IntPointer((long) capacity);
            sequenceArray = new IntPointer((long) capacity);
            sequences = sequenceArray.asBuffer();
            sequenceLists = new LongPointer((long) capacity);
            for (int i = 0; i < capacity; i++) {
                sequenceCounts.put(i, 1);
                sequenceLists.put(i, sequenceArray.address() + (long) i * Integer.BYTES);
            }
            sequenceListPointers = new PointerPointer<>(sequenceLists);
            outputArray = new BytePointer((long) capacity);
            outputs = outputArray.asBuffer();
        }

        llama_batch attach(llama_batch batch) {
            return batch.pos(positionArray)
                    .n_seq_id(sequenceCounts)
                    .seq_id(sequenceListPointers)
                    .logits(outputArray);
        }

        void set(int index, int sequence, boolean output) {
            sequences.put(index, sequence);
            outputs.put(index, (byte) (output ? 1 : 0));
        }

        @Override
        public void close() {
            positionArray.close();
            sequenceCounts.close();
            sequenceArray.close();
            sequenceLists.close();
            outputArray.close();
        }
    }
}
