package dev.luq.openai.rerank;

import com.fasterxml.jackson.annotation.JsonAnySetter;
import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.databind.JsonNode;
import dev.luq.http.errors.ApiException.InvalidRequest;
import dev.luq.openai.generation.Addressed;
import dev.luq.openai.generation.Check;
import dev.luq.openai.generation.FieldRules;
import dev.luq.openai.generation.Prompt;
import dev.luq.openai.generation.Queries.ToEmbed;
import dev.luq.openai.generation.RawPrompts;
import dev.luq.protocol.WorkerFrame.ModelInfo;
import io.quarkus.runtime.annotations.RegisterForReflection;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.eclipse.microprofile.openapi.annotations.media.Schema;

/** Documents whose relevance to a query is asked for. */
@RegisterForReflection
@Schema(name = "RerankRequest")
record RerankRequest(
        @JsonProperty("model")
                @Schema(description = "Id or alias of a model; the default model when absent", nullable = true)
                String model,
        @JsonProperty(QUERY) @Schema(required = true, implementation = String.class) JsonNode query,
        @JsonProperty(DOCUMENTS)
                @Schema(
                        description = "1 to " + MOST_DOCUMENTS + " strings, or objects with a string as text",
                        implementation = Object[].class)
                JsonNode documents,
        @JsonProperty(TEXTS)
                @Schema(
                        nullable = true,
                        description =
                                "The name of documents in Text Embeddings Inference; the answer has its form then",
                        implementation = String[].class)
                JsonNode texts,
        @JsonProperty("top_n")
                @Schema(
                        nullable = true,
                        implementation = Integer.class,
                        minimum = "1",
                        description = "How many of the best are told; all when absent")
                BigDecimal topN,
        @JsonProperty("return_documents")
                @Schema(nullable = true, defaultValue = "false", description = "Whether results have their document")
                Boolean returnDocuments,
        @JsonProperty("return_text")
                @Schema(
                        nullable = true,
                        defaultValue = "false",
                        description = "The name of return_documents in Text Embeddings Inference")
                Boolean returnText,
        @JsonProperty("raw_scores")
                @Schema(
                        nullable = true,
                        defaultValue = "true",
                        description = "false: scores between 0 and 1, by the logistic function of the model's own")
                Boolean rawScores,
        @JsonAnySetter @Schema(hidden = true) Map<String, JsonNode> others)
        implements Addressed {

    static final int MOST_DOCUMENTS = 2048;

    private static final String QUERY = "query";
    private static final String DOCUMENTS = "documents";
    private static final String TEXTS = "texts";
    private static final String TEXT = "text";

    /** Fields of Cohere, Jina and vLLM that would change the answer and that this server has not, and what to do. */
    private static final FieldRules RULES = new FieldRules()
            .empty("max_tokens_per_doc", "Shorten the documents, or leave it out")
            .empty("truncate_prompt_tokens", "Shorten the documents, or leave it out")
            .empty("rank_fields", "Put what counts into text, or leave it out")
            .flag(
                    "return_embeddings",
                    false,
                    "Send the documents to an embedding model, POST /v1/embeddings, or leave it out");

    RerankRequest {
        others = RULES.known(others);
    }

    /**
     * How the answer is written.
     *
     * @param isOfTei whether in the form of Text Embeddings Inference
     * @param most results
     * @param documents in their order, where results have them
     * @param tellsDocuments whether results have their document
     * @param isRaw whether scores are the model's own
     */
    record Form(boolean isOfTei, int most, List<String> documents, boolean tellsDocuments, boolean isRaw) {}

    /**
     * What is to be ranked, once all fields are checked.
     *
     * @throws dev.luq.http.errors.ApiException naming the field at fault
     */
    ToEmbed<Form> check(ModelInfo model) {
        if (!model.ranks()) {
            throw new InvalidRequest(
                    "model",
                    "This model ranks no documents. Choose one that has rerank among its capabilities in GET"
                            + " /v1/models, or have luq.models.\"ID\".pooling=rank set for a model with a"
                            + " classification head.");
        }
        if (!Check.isNull(documents) && !Check.isNull(texts)) {
            throw new InvalidRequest(TEXTS, "texts is another name for documents. Send one of them.");
        }
        RULES.check(others);
        String asked = Check.text(QUERY, query);
        List<String> given = given();
        List<Prompt.Raw> prompts = RawPrompts.pairs(QUERY, asked, name(), given, model);
        int most = (int) Check.integer("top_n", topN, 1, Integer.MAX_VALUE, given.size());
        boolean tells = Check.flag(returnDocuments, false) || Check.flag(returnText, false);
        long told = tells ? given.stream().mapToLong(String::length).sum() : 0;
        return new ToEmbed<>(
                prompts,
                new Form(isOfTei(), most, tells ? given : List.of(), tells, Check.flag(rawScores, true)),
                told * Character.BYTES,
                told);
    }

    private List<String> given() {
        JsonNode array = isOfTei() ? texts : documents;
        if (Check.isNull(array)) {
            throw new InvalidRequest(name(), name() + " is missing");
        }
        if (!array.isArray() || array.isEmpty() || array.size() > MOST_DOCUMENTS) {
            throw new InvalidRequest(name(), name() + " must be an array of 1 to " + MOST_DOCUMENTS + " strings");
        }
        List<String> found = new ArrayList<>();
        for (int i = 0; i < array.size(); i++) {
            JsonNode document = array.get(i);
            found.add(
                    document.isObject()
                            ? Check.text(element(i) + "." + TEXT, document.get(TEXT))
                            : Check.text(element(i), document));
        }
        return found;
    }

    private boolean isOfTei() {
        return Check.isNull(documents) && !Check.isNull(texts);
    }

    private String name() {
        return isOfTei() ? TEXTS : DOCUMENTS;
    }

    private String element(int index) {
        return name() + "[" + index + "]";
    }

    @Override
    public UnaryOperator<String> fields() {
        return Addressed.inputIn(name());
    }
}
