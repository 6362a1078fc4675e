package dev.luq.openai.embeddings;

import com.fasterxml.jackson.annotation.JsonProperty;
import dev.luq.openai.generation.Queries.Embedded;
import io.quarkus.runtime.annotations.RegisterForReflection;
import java.util.List;
import java.util.stream.IntStream;
import org.eclipse.microprofile.openapi.annotations.media.Schema;

/**
 * The embedding of one input in llama-server's form.
 *
 * @param embedding one vector
 */
@RegisterForReflection
@Schema(name = "NativeEmbedding")
record NativeEmbedding(int index, @JsonProperty @Schema(implementation = float[][].class) List<Vector> embedding) {

    static List<NativeEmbedding> of(Embedded<EmbeddingRequest.Form> embedded) {
        Normalization normalization = embedded.form().normalization();
        return IntStream.range(0, embedded.embeddings().size())
                .mapToObj(i -> new NativeEmbedding(
                        i, List.of(new Vector(embedded.embeddings().get(i).vector(), normalization, false))))
                .toList();
    }
}
