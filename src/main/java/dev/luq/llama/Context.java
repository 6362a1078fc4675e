package dev.luq.llama;

import dev.luq.machine.KvType;
import dev.luq.machine.Processors;
import dev.luq.preset.global.llama;
import dev.luq.preset.llama_batch;
import dev.luq.preset.llama_context;
import dev.luq.preset.llama_context_params;
import dev.luq.preset.llama_memory_i;
import java.nio.FloatBuffer;
import java.util.List;
import java.util.Optional;
import org.bytedeco.javacpp.FloatPointer;

/**
 * The state of one or several sequences of tokens and the evaluation of more of them. Used by one thread at a time;
 * keeps its model in memory until it is closed.
 */
public final class Context implements AutoCloseable {

    private final Model model;
    private final ContextOptions options;
    private final llama_context context;
    private final llama_memory_i memory;
    private final int vocabularySize;
    private final int window;
    /** Called from C; null without a tap. */
    private TapCallback tap;

    private EmbeddingBatch embeddings;
    private boolean closed;

    private Context(Model model, ContextOptions options, llama_context context) {
        this.model = model;
        this.options = options;
        this.context = context;
        this.memory = llama.llama_get_memory(context);
        this.vocabularySize = model.vocabulary().size();
        int ofSomeLayers = llama.llama_model_n_swa(model.pointer());
        this.window = ofSomeLayers > 0 ? ofSomeLayers : Integer.MAX_VALUE;
    }

    /**
     * @throws LlamaException.ModelLoad the context does not fit into memory or the model cannot be evaluated so
     * @throws IllegalArgumentException the model is an encoder or ranks, and the batch has fewer outputs than tokens
     */
    public static Context create(Model model, ContextOptions options) {
        boolean pools = !model.generates();
        if (pools && options.outputs() < options.batchSize()) {
            throw new IllegalArgumentException("an encoder or reranker has an output for each token of a batch");
        }
        model.use();
        Native.clearLoggedErrors();
        llama_context context = null;
        try (llama_context_params params = llama.llama_context_default_params()) {
            params.n_ctx(options.contextSize())
                    .n_batch(options.batchSize())
                    .n_ubatch(options.batchSize())
                    .n_seq_max(options.sequences())
                    .n_outputs_max(options.outputs())
                    .n_threads(Processors.threads(options.threads()))
                    .n_threads_batch(Processors.threads(options.threads()))
                    .type_k(ggmlType(options.kv()))
                    .type_v(ggmlType(options.kv()))
                    .flash_attn_type(
                            options.flashAttention()
                                    ? llama.LLAMA_FLASH_ATTN_TYPE_ENABLED
                                    : llama.LLAMA_FLASH_ATTN_TYPE_DISABLED)
                    .kv_unified(true)
                    .embeddings(pools)
                    .no_perf(true);
            context = llama.llama_init_from_model(model.pointer(), params);
            if (context == null) {
                throw new LlamaException.ModelLoad("no context of " + options.contextSize() + " tokens: "
                        + Native.loggedReason("llama.cpp gave no reason", List.of()));
            }
            return new Context(model, options, context);
        } finally {
            if (context == null) {
                model.releaseUse();
            }
        }
    }

    private static int ggmlType(KvType kv) {
        return switch (kv) {
            case F32 -> llama.GGML_TYPE_F32;
            case F16 -> llama.GGML_TYPE_F16;
            case Q8_0 -> llama.GGML_TYPE_Q8_0;
        };
    }

    /**
     * Evaluates the batch's tokens and adds them to their sequences.
     *
     * @throws IllegalArgumentException the batch is empty, too large or names a token or sequence that does not exist
     * @throws LlamaException.NoKvSpace the KV cache is full; nothing was added
     * @throws LlamaException.DecodeFailed evaluation failed
     */
    public void decode(TokenBatch batch) {
        checkSize(batch.size());
        checkOutputs(batch.outputs());
        for (int i = 0; i < batch.size(); i++) {
            int token = batch.token(i);
            if (token < 0 || token >= vocabularySize) {
                throw new IllegalArgumentException("token " + token + " of a vocabulary of " + vocabularySize);
            }
            checkSequence(batch.sequence(i));
            checkPosition(batch.position(i));
        }
        decode(batch.pointer());
    }

    /**
     * Evaluates a run of an image's embeddings and adds it to a sequence. An image may be evaluated in several runs,
     * in order, if {@link ImageEmbedding#divisible} says so.
     *
     * @param firstToken index of the run's first token in the image
     * @param count tokens of the run
     * @param position of the whole image in the sequence: that of its first token, the same for every run. What
     *        follows the image is at {@code position + e.positions()}
     * @param outputs after how many of the run's tokens logits are wanted: that many of the last. The run's last token
     *        has batch index {@code count - 1}
     * @throws IllegalArgumentException the run is empty, too large, or not part of the image
     * @throws LlamaException.NoKvSpace the KV cache is full; nothing was added
     * @throws LlamaException.DecodeFailed evaluation failed
     */
    public void decode(ImageEmbedding e, int firstToken, int count, int position, int sequence, int outputs) {
        checkSize(count);
        checkOutputs(outputs);
        checkSequence(sequence);
        checkPosition(position);
        if (firstToken < 0 || firstToken > e.tokens() - count) {
            throw new IllegalArgumentException(
                    "tokens " + firstToken + " to " + (firstToken + count) + " of an image of " + e.tokens());
        }
        if (e.embeddingSize() != model.inputEmbeddingSize()) {
            throw new IllegalArgumentException("the image was embedded for another model");
        }
        if (embeddings == null) {
            embeddings = new EmbeddingBatch(options.batchSize());
        }
        llama_batch batch = embeddings.fill(e, firstToken, count, position, sequence, outputs);
        if (e.divisible()) {
            decode(batch);
            return;
        }
        if (count != e.tokens()) {
            throw new IllegalArgumentException("this model attends within an image in both directions: all its "
                    + e.tokens() + " tokens must be evaluated at once");
        }
        llama.llama_set_causal_attn(pointer(), false);
        try {
            decode(batch);
        } finally {
            llama.llama_set_causal_attn(pointer(), true);
        }
    }

    private void decode(llama_batch batch) {
        Native.clearLoggedErrors();
        int result = llama.llama_decode(pointer(), batch);
        if (tap != null) {
            tap.rethrow();
        }
        if (result == 1) {
            throw new LlamaException.NoKvSpace(
                    "no room for " + batch.n_tokens() + " tokens in a KV cache of " + options.contextSize());
        }
        if (result != 0) {
            throw new LlamaException.DecodeFailed("evaluation failed (" + result + "): "
                    + Native.loggedReason("llama.cpp gave no reason", List.of()));
        }
    }

    /**
     * The unnormalized log probabilities of all tokens, as the last decode left them for one of its tokens.
     *
     * @param batchIndex index of a token that was added with output
     * @return a view of native memory, {@link Vocabulary#size} floats, valid until the next decode
     * @throws IllegalArgumentException there are no logits at this index
     */
    public FloatBuffer logits(int batchIndex) {
        FloatPointer logits = batchIndex < 0 ? null : llama.llama_get_logits_ith(pointer(), batchIndex);
        if (logits == null) {
            throw new IllegalArgumentException("the last batch has no output at index " + batchIndex);
        }
        return logits.capacity(vocabularySize).asBuffer();
    }

    /**
     * What llama.cpp pools of a sequence of the last batch: the embedding, of an encoder whose file says how these are
     * made; or what the classification head says of it, where the model {@link Model#ranks}.
     *
     * @return a view of native memory, {@link Model#outputEmbeddingSize} or {@link Model#classes} floats, valid until
     *     the next decode; empty when the file says nothing
     */
    public Optional<FloatBuffer> embedding(int sequence) {
        checkSequence(sequence);
        return floats(
                llama.llama_get_embeddings_seq(pointer(), sequence),
                model.ranks() ? model.classes() : model.outputEmbeddingSize());
    }

    /**
     * Of an encoder whose file does not say how embeddings are made: the vector of a token of the last batch.
     *
     * @return as {@link #embedding}
     * @throws IllegalArgumentException there is none at this index
     */
    public FloatBuffer vector(int batchIndex) {
        return floats(llama.llama_get_embeddings_ith(pointer(), batchIndex), model.outputEmbeddingSize())
                .orElseThrow(() -> new IllegalArgumentException("the last batch has no vector at index " + batchIndex));
    }

    private static Optional<FloatBuffer> floats(FloatPointer vector, int size) {
        return Optional.ofNullable(vector).map(floats -> floats.capacity(size).asBuffer());
    }

    /**
     * Removes a sequence's positions from, inclusive, to, exclusive.
     *
     * @param to -1 for the end
     * @return false when the model's memory cannot forget a part of a sequence; then nothing was removed
     */
    public boolean remove(int sequence, int from, int to) {
        checkSequence(sequence);
        return llama.llama_memory_seq_rm(openMemory(), sequence, from, to);
    }

    /** Lets sequence {@code destination} share the positions from, inclusive, to, exclusive (-1: the end) of another. */
    public void copy(int source, int destination, int from, int to) {
        checkSequence(source);
        checkSequence(destination);
        llama.llama_memory_seq_cp(openMemory(), source, destination, from, to);
    }

    /**
     * How many of the latest positions, its own among them, a token looks at in every layer; {@link Integer#MAX_VALUE}
     * where all layers look at all. What layers with such a window do not look at any more at the end of a sequence, they
     * give to other tokens when these need cells, and {@link #save} leaves it out.
     */
    public int window() {
        return window;
    }

    /** The first position of a sequence that every layer holds; -1 for an empty one. */
    public int firstPosition(int sequence) {
        checkSequence(sequence);
        return llama.llama_memory_seq_pos_min(openMemory(), sequence);
    }

    /** Bytes of {@link #save}'s result. */
    public long stateBytes(int sequence) {
        checkSequence(sequence);
        return llama.llama_state_seq_get_size(pointer(), sequence);
    }

    /**
     * A copy of what a sequence holds.
     *
     * @return owned by the caller
     * @throws LlamaException.DecodeFailed it cannot be copied
     */
    public SequenceState save(int sequence) {
        long bytes = stateBytes(sequence);
        SequenceState state = SequenceState.allocate(bytes);
        if (llama.llama_state_seq_get_data(pointer(), state.pointer(), bytes, sequence) != bytes) {
            state.close();
            throw new LlamaException.DecodeFailed("the state of a sequence cannot be copied");
        }
        return state;
    }

    /**
     * Puts a copy into an empty sequence, at the positions that it had.
     *
     * @return false when the KV cache has no room, or the copy is of another model or other options; the sequence is empty
     *     then
     */
    public boolean restore(SequenceState state, int sequence) {
        checkSequence(sequence);
        boolean whole =
                llama.llama_state_seq_set_data(pointer(), state.pointer(), state.bytes(), sequence) == state.bytes();
        if (!whole) {
            remove(sequence, 0, -1);
        }
        return whole;
    }

    /** Shows what is decoded from now on to a tap, which is called on the thread that decodes; null for none. */
    public void watch(TensorTap watching) {
        TapCallback before = tap;
        tap = watching == null ? null : new TapCallback(watching);
        llama.llama_set_eval_callback(pointer(), tap, null);
        if (before != null) {
            before.close();
        }
    }

    /** Tokens of KV cache, shared by all sequences; llama.cpp may round up what was asked for. */
    public int contextSize() {
        return llama.llama_n_ctx(pointer());
    }

    /** How the context was made. */
    public ContextOptions options() {
        return options;
    }

    @Override
    public void close() {
        if (!closed) {
            closed = true;
            llama.llama_free(context);
            if (tap != null) {
                tap.close();
            }
            if (embeddings != null) {
                embeddings.close();
            }
            model.releaseUse();
        }
    }

    llama_context pointer() {
        if (closed) {
            throw new IllegalStateException("the context is closed");
        }
        return context;
    }

    private llama_memory_i openMemory() {
        pointer();
        return memory;
    }

    private void checkSize(int count) {
        if (count < 1 || count > options.batchSize()) {
            throw new IllegalArgumentException("a batch has 1 to " + options.batchSize() + " tokens, not " + count);
        }
    }

    private void checkOutputs(int outputs) {
        if (outputs < 0 || outputs > options.outputs()) {
            throw new IllegalArgumentException("at most " + options.outputs() + " outputs in a batch, not " + outputs);
        }
    }

    private void checkSequence(int sequence) {
        if (sequence < 0 || sequence >= options.sequences()) {
            throw new IllegalArgumentException("sequence " + sequence + " of " + options.sequences());
        }
    }

    private static void checkPosition(int position) {
        if (position < 0) {
            throw new IllegalArgumentException("position " + position + " is negative");
        }
    }
}
