package dev.luq.openai.rerank;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import dev.luq.openai.generation.Queries.Embedded;
import dev.luq.protocol.WorkerFrame.Embedding;
import io.quarkus.runtime.annotations.RegisterForReflection;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;
import org.eclipse.microprofile.openapi.annotations.media.Schema;

/** Documents by their relevance, the most relevant one first, in Jina's form. */
@RegisterForReflection
@Schema(name = "Ranking")
record Ranking(
        String model, @Schema(enumeration = "list") String object, RankingUsage usage, List<RankedDocument> results) {

    static Ranking of(Embedded<RerankRequest.Form> ranked) {
        int tokens = ranked.embeddings().stream().mapToInt(Embedding::tokens).sum();
        RerankRequest.Form form = ranked.form();
        List<RankedDocument> results = best(ranked).stream()
                .map(score -> new RankedDocument(
                        score.index(),
                        score.score(),
                        form.tellsDocuments() ? new Document(form.documents().get(score.index())) : null))
                .toList();
        return new Ranking(ranked.model(), "list", new RankingUsage(tokens, tokens), results);
    }

    /** The best ones in the form of Text Embeddings Inference. */
    static List<RankedText> texts(Embedded<RerankRequest.Form> ranked) {
        RerankRequest.Form form = ranked.form();
        return best(ranked).stream()
                .map(score -> new RankedText(
                        score.index(),
                        score.score(),
                        form.tellsDocuments() ? form.documents().get(score.index()) : null))
                .toList();
    }

    private record Score(int index, double score) {}

    private static List<Score> best(Embedded<RerankRequest.Form> ranked) {
        RerankRequest.Form form = ranked.form();
        List<Embedding> found = ranked.embeddings();
        return IntStream.range(0, found.size())
                .mapToObj(i -> new Score(i, score(found.get(i).vector()[0], form.isRaw())))
                .sorted(Comparator.comparingDouble(Score::score).reversed())
                .limit(form.most())
                .toList();
    }

    private static double score(float ofModel, boolean raw) {
        return raw ? ofModel : 1 / (1 + Math.exp(-ofModel));
    }

    /**
     * A document and how relevant it is.
     *
     * @param index its place in the request
     * @param document absent unless it was asked for
     */
    @RegisterForReflection
    @Schema(name = "RankedDocument")
    record RankedDocument(
            int index,
            @JsonProperty("relevance_score") double relevanceScore,
            @JsonInclude(JsonInclude.Include.NON_NULL) @Schema(nullable = true) Document document) {}

    /** The text of a document. */
    @RegisterForReflection
    @Schema(name = "Document")
    record Document(String text) {}

    /** Tokens of the query with each document. */
    @RegisterForReflection
    @Schema(name = "RankingUsage")
    record RankingUsage(
            @JsonProperty("prompt_tokens") int promptTokens, @JsonProperty("total_tokens") int totalTokens) {}

    /**
     * A text and how relevant it is, in the form of Text Embeddings Inference.
     *
     * @param index its place in the request
     * @param text absent unless it was asked for
     */
    @RegisterForReflection
    @Schema(name = "RankedText")
    record RankedText(
            int index, double score, @JsonInclude(JsonInclude.Include.NON_NULL) @Schema(nullable = true) String text) {}
}
