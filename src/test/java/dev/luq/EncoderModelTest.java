package dev.luq;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.luq.gguf.Pooling;
import dev.luq.llama.TinyEncoder;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A model of the BERT kind as clients meet it. */
@Integration
class EncoderModelTest {

    private static final JsonMapper JSON = new JsonMapper();

    @TempDir
    static Path directory;

    private static PackagedServer server;

    @BeforeAll
    static void start() throws Exception {
        Path model = TinyEncoder.write(directory.resolve("tiny.gguf"), Pooling.CLS);
        server = PackagedServer.start(directory, "luq.models.tiny.model=" + model.toAbsolutePath());
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    @Test
    void itMakesEmbeddings() throws Exception {
        HttpResponse<String> response = server.post(
                "/v1/embeddings", "{\"input\": [\"the cat sees a dog\", \"a house\", \"the cat sees a dog\"]}");
        assertEquals(200, response.statusCode(), response.body());
        JsonNode data = JSON.readTree(response.body()).path("data");
        assertEquals(3, data.size());
        assertEquals(64, data.at("/0/embedding").size());
        assertEquals(1, cosine(data, 0, 2), 1e-5);
        assertTrue(cosine(data, 0, 1) < 0.999);
        assertEquals(
                7 + 4 + 7,
                JSON.readTree(response.body()).at("/usage/prompt_tokens").asInt());
    }

    private static double cosine(JsonNode data, int a, int b) {
        double product = 0;
        for (int i = 0; i < 64; i++) {
            product += data.at("/" + a + "/embedding/" + i).asDouble()
                    * data.at("/" + b + "/embedding/" + i).asDouble();
        }
        return product; // of vectors of length 1
    }

    @Test
    void whoAsksItForTextIsToldSo() throws Exception {
        String message = "{\"messages\": [{\"role\": \"user\", \"content\": \"the cat\"}], \"max_tokens\": 4";
        for (String path : new String[] {"/v1/chat/completions", "/v1/messages"}) {
            HttpResponse<String> response = server.post(path, message + "}");
            assertEquals(400, response.statusCode(), response.body());
            assertTrue(response.body().contains("generates no text"), response.body());
        }
        assertEquals(
                400,
                server.post("/v1/chat/completions", message + ", \"stream\": true}")
                        .statusCode());
        assertEquals(
                400, server.post("/v1/completions", "{\"prompt\": \"the\"}").statusCode());
        JsonNode list = JSON.readTree(server.get("/v1/models").body());
        assertEquals("[\"embeddings\"]", list.at("/data/0/capabilities").toString());
        assertEquals("[\"embedding\"]", list.at("/models/0/capabilities").toString());
    }

    @Test
    void aTextThatIsTooLongIsRefused() throws Exception {
        HttpResponse<String> response =
                server.post("/v1/embeddings", "{\"input\": \"" + "the ".repeat(TinyEncoder.CONTEXT) + "\"}");
        assertEquals(400, response.statusCode(), response.body());
        JsonNode error = JSON.readTree(response.body()).path("error");
        assertEquals("context_length_exceeded", error.path("code").asText());
        assertEquals("input", error.path("param").asText());
    }
}
