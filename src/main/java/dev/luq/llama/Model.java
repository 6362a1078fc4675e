package dev.luq.llama;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.luq.gguf.Pooling;
import dev.luq.preset.global.llama;
import dev.luq.preset.llama_model;
import dev.luq.preset.llama_model_kv_override;
import dev.luq.preset.llama_model_params;
import dev.luq.preset.llama_progress_callback;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.DoublePredicate;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.PointerPointer;

/**
 * The weights and the vocabulary. Immutable and thread-safe; contexts, samplers, visions and chat templates made from
 * it keep it in memory: the weights go when the last of them and the model itself are closed.
 */
public final class Model implements AutoCloseable {

    /** Of {@code llama_model_kv_override}, with a zero at its end. */
    private static final int LONGEST_KEY = 128;

    private final llama_model model;
    private final Vocabulary vocabulary;
    private final boolean ranks;
    private int users = 1;
    private boolean closed;

    private Model(llama_model model, boolean ranks) {
        this.model = model;
        this.ranks = ranks;
        this.vocabulary = new Vocabulary(this);
    }

    /** As {@link #load(List, DoublePredicate)}, without telling how far it is. */
    public static Model load(List<Path> splits) {
        return load(splits, null);
    }

    /**
     * Loads a model, memory-mapped.
     *
     * @param splits the GGUF, or its split files in order
     * @param listener called on this thread with the share that is loaded, 0 to 1; false ends loading. Null for none
     * @throws LlamaException.ModelLoad the files hold no model that llama.cpp knows, or the listener ended loading
     */
    public static Model load(List<Path> splits, DoublePredicate listener) {
        return load(splits, Optional.empty(), listener);
    }

    /**
     * Loads a model that scores texts by its classification head, memory-mapped. It is so used whatever its file says
     * of pooling: converters of llama.cpp leave that open for the rerankers of the BERT kind.
     *
     * @param architecture {@code general.architecture} of the file
     * @param listener as of {@link #load(List, DoublePredicate)}
     * @throws LlamaException.ModelLoad as {@link #load(List, DoublePredicate)}
     */
    public static Model loadReranker(List<Path> splits, String architecture, DoublePredicate listener) {
        return load(splits, Optional.of(architecture), listener);
    }

    private static Model load(List<Path> splits, Optional<String> reranker, DoublePredicate listener) {
        if (splits.isEmpty()) {
            throw new IllegalArgumentException("no model file is given");
        }
        List<Path> files = splits.stream().map(Path::toAbsolutePath).toList();
        Progress progress = listener == null ? null : new Progress(listener);
        Native.clearLoggedErrors();
        BytePointer[] names =
                files.stream().map(file -> Native.utf8(file.toString())).toArray(BytePointer[]::new);
        try (PointerPointer<BytePointer> paths = new PointerPointer<>(names);
                llama_model_params params = llama.llama_model_default_params();
                llama_model_kv_override ranking = reranker.map(Model::ranking).orElse(null)) {
            params.n_gpu_layers(0).load_mode(llama.LLAMA_LOAD_MODE_MMAP).kv_overrides(ranking);
            if (progress != null) {
                params.progress_callback(progress);
            }
            llama_model model = llama.llama_model_load_from_splits(paths, names.length, params);
            if (model == null) {
                throw new LlamaException.ModelLoad(
                        progress != null && progress.ended
                                ? "loading was cancelled"
                                : "the model cannot be loaded: "
                                        + Native.loggedReason("llama.cpp gave no reason", files));
            }
            return new Model(model, reranker.isPresent());
        } finally {
            for (BytePointer name : names) {
                name.close();
            }
            if (progress != null) {
                progress.close();
            }
        }
    }

    /** What says in place of the file that the classification head pools. */
    private static llama_model_kv_override ranking(String architecture) {
        llama_model_kv_override overrides = new llama_model_kv_override(2);
        byte[] key = (architecture + Pooling.KEY).getBytes(UTF_8);
        if (key.length >= LONGEST_KEY) {
            throw new LlamaException.ModelLoad("the name of its architecture is too long");
        }
        overrides.key().put(key).put(key.length, (byte) 0);
        overrides.tag(llama.LLAMA_KV_OVERRIDE_TYPE_INT).val_i64(Pooling.RANK.ordinal());
        overrides.getPointer(1).key(0, (byte) 0); // the end of the list
        return overrides;
    }

    /** {@code general.name} of the file. */
    public Optional<String> name() {
        return metadata("general.name");
    }

    /** {@code general.architecture} of the file, such as {@code qwen2vl}. */
    public String architecture() {
        return metadata("general.architecture").orElse("unknown");
    }

    /** The file type's name, such as {@code Q4_K - Medium}. */
    public String quantization() {
        return llama.llama_ftype_name(llama.llama_model_ftype(pointer())).getString(UTF_8);
    }

    /** The file's own chat template, a Jinja program. */
    public Optional<String> chatTemplate() {
        return metadata("tokenizer.chat_template");
    }

    /** Number of weights. */
    public long parameters() {
        return llama.llama_model_n_params(pointer());
    }

    /** Size of all tensors in bytes. */
    public long bytes() {
        return llama.llama_model_size(pointer());
    }

    /** Tokens of context that the model was trained for. */
    public int trainingContext() {
        return llama.llama_model_n_ctx_train(pointer());
    }

    /** Number of transformer blocks. */
    public int layers() {
        return llama.llama_model_n_layer(pointer());
    }

    /** Floats of a token's vector behind the last layer, which embeddings are made of. */
    public int outputEmbeddingSize() {
        return llama.llama_model_n_embd_out(pointer());
    }

    /** Whether some of its layers keep a state instead of keys and values. */
    public boolean isRecurrent() {
        return llama.llama_model_is_recurrent(pointer()) || llama.llama_model_is_hybrid(pointer());
    }

    /** Whether tokens attend to later ones too: it reads a text at once, and generates none. */
    public boolean isEncoder() {
        return metadata(architecture() + ".attention.causal")
                .filter("false"::equals)
                .isPresent();
    }

    /** Whether it scores texts by its classification head, and generates none. */
    public boolean ranks() {
        return ranks;
    }

    /** Whether it answers prompts with text: others read a prompt at once, and have an output for each of its tokens. */
    public boolean generates() {
        return !isEncoder() && !ranks;
    }

    /** Numbers that its classification head says of a text. The first one is the score of a reranker. */
    public int classes() {
        return llama.llama_model_n_cls_out(pointer());
    }

    /** The text in its file that a query and a document are put into to be ranked, at {query} and {document}. */
    public Optional<String> rerankTemplate() {
        return metadata("tokenizer.chat_template.rerank");
    }

    /** Floats per token that an image embedding must have. */
    public int inputEmbeddingSize() {
        return llama.llama_model_n_embd_inp(pointer());
    }

    /** A scalar of the file's metadata as text; empty when the key is missing or holds an array. */
    public Optional<String> metadata(String key) {
        try (BytePointer name = Native.utf8(key)) {
            int length = llama.llama_model_meta_val_str(pointer(), name, new byte[1], 1);
            if (length < 0) {
                return Optional.empty();
            }
            byte[] value = new byte[length + 1];
            llama.llama_model_meta_val_str(pointer(), name, value, value.length);
            return Optional.of(new String(value, 0, length, UTF_8));
        }
    }

    /** The model's tokens. Usable until the model is closed. */
    public Vocabulary vocabulary() {
        return vocabulary;
    }

    @Override
    public synchronized void close() {
        if (!closed) {
            closed = true;
            releaseUse();
        }
    }

    /** @throws IllegalStateException the model is closed and nothing uses it any more */
    synchronized llama_model pointer() {
        if (users == 0) {
            throw new IllegalStateException("the model is closed");
        }
        return model;
    }

    /** Keeps the weights until {@link #releaseUse}. */
    synchronized Model use() {
        if (closed) {
            throw new IllegalStateException("the model is closed");
        }
        users++;
        return this;
    }

    synchronized void releaseUse() {
        if (--users == 0) {
            llama.llama_model_free(model);
        }
    }

    private static final class Progress extends llama_progress_callback {
        private final DoublePredicate predicate;
        private boolean ended;

        Progress(DoublePredicate predicate) {
            this.predicate = predicate;
        }

        @Override
        public boolean call(float progress, Pointer userData) {
            try {
                ended = !predicate.test(progress);
            } catch (Throwable e) {
                ended = true; // an exception would unwind through C frames
            }
            return !ended;
        }
    }
}
