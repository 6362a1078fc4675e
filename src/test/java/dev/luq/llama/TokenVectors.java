package dev.luq.llama;

import dev.luq.preset.global.llama;
import dev.luq.preset.llama_context;
import dev.luq.preset.llama_context_params;
import java.util.function.Function;

/** What llama.cpp's own embeddings are made of, as its tools compute it: a context of their own, all tokens at once. */
public final class TokenVectors {

    private TokenVectors() {}

    /** The vector of each token of a text, by a model whose file names no pooling. */
    public static float[][] of(Model model, int[] tokens) {
        return computed(model, tokens, context -> {
            float[][] vectors = new float[tokens.length][model.outputEmbeddingSize()];
            for (int i = 0; i < tokens.length; i++) {
                llama.llama_get_embeddings_ith(context, i).get(vectors[i]);
            }
            return vectors;
        });
    }

    /** The embedding of a text, as a model makes it whose file names the pooling. */
    public static float[] pooled(Model model, int[] tokens) {
        return computed(model, tokens, context -> {
            float[] vector = new float[model.outputEmbeddingSize()];
            llama.llama_get_embeddings_seq(context, 0).get(vector);
            return vector;
        });
    }

    /** What the classification head of a model that was loaded to rank says of a text. */
    public static float[] classes(Model model, int[] tokens) {
        return computed(model, tokens, context -> {
            float[] classes = new float[model.classes()];
            llama.llama_get_embeddings_seq(context, 0).get(classes);
            return classes;
        });
    }

    private static <T> T computed(Model model, int[] tokens, Function<llama_context, T> result) {
        try (llama_context_params params = llama.llama_context_default_params();
                TokenBatch batch = TokenBatch.create(tokens.length)) {
            params.n_ctx(tokens.length)
                    .n_batch(tokens.length)
                    .n_ubatch(tokens.length)
                    .n_threads(1)
                    .n_threads_batch(1)
                    .type_k(llama.GGML_TYPE_F32)
                    .type_v(llama.GGML_TYPE_F32)
                    .flash_attn_type(llama.LLAMA_FLASH_ATTN_TYPE_DISABLED)
                    .embeddings(true);
            llama_context context = llama.llama_init_from_model(model.pointer(), params);
            try {
                for (int i = 0; i < tokens.length; i++) {
                    batch.add(tokens[i], i, 0, true);
                }
                if (llama.llama_decode(context, batch.pointer()) != 0) {
                    throw new AssertionError("llama.cpp cannot decode");
                }
                return result.apply(context);
            } finally {
                llama.llama_free(context);
            }
        }
    }

    public static double cosine(float[] a, float[] b) {
        return TinyModels.cosine(a, b, 0, a.length);
    }
}
