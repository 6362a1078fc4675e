package dev.luq.openai.embeddings;

import com.fasterxml.jackson.annotation.JsonProperty;
import dev.luq.openai.generation.Queries.Embedded;
import dev.luq.protocol.WorkerFrame.Embedding;
import io.quarkus.runtime.annotations.RegisterForReflection;
import java.util.List;
import java.util.stream.IntStream;
import org.eclipse.microprofile.openapi.annotations.media.Schema;

/** Embeddings in OpenAI's form. */
@RegisterForReflection
@Schema(name = "EmbeddingList")
record EmbeddingList(@Schema(enumeration = "list") String object, List<Item> data, String model, EmbeddingUsage usage) {

    static EmbeddingList of(Embedded<EmbeddingRequest.Form> embedded) {
        EmbeddingRequest.Form form = embedded.form();
        List<Embedding> found = embedded.embeddings();
        List<Item> data = IntStream.range(0, found.size())
                .mapToObj(i -> new Item(
                        "embedding", i, new Vector(found.get(i).vector(), form.normalization(), form.isBase64())))
                .toList();
        int tokens = found.stream().mapToInt(Embedding::tokens).sum();
        return new EmbeddingList("list", data, embedded.model(), new EmbeddingUsage(tokens, tokens));
    }

    /**
     * The embedding of one input.
     *
     * @param embedding floats, or these as four bytes each, little-endian, in base64
     */
    @RegisterForReflection
    @Schema(name = "Embedding")
    record Item(
            @Schema(enumeration = "embedding") String object,
            int index,
            @JsonProperty
                    @Schema(
                            oneOf = {float[].class, String.class},
                            description = "Floats; with base64 four bytes each, little-endian")
                    Object embedding) {}

    /** Tokens of all inputs. */
    @RegisterForReflection
    @Schema(name = "EmbeddingUsage")
    record EmbeddingUsage(
            @JsonProperty("prompt_tokens") int promptTokens, @JsonProperty("total_tokens") int totalTokens) {}
}
