package dev.luq.openai.embeddings;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.databind.JsonNode;
import dev.luq.http.errors.ApiException.InvalidRequest;
import dev.luq.openai.generation.Addressed;
import dev.luq.openai.generation.Check;
import dev.luq.openai.generation.Prompt;
import dev.luq.openai.generation.Queries.ToEmbed;
import dev.luq.openai.generation.RawPrompts;
import dev.luq.protocol.WorkerFrame.ModelInfo;
import io.quarkus.runtime.annotations.RegisterForReflection;
import java.math.BigDecimal;
import java.util.List;
import java.util.function.UnaryOperator;
import org.eclipse.microprofile.openapi.annotations.media.Schema;

/** Texts and images whose embeddings are asked for. */
@RegisterForReflection
@Schema(name = "EmbeddingRequest")
record EmbeddingRequest(
        @JsonProperty("model")
                @Schema(description = "Id or alias of a model; the default model when absent", nullable = true)
                String model,
        @JsonProperty(INPUT)
                @Schema(
                        required = true,
                        description = "A text, an array of tokens, or up to " + MOST_INPUTS + " of either; with images"
                                + " {\"prompt_string\", \"multimodal_data\"}, as llama-server has it",
                        oneOf = {String.class, Object[].class, Object.class})
                JsonNode input,
        @JsonProperty(CONTENT)
                @Schema(
                        nullable = true,
                        description = "llama-server's name for input; the answer has its form then",
                        oneOf = {String.class, Object[].class, Object.class})
                JsonNode content,
        @JsonProperty("encoding_format")
                @Schema(
                        nullable = true,
                        defaultValue = FLOAT,
                        enumeration = {FLOAT, BASE64})
                String encodingFormat,
        @JsonProperty("dimensions")
                @Schema(nullable = true, implementation = Integer.class, description = "Those of the model alone")
                BigDecimal dimensions,
        @JsonProperty("embd_normalize")
                @Schema(
                        nullable = true,
                        implementation = Integer.class,
                        defaultValue = "2",
                        minimum = "-1",
                        maximum = "100",
                        description = "2: length 1; -1: as the model has it; 0: the largest number is 32760; others:"
                                + " their norm is 1")
                BigDecimal normalize)
        implements Addressed {

    static final int MOST_INPUTS = 2048;

    private static final String INPUT = "input";
    private static final String CONTENT = "content";
    private static final String FLOAT = "float";
    private static final String BASE64 = "base64";

    /**
     * How the answer is written.
     *
     * @param isOfLlamaServer whether it has llama-server's own form
     * @param isBase64 whether OpenAI's form has base64 in place of numbers
     */
    record Form(boolean isOfLlamaServer, boolean isBase64, Normalization normalization) {}

    /**
     * What is to be embedded, once all fields are checked.
     *
     * @throws dev.luq.http.errors.ApiException naming the field at fault
     */
    ToEmbed<Form> check(ModelInfo model) {
        if (model.embeddings() == null) {
            throw new InvalidRequest(
                    "model",
                    "This model makes no embeddings. Choose one that has them among its capabilities in GET /v1/models,"
                            + " or have luq.models.\"ID\".pooling set for it.");
        }
        int size = model.embeddings().size();
        if (Check.integer("dimensions", dimensions, 1, Integer.MAX_VALUE, size) != size) {
            throw new InvalidRequest(
                    "dimensions", "dimensions must be " + size + ", which this model's embeddings have, or absent");
        }
        if (!Check.isNull(input) && !Check.isNull(content)) {
            throw new InvalidRequest(CONTENT, "content is another name for input. Send one of them.");
        }
        Form form = new Form(isOfLlamaServer(), isBase64(), normalization());
        JsonNode inputs = isOfLlamaServer() ? content : input;
        List<Prompt.Raw> prompts = RawPrompts.several(name(), inputs, MOST_INPUTS, null, model);
        long numbers = (long) prompts.size() * size;
        boolean inBase64 = form.isBase64() && !form.isOfLlamaServer();
        return new ToEmbed<>(prompts, form, numbers * Float.BYTES, numbers * Vector.jsonBytes(inBase64));
    }

    private boolean isOfLlamaServer() {
        return Check.isNull(input) && !Check.isNull(content);
    }

    private String name() {
        return isOfLlamaServer() ? CONTENT : INPUT;
    }

    private boolean isBase64() {
        if (encodingFormat != null && !encodingFormat.equals(FLOAT) && !encodingFormat.equals(BASE64)) {
            throw new InvalidRequest("encoding_format", "encoding_format must be float or base64");
        }
        return BASE64.equals(encodingFormat);
    }

    private Normalization normalization() {
        return new Normalization((int) Check.integer(
                "embd_normalize", normalize, Normalization.LEAST, Normalization.MOST, Normalization.EUCLIDEAN.kind()));
    }

    @Override
    public UnaryOperator<String> fields() {
        return Addressed.inputIn(name());
    }
}
