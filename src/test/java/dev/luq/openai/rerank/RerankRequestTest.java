package dev.luq.openai.rerank;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.luq.http.errors.ApiException;
import dev.luq.openai.generation.Prompt;
import dev.luq.openai.generation.Queries.Embedded;
import dev.luq.openai.generation.Queries.ToEmbed;
import dev.luq.protocol.PromptInput.Piece;
import dev.luq.protocol.WorkerFrame.Embedding;
import dev.luq.protocol.WorkerFrame.ModelInfo;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RerankRequestTest {

    private static final JsonMapper JSON = JsonMapper.builder()
            .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
            .build();
    private static final int CONTEXT = 16;
    private static final int LONGEST_TOKEN = 4;
    private static final ModelInfo RERANKER = new ModelInfo(
            "Tiny",
            "bert",
            "F16",
            1_000,
            2_000,
            16,
            CONTEXT,
            CONTEXT,
            CONTEXT,
            4,
            false,
            false,
            LONGEST_TOKEN,
            null,
            null,
            true,
            null,
            null);

    private static ToEmbed<RerankRequest.Form> check(String fields) {
        try {
            return JSON.readValue("{" + fields + "}", RerankRequest.class).check(RERANKER);
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException(e);
        }
    }

    private static ApiException refused(String param, String fields) {
        ApiException refusal = assertThrows(ApiException.class, () -> check(fields));
        assertEquals(param, refusal.error().param(), refusal.getMessage());
        return refusal;
    }

    private static Piece.Pair pair(Prompt.Raw prompt) {
        return (Piece.Pair) prompt.input().pieces().get(0);
    }

    @Test
    void allDocumentsShareTheQueryAndWhatWasMendedInIt() {
        List<Prompt.Raw> prompts = check("\"query\":\"a\\ud800\",\"documents\":[\"b\",\"\\udc00\"]")
                .prompts();
        assertEquals(new Piece.Pair("a\ufffd", "b"), pair(prompts.get(0)));
        assertEquals(new Piece.Pair("a\ufffd", "\ufffd"), pair(prompts.get(1)));
        assertSame(pair(prompts.get(0)).query(), pair(prompts.get(1)).query());
    }

    @Test
    void whatCannotFitIsRefusedByItsName() {
        String most = "a".repeat(CONTEXT * LONGEST_TOKEN);
        check("\"query\":\"\",\"documents\":[\"" + most + "\"]");
        assertEquals(
                "context_length_exceeded",
                refused("query", "\"query\":\"a" + most + "\",\"documents\":[\"\"]")
                        .error()
                        .code());
        refused("documents[1]", "\"query\":\"a\",\"documents\":[\"b\",\"" + most + "\"]");
        refused("texts[1]", "\"query\":\"a\",\"texts\":[\"b\",\"" + most + "\"]");
    }

    @Test
    void moreDocumentsThanAllowedAreRefused() {
        String most = "\"b\",".repeat(RerankRequest.MOST_DOCUMENTS - 1) + "\"b\"";
        assertEquals(
                RerankRequest.MOST_DOCUMENTS,
                check("\"query\":\"a\",\"documents\":[" + most + "]").prompts().size());
        refused("documents", "\"query\":\"a\",\"documents\":[" + most + ",\"b\"]");
    }

    @ParameterizedTest
    @ValueSource(strings = {"documents", "texts"})
    void documentsAreToldByEitherName(String name) {
        String fields = "\"query\":\"a\",\"" + name + "\":[\"b\"]";
        assertFalse(check(fields).form().tellsDocuments());
        assertTrue(check(fields + ",\"return_documents\":true").form().tellsDocuments());
        assertTrue(check(fields + ",\"return_text\":true").form().tellsDocuments());
    }

    @Test
    void whatWouldChangeTheAnswerIsNotIgnored() {
        String fields = "\"query\":\"a\",\"documents\":[\"b\"]";
        refused("max_tokens_per_doc", fields + ",\"max_tokens_per_doc\":1");
        refused("truncate_prompt_tokens", fields + ",\"truncate_prompt_tokens\":1");
        refused("rank_fields", fields + ",\"rank_fields\":[\"title\"]");
        refused("return_embeddings", fields + ",\"return_embeddings\":true");
        check(fields + ",\"return_embeddings\":false,\"rank_fields\":null,\"truncate\":true,\"user\":\"u\"");
    }

    private static Embedded<RerankRequest.Form> ranked(String fields, float... scores) {
        return new Embedded<>(
                check(fields).form(),
                "m",
                IntStream.range(0, scores.length)
                        .mapToObj(i -> new Embedding(3, new float[] {scores[i]}))
                        .toList());
    }

    @Test
    void theBestComeFirstAndEqualOnesInTheirOrder() {
        String fields = "\"query\":\"a\",\"documents\":[\"b\",\"c\",\"d\",\"e\"]";
        Ranking ranking = Ranking.of(ranked(fields, -1, 2, -1, 7));
        assertEquals(
                List.of(3, 1, 0, 2),
                ranking.results().stream().map(Ranking.RankedDocument::index).toList());
        assertEquals(new Ranking.RankingUsage(12, 12), ranking.usage());
        assertEquals(
                List.of(new Ranking.RankedText(1, 0.5, "c")),
                Ranking.texts(ranked(
                        "\"query\":\"a\",\"texts\":[\"b\",\"c\"],\"top_n\":1,\"raw_scores\":false,\"return_text\":true",
                        -200,
                        0)));
    }
}
