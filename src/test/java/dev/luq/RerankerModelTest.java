package dev.luq;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.luq.gguf.Pooling;
import dev.luq.llama.TinyEncoder;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A reranker as clients meet it. */
@Integration
class RerankerModelTest {

    private static final JsonMapper JSON = new JsonMapper();
    private static final String QUERY = "\"query\": \"the cat sees\"";
    private static final String FOUR = "[\"a dog\", \"the cat runs\", \"a house and a dog\", \"a dog\"]";

    @TempDir
    static Path directory;

    private static PackagedServer server;

    @BeforeAll
    static void start() throws Exception {
        Path reranker = TinyEncoder.writeReranker(directory.resolve("reranker.gguf"));
        Path encoder = TinyEncoder.write(directory.resolve("encoder.gguf"), Pooling.CLS);
        server = PackagedServer.start(
                directory,
                "luq.models.reranker.model=" + reranker.toAbsolutePath(),
                "luq.models.reranker.pooling=rank",
                "luq.models.reranker.default=true",
                "luq.models.encoder.model=" + encoder.toAbsolutePath(),
                "luq.models.later-reranker.model=" + reranker.toAbsolutePath(),
                "luq.models.later-reranker.pooling=rank",
                "luq.models.later-reranker.load=demand",
                "luq.models.later-encoder.model=" + encoder.toAbsolutePath(),
                "luq.models.later-encoder.load=demand");
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    private static JsonNode rank(String path, String fields) throws Exception {
        HttpResponse<String> response = server.post(path, "{" + QUERY + ", " + fields + "}");
        assertEquals(200, response.statusCode(), response.body());
        return JSON.readTree(response.body());
    }

    private static List<Double> scores(JsonNode results, String name) {
        return IntStream.range(0, results.size())
                .mapToObj(i -> results.get(i).path(name).asDouble())
                .toList();
    }

    private static JsonNode of(JsonNode results, int index) {
        return IntStream.range(0, results.size())
                .mapToObj(results::get)
                .filter(result -> result.path("index").asInt(-1) == index)
                .findFirst()
                .orElseThrow();
    }

    @Test
    void theMostRelevantDocumentComesFirst() throws Exception {
        JsonNode answer = rank("/v1/rerank", "\"documents\": " + FOUR);
        JsonNode results = answer.path("results");
        assertEquals(4, results.size());
        List<Double> scores = scores(results, "relevance_score");
        assertEquals(
                scores.stream().sorted((a, b) -> Double.compare(b, a)).toList(),
                scores,
                "from the highest to the lowest");
        assertEquals(of(results, 0).path("relevance_score"), of(results, 3).path("relevance_score"), "equal documents");
        assertTrue(results.get(0).path("relevance_score").asDouble()
                > results.get(3).path("relevance_score").asDouble());
        assertTrue(results.get(0).path("document").isMissingNode());
        assertEquals("list", answer.path("object").asText());
        assertEquals("reranker", answer.path("model").asText());
        int tokens = 4 * (1 + 3 + 1) + 2 + 3 + 5 + 2;
        assertEquals(tokens, answer.at("/usage/prompt_tokens").asInt());
        assertEquals(tokens, answer.at("/usage/total_tokens").asInt());
    }

    @Test
    void documentsComeBackWhereTheyAreAskedFor() throws Exception {
        JsonNode results = rank(
                        "/v1/rerank",
                        "\"documents\": [\"a dog\", {\"text\": \"a cat\"}], \"return_documents\": true, \"top_n\": 9")
                .path("results");
        assertEquals(2, results.size());
        assertEquals("a dog", of(results, 0).at("/document/text").asText());
        assertEquals("a cat", of(results, 1).at("/document/text").asText());
        JsonNode texts = rank("/v1/rerank", "\"texts\": [\"a dog\", \"a cat\"], \"return_text\": true");
        assertEquals("a cat", of(texts, 1).path("text").asText());
    }

    @Test
    void aRequestWithTextsIsAnsweredAsTextEmbeddingsInferenceDoes() throws Exception {
        JsonNode expected = rank("/v1/rerank", "\"documents\": " + FOUR).path("results");
        for (String path : List.of("/v1/rerank", "/rerank", "/v1/reranking", "/reranking")) {
            JsonNode best = rank(path, "\"texts\": " + FOUR + ", \"top_n\": 2");
            assertTrue(best.isArray());
            assertEquals(2, best.size());
            for (int i = 0; i < 2; i++) { // batches of other sizes are rounded otherwise
                assertEquals(
                        scores(expected, "relevance_score").get(i),
                        scores(best, "score").get(i),
                        1e-4);
            }
            assertEquals(expected.get(0).path("index"), best.get(0).path("index"));
            assertTrue(best.get(0).path("text").isMissingNode());
        }
        JsonNode between = rank("/rerank", "\"texts\": " + FOUR + ", \"raw_scores\": false");
        double raw = expected.get(0).path("relevance_score").asDouble();
        assertEquals(1 / (1 + Math.exp(-raw)), between.get(0).path("score").asDouble(), 1e-6);
    }

    @Test
    void whatCannotBeRankedIsRefusedByItsField() throws Exception {
        assertRefused("query", "{\"documents\": [\"a\"]}");
        assertRefused("query", "{\"query\": [1], \"documents\": [\"a\"]}");
        for (String documents : List.of("[]", "null", "123", "\"a\"")) {
            assertRefused("documents", "{" + QUERY + ", \"documents\": " + documents + "}");
        }
        assertRefused("documents[1]", "{" + QUERY + ", \"documents\": [\"a\", 2]}");
        assertRefused("documents[0].text", "{" + QUERY + ", \"documents\": [{\"title\": \"a\"}]}");
        assertRefused("texts", "{" + QUERY + ", \"documents\": [\"a\"], \"texts\": [\"b\"]}");
        assertRefused("top_n", "{" + QUERY + ", \"documents\": [\"a\"], \"top_n\": 0}");
        assertRefused("model", "{\"model\": \"encoder\", " + QUERY + ", \"documents\": [\"a\"]}");
        JsonNode error = assertRefused(
                "documents", "{" + QUERY + ", \"documents\": [\"" + "the ".repeat(TinyEncoder.CONTEXT) + "\"]}");
        assertEquals("context_length_exceeded", error.path("code").asText());
    }

    private static JsonNode assertRefused(String param, String body) throws Exception {
        HttpResponse<String> response = server.post("/v1/rerank", body);
        assertEquals(400, response.statusCode(), response.body());
        JsonNode error = JSON.readTree(response.body()).path("error");
        assertEquals(param, error.path("param").asText(), response.body());
        return error;
    }

    @Test
    void itDoesNothingElse() throws Exception {
        for (String path : List.of("/v1/chat/completions", "/v1/messages")) {
            HttpResponse<String> response = server.post(
                    path, "{\"messages\": [{\"role\": \"user\", \"content\": \"the cat\"}], \"max_tokens\": 4}");
            assertEquals(400, response.statusCode(), response.body());
            assertTrue(response.body().contains("/v1/rerank"), response.body());
        }
        HttpResponse<String> embeddings = server.post("/v1/embeddings", "{\"input\": \"the cat\"}");
        assertEquals(400, embeddings.statusCode(), embeddings.body());
        JsonNode model = JSON.readTree(server.get("/v1/models/reranker").body());
        assertEquals("[\"rerank\"]", model.path("capabilities").toString());
    }

    private static void assertCapable(String id, String status, String capabilities) throws Exception {
        JsonNode model = JSON.readTree(server.get("/v1/models/" + id).body());
        assertEquals(status, model.at("/status/value").asText());
        assertEquals("[\"" + capabilities + "\"]", model.path("capabilities").toString());
    }

    @Test
    void whatAModelDoesIsToldBeforeItIsLoaded() throws Exception {
        assertCapable("later-reranker", "unloaded", "rerank");
        rank("/v1/rerank", "\"model\": \"later-reranker\", \"documents\": " + FOUR);
        assertCapable("later-reranker", "loaded", "rerank");

        assertCapable("later-encoder", "unloaded", "embeddings");
        HttpResponse<String> response =
                server.post("/v1/embeddings", "{\"model\": \"later-encoder\", \"input\": \"the cat\"}");
        assertEquals(200, response.statusCode(), response.body());
        assertCapable("later-encoder", "loaded", "embeddings");
    }
}
