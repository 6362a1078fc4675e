package dev.luq.openai.embeddings;

import static dev.luq.Until.until;
import static io.restassured.RestAssured.given;
import static org.hamcrest.Matchers.containsString;
import static org.hamcrest.Matchers.equalTo;
import static org.hamcrest.Matchers.hasItem;
import static org.hamcrest.Matchers.not;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.openai.client.OpenAIClient;
import com.openai.client.okhttp.OpenAIOkHttpClient;
import com.openai.models.embeddings.CreateEmbeddingResponse;
import com.openai.models.embeddings.EmbeddingCreateParams;
import dev.luq.Integration;
import dev.luq.llama.TokenVectors;
import dev.luq.openai.images.TestImages;
import dev.luq.serving.ModelWorker;
import dev.luq.serving.ModelWorkers;
import io.quarkus.test.common.http.TestHTTPResource;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.QuarkusTestProfile;
import io.quarkus.test.junit.TestProfile;
import io.restassured.path.json.JsonPath;
import io.restassured.response.ValidatableResponse;
import jakarta.inject.Inject;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Embeddings over HTTP, made by real workers with models of random weights. */
@Integration
@QuarkusTest
@TestProfile(EmbeddingsApiTest.Models.class)
class EmbeddingsApiTest {

    private static final String IMAGE = TestImages.png(56, 56);

    /** One model that pools by the last token and sees, one that pools by the mean, and one that does neither. */
    public static class Models implements QuarkusTestProfile {
        @Override
        public Map<String, String> getConfigOverrides() {
            String folder = "src/test/resources/reference/";
            return Map.ofEntries(
                    Map.entry("luq.models.last.model", folder + "qwen2.5-vl-tiny-F16.gguf"),
                    Map.entry("luq.models.last.mmproj", folder + "mmproj-qwen2.5-vl-tiny-F16.gguf"),
                    Map.entry("luq.models.last.pooling", "last"),
                    Map.entry("luq.models.last.default", "true"),
                    Map.entry("luq.models.mean.model", folder + "qwen2.5-vl-tiny-F16.gguf"),
                    Map.entry("luq.models.mean.pooling", "mean"),
                    Map.entry("luq.models.mean.load", "demand"),
                    Map.entry("luq.models.none.model", folder + "llava-tiny-F16.gguf"),
                    Map.entry("luq.models.none.load", "demand"),
                    Map.entry("luq.models.first.model", folder + "llava-tiny-F16.gguf"),
                    Map.entry("luq.models.first.pooling", "cls"),
                    Map.entry("luq.models.first.load", "demand"),
                    Map.entry("luq.worker.threads", "1"),
                    Map.entry("luq.worker.image-threads", "1"),
                    Map.entry("quarkus.shutdown.timeout", "0S"),
                    Map.entry("luq.worker.drain-time", "0S"));
        }
    }

    @Inject
    ModelWorkers workers;

    @TestHTTPResource
    URI server;

    @BeforeEach
    void waitUntilReady() {
        until("the model to be ready", () -> workers.find("last").orElseThrow().state() == ModelWorker.State.READY);
    }

    private static ValidatableResponse post(String path, String body) {
        return given().contentType("application/json").body(body).post(path).then();
    }

    private static JsonPath embed(String fields) {
        return post("/v1/embeddings", "{" + fields + "}")
                .statusCode(200)
                .extract()
                .jsonPath();
    }

    private static float[] vector(JsonPath answer, int index) {
        return floats(answer.getList("data[" + index + "].embedding", Float.class));
    }

    private static float[] floats(List<Float> numbers) {
        float[] vector = new float[numbers.size()];
        for (int i = 0; i < vector.length; i++) {
            vector[i] = numbers.get(i);
        }
        return vector;
    }

    private static double length(float[] vector) {
        return Math.sqrt(IntStream.range(0, vector.length)
                .mapToDouble(i -> vector[i] * vector[i])
                .sum());
    }

    @ParameterizedTest
    @ValueSource(strings = {"last", "mean"})
    void aTextBecomesAVectorOfLengthOne(String model) {
        JsonPath answer = embed("\"model\":\"" + model + "\",\"input\":\"Grüße und Küsse\"");
        assertEquals("list", answer.getString("object"));
        assertEquals(model, answer.getString("model"));
        assertEquals("embedding", answer.getString("data[0].object"));
        assertEquals(0, answer.getInt("data[0].index"));
        assertEquals(1, length(vector(answer, 0)), 1e-5);
        assertTrue(answer.getInt("usage.prompt_tokens") > 0);
        assertEquals(answer.getInt("usage.prompt_tokens"), answer.getInt("usage.total_tokens"));
    }

    @Test
    void inputsAreTextsOrTokensOrBoth() {
        List<Integer> tokens = post("/tokenize", "{\"content\":\"a text\"}")
                .statusCode(200)
                .extract()
                .jsonPath()
                .getList("tokens");
        JsonPath answer = embed("\"input\":[\"a text\"," + tokens + ",[\"a\",\" text\"],\"another text\"]");
        assertEquals(4, answer.getList("data").size());
        assertEquals(List.of(0, 1, 2, 3), answer.getList("data.index"));
        assertArrayEquals(vector(answer, 0), vector(answer, 1), 1e-5f);
        assertNotEquals(vector(answer, 0)[0], vector(answer, 3)[0]);
        assertArrayEquals(vector(answer, 0), vector(embed("\"input\":" + tokens), 0), 1e-5f);
    }

    @Test
    void equalInputsHaveEqualEmbeddingsWhateverIsBesideThem() {
        JsonPath answer = embed("\"input\":[\"a text\",\"another text\",\"a text\",\"one more\",\"a text\"]");
        assertEquals(List.of(0, 1, 2, 3, 4), answer.getList("data.index"));
        assertEquals(answer.getList("data[0].embedding"), answer.getList("data[2].embedding"));
        assertEquals(answer.getList("data[0].embedding"), answer.getList("data[4].embedding"));
        assertNotEquals(answer.getList("data[0].embedding"), answer.getList("data[3].embedding"));
        int alone = embed("\"input\":[\"another text\",\"one more\"]").getInt("usage.prompt_tokens");
        int text = embed("\"input\":\"a text\"").getInt("usage.prompt_tokens");
        assertEquals(alone + 3 * text, answer.getInt("usage.prompt_tokens"), "each counts");
    }

    @Test
    void moreInputsThanGoIntoAQueryKeepTheirOrder() {
        String inputs =
                IntStream.range(0, 130).mapToObj(i -> "\"text " + i + "\"").collect(Collectors.joining(","));
        JsonPath answer = embed("\"input\":[" + inputs + "]");
        assertEquals(130, answer.getList("data").size());
        for (int i : new int[] {0, 63, 64, 129}) {
            assertArrayEquals(vector(embed("\"input\":\"text " + i + "\""), 0), vector(answer, i), 1e-4f);
        }
    }

    @Test
    void base64HasTheSameNumbers() {
        float[] expected = vector(embed("\"input\":\"a text\""), 0);
        byte[] bytes = Base64.getDecoder()
                .decode(embed("\"input\":\"a text\",\"encoding_format\":\"base64\"")
                        .getString("data[0].embedding"));
        float[] decoded = new float[bytes.length / Float.BYTES];
        ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().get(decoded);
        assertArrayEquals(expected, decoded, 1e-6f);
    }

    @Test
    void theScaleIsChosenAsInLlamaServer() {
        float[] raw = vector(embed("\"input\":\"a text\",\"embd_normalize\":-1"), 0);
        assertNotEquals(1, length(raw), 1e-3);
        assertArrayEquals(
                new Normalization(0).of(raw), vector(embed("\"input\":\"a text\",\"embd_normalize\":0"), 0), 1f);
    }

    @Test
    void picturesAreEmbeddedInLlamaServersForm() {
        String picture = "{\"prompt_string\":\"What is this: <__media__>\",\"multimodal_data\":[\"" + IMAGE + "\"]}";
        JsonPath answer = post(
                        "/embeddings",
                        "{\"content\":[" + picture + "," + picture + ",{\"prompt_string\":\"What is this:\"}]}")
                .statusCode(200)
                .extract()
                .jsonPath();
        assertEquals(List.of(0, 1, 2), answer.getList("index"));
        assertEquals(1, answer.getList("[0].embedding").size());
        float[] first = floats(answer.getList("[0].embedding[0]", Float.class));
        assertEquals(answer.getList("[0].embedding[0]"), answer.getList("[1].embedding[0]"));
        assertTrue(TokenVectors.cosine(first, floats(answer.getList("[2].embedding[0]", Float.class))) < 0.99);
    }

    @Test
    void modelsSayWhetherTheyMakeEmbeddings() {
        given().get("/v1/models/last").then().body("capabilities", hasItem("embeddings"));
        post("/v1/embeddings", "{\"model\":\"none\",\"input\":\"a\"}")
                .statusCode(400)
                .body("error.code", equalTo("invalid_request"))
                .body("error.param", equalTo("model"))
                .body("error.message", containsString("pooling"));
        given().get("/v1/models/none").then().body("capabilities", not(hasItem("embeddings")));
    }

    @Test
    void aModelThatGeneratesIsNotPooledByItsFirstToken() {
        post("/v1/embeddings", "{\"model\":\"first\",\"input\":\"a\"}")
                .statusCode(503)
                .body("error.code", equalTo("model_failed"))
                .body("error.message", containsString("pool by last or mean"));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{}                                                   | input",
                "{\"input\":5}                                        | input",
                "{\"input\":[]}                                       | input",
                "{\"input\":\"\"}                                     | input",
                "{\"input\":[\"a\",5.5]}                              | input[1]",
                "{\"input\":[999999999]}                              | input",
                "{\"content\":[999999999]}                            | content",
                "{\"input\":\"a\",\"content\":\"a\"}                  | content",
                "{\"input\":\"a\",\"dimensions\":7}                   | dimensions",
                "{\"input\":\"a\",\"encoding_format\":\"hex\"}        | encoding_format",
                "{\"input\":\"a\",\"embd_normalize\":-2}              | embd_normalize"
            })
    void whatIsRefusedIsNamed(String body, String param) {
        post("/v1/embeddings", body)
                .statusCode(400)
                .body("error.code", equalTo("invalid_request"))
                .body("error.param", equalTo(param));
    }

    @Test
    void aTextBeyondTheContextIsRefused() {
        post("/v1/embeddings", "{\"input\":[\"a\",\"" + "word ".repeat(20_000) + "\"]}")
                .statusCode(400)
                .body("error.code", equalTo("context_length_exceeded"));
    }

    @Test
    void openAisClientGetsThem() {
        OpenAIClient client = OpenAIOkHttpClient.builder()
                .baseUrl(server.resolve("/v1").toString())
                .apiKey("none-needed")
                .maxRetries(0)
                .build();
        CreateEmbeddingResponse answer = client.embeddings()
                .create(EmbeddingCreateParams.builder()
                        .model("last")
                        .inputOfArrayOfStrings(List.of("a text", "another text"))
                        .build());
        assertEquals(2, answer.data().size());
        float[] expected = vector(embed("\"input\":\"another text\""), 0);
        List<Float> second = answer.data().get(1).embedding();
        assertEquals(expected.length, second.size());
        for (int i = 0; i < expected.length; i++) {
            assertEquals(expected[i], second.get(i), 1e-4f);
        }
        assertTrue(answer.usage().promptTokens() > 0);
    }
}
