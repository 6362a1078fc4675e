package dev.luq.catalog;

import dev.luq.gguf.Pooling;
import dev.luq.machine.Kernels;
import dev.luq.machine.KvType;
import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import io.smallrye.config.WithName;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;

/**
 * Which models are served. One model is named by {@code luq.model}, several by {@code luq.models."id".*}; without
 * either, the demo model is served.
 */
@ConfigMapping(prefix = "luq")
public interface CatalogConfig {

    /** Path of the GGUF to serve; of a split model, its first part. */
    Optional<Path> model();

    /** Path of the vision projector that belongs to it; the model reads only text without one. */
    Optional<Path> mmproj();

    /** Its id in the API; the file's name without its ending unless set. */
    Optional<String> modelId();

    /** Folder of the demo model, served when no model is configured. */
    @WithDefault("models/demo")
    Path demoDir();

    /** Models by their id in the API. */
    Map<String, Model> models();

    /** One model. */
    interface Model {

        /** Path of the GGUF; of a split model, its first part. */
        Path model();

        /** Path of the vision projector that belongs to it; the model reads only text without one. */
        Optional<Path> mmproj();

        /** When it is loaded: at the {@code start}, or on {@code demand}, when a request for it comes. */
        @WithDefault("start")
        LoadPolicy load();

        /**
         * How long it stays in memory after its last request: seconds, a duration such as {@code 5m}, 0 for not at all,
         * or {@code never}, it is not unloaded for that. {@code never} for models that are loaded at the start or
         * pinned, {@code 5m} for others unless set. It loads again when a request for it comes.
         */
        Optional<KeepAlive> keepAlive();

        /** Whether it stays when another model needs its memory; models that are loaded at the start do unless set. */
        Optional<Boolean> pinned();

        /** What multiplies its weights, {@code fast}, {@code compact} or {@code stock}; {@code luq.worker.kernels} unless set. */
        Optional<Kernels> kernels();

        /** Number format of its KV cache; {@code luq.worker.kv-cache-type} unless set. */
        Optional<KvType> kvCacheType();

        /** Tokens of KV cache shared by its slots; {@code luq.worker.context-size} unless set. */
        OptionalInt contextSize();

        /** Tokens of it that one request may take; {@code luq.worker.slot-context-size} unless set. */
        OptionalInt slotContextSize();

        /** Sequences that it decodes at once; {@code luq.worker.slots} unless set. */
        OptionalInt slots();

        /** Upper bound of one image's tokens; {@code luq.worker.image-max-tokens} unless set. */
        OptionalInt imageMaxTokens();

        /**
         * How it makes embeddings of a text's tokens: {@code last} takes the vector of the last one, {@code mean} the
         * mean of all, {@code cls} that of the first one, {@code none} makes none. What its file says unless set,
         * else {@code none}. With {@code mean} a model that generates computes logits for each token of a text, which
         * takes memory. Encoders (BERT, bge, nomic-embed) are pooled as their file says, where it does; {@code cls}
         * is for them alone. {@code rank} makes no embeddings but scores for {@code /v1/rerank}, by the classification
         * head of rerankers such as bge-reranker and Qwen3-Reranker; the files of the former often do not say so.
         */
        Optional<Pooling> pooling();

        /**
         * Chat template in place of the model's own: a Jinja program, or the name of one that llama.cpp has, such as
         * {@code chatml}, {@code vicuna} or {@code llama3}. Those by name but {@code chatml} know texts alone: tools are
         * described in the system message.
         */
        Optional<String> chatTemplate();

        /** Path of a file with the chat template that takes the place of the model's own. */
        Optional<Path> chatTemplateFile();

        /** What requests to it get where they say nothing. */
        Defaults defaults();

        /** Further names of the model in the API. */
        Optional<List<String>> aliases();

        /** What {@code /v1/models} tells of it as {@code tags}, for clients that choose by them. */
        Optional<List<String>> tags();

        /** Whether requests that name no model get this one; the first id of the alphabet unless one is set. */
        @WithName("default")
        @WithDefault("false")
        boolean isDefault();
    }

    /** What requests to a model get where they say nothing. */
    interface Defaults {

        /** {@code temperature}, 0 to 2. */
        OptionalDouble temperature();

        /** {@code top_p}, 0 to 1. */
        OptionalDouble topP();

        /** {@code top_k}; 0 is off. */
        OptionalInt topK();

        /** {@code min_p}, 0 to 1. */
        OptionalDouble minP();

        /** {@code repeat_penalty}, 0.1 to 10. */
        OptionalDouble repeatPenalty();

        /** {@code max_completion_tokens}. */
        OptionalInt maxTokens();

        /** {@code seed}: equal requests get equal answers. Drawn for each request unless set. */
        OptionalLong seed();

        /** A system message before conversations that have none. */
        Optional<String> systemPrompt();

        /** {@code enable_thinking}: whether a model that can think does. Its chat template decides unless set. */
        Optional<Boolean> enableThinking();
    }
}
