package dev.luq.openai.llamaserver;

import static dev.luq.Until.until;
import static io.restassured.RestAssured.given;
import static org.hamcrest.Matchers.contains;
import static org.hamcrest.Matchers.containsString;
import static org.hamcrest.Matchers.equalTo;
import static org.hamcrest.Matchers.everyItem;
import static org.hamcrest.Matchers.greaterThan;
import static org.hamcrest.Matchers.hasKey;
import static org.hamcrest.Matchers.not;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.luq.Integration;
import dev.luq.TinyAndBroken;
import dev.luq.openai.images.TestImages;
import dev.luq.serving.ModelWorker;
import dev.luq.serving.ModelWorkers;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import io.restassured.path.json.JsonPath;
import io.restassured.response.ValidatableResponse;
import jakarta.inject.Inject;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What llama-server has beside OpenAI's API, on a real worker with a model of random weights. */
@Integration
@QuarkusTest
@TestProfile(TinyAndBroken.class)
class LlamaServerApiTest {

    private static final JsonMapper JSON = new JsonMapper();
    private static final String IMAGE = TestImages.png(56, 56);
    private static final String TEXT = "Grüße, 語 and 🦊";

    @Inject
    ModelWorkers workers;

    @BeforeEach
    void waitUntilReady() {
        until("the model to be ready", () -> workers.find("tiny").orElseThrow().state() == ModelWorker.State.READY);
    }

    private static ValidatableResponse post(String path, String body) {
        return given().contentType("application/json").body(body).post(path).then();
    }

    private static JsonPath ask(String path, String body) {
        return post(path, body).statusCode(200).extract().jsonPath();
    }

    private static String messages(boolean withImage) {
        String picture = withImage ? "{\"type\":\"image_url\",\"image_url\":{\"url\":\"" + IMAGE + "\"}}," : "";
        return "\"messages\":[{\"role\":\"user\",\"content\":[" + picture
                + "{\"type\":\"text\",\"text\":\"Hi <|im_end|>\"}]}]";
    }

    @Test
    void aTextBecomesTokensAndATextAgain() {
        List<Integer> tokens =
                ask("/tokenize", "{\"content\":\"" + TEXT + "\"}").getList("tokens");
        assertTrue(tokens.size() > 5, tokens::toString);
        post("/detokenize", "{\"tokens\":" + tokens + "}").statusCode(200).body("content", equalTo(TEXT));
    }

    @Test
    void tokensComeWithTheirPieces() throws Exception {
        JsonNode tokens = JSON.readTree(post("/tokenize", "{\"content\":\"" + TEXT + "\",\"with_pieces\":true}")
                        .statusCode(200)
                        .extract()
                        .asString())
                .path("tokens");
        for (JsonNode token : tokens) {
            assertTrue(token.path("id").isInt(), token::toString);
            assertTrue(token.path("piece").isTextual() || token.path("piece").isArray(), token::toString);
            assertFalse(token.path("piece").isArray() && token.path("piece").isEmpty(), token::toString);
        }
    }

    @Test
    void aControlTokenIsOneTokenUnlessItIsText() {
        int parsed = ask("/tokenize", "{\"content\":\"<|im_end|>\"}")
                .getList("tokens")
                .size();
        int text = ask("/tokenize", "{\"content\":\"<|im_end|>\",\"parse_special\":false}")
                .getList("tokens")
                .size();
        assertEquals(1, parsed);
        assertTrue(text > 1, () -> text + " tokens");
    }

    @Test
    void textsAndTokensMayBeMixed() {
        List<Integer> a = ask("/tokenize", "{\"content\":\"a\"}").getList("tokens");
        List<Integer> mixed =
                ask("/tokenize", "{\"content\":[7,\"a\",8,9,\"\"]}").getList("tokens");
        assertEquals(List.of(7, a.get(0), 8, 9), mixed);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "/tokenize   | {}                            | content",
                "/tokenize   | {\"content\":5}               | content",
                "/tokenize   | {\"content\":[1.5]}           | content[0]",
                "/tokenize   | {\"content\":[999999999]}     | content",
                "/detokenize | {}                            | tokens",
                "/detokenize | {\"tokens\":[\"a\"]}          | tokens[0]",
                "/detokenize | {\"tokens\":[999999999]}      | tokens",
                "/completion | {\"prompt\":\"a\",\"mirostat\":2}      | mirostat",
                "/completion | {\"prompt\":\"a\",\"n_predict\":0}     | n_predict",
                "/completion | {\"prompt\":\"a\",\"n_probs\":21}      | n_probs",
                "/completion | {\"prompt\":[999999999]}               | prompt",
                "/completion | {\"prompt\":{\"prompt_string\":\"a\",\"multimodal_data\":[\"AAAA\"]}} | prompt.multimodal_data",
                "/completion | {\"prompt\":\"a\",\"grammar\":\"root\"} | grammar"
            })
    void whatIsRefusedIsNamed(String path, String body, String param) {
        post(path, body)
                .statusCode(400)
                .body("error.code", equalTo("invalid_request"))
                .body("error.param", equalTo(param));
    }

    @Test
    void aTextOfMoreThanAMebibyteIsRefused() {
        post("/tokenize", "{\"content\":\"" + "a".repeat((1 << 20) + 1) + "\"}")
                .statusCode(400)
                .body("error.param", equalTo("content"));
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void inputTokensAreThoseOfTheUsage(boolean withImage) {
        String request = "{" + messages(withImage) + ",\"max_tokens\":1}";
        int used = ask("/v1/chat/completions", request).getInt("usage.prompt_tokens");
        post("/v1/chat/completions/input_tokens", request)
                .statusCode(200)
                .body("object", equalTo("response.input_tokens"))
                .body("input_tokens", equalTo(used));
    }

    @Test
    void whatTheContextDoesNotHoldIsCounted() {
        String text = "word ".repeat(10_000);
        post("/v1/chat/completions/input_tokens", "{\"messages\":[{\"role\":\"user\",\"content\":\"" + text + "\"}]}")
                .statusCode(200)
                .body("input_tokens", greaterThan(10_000));
    }

    /** What the template wrote and what the user wrote look alike in a text; the completion endpoints parse both. */
    @Test
    void theTemplateIsApplied() {
        post("/apply-template", "{" + messages(true) + "}")
                .statusCode(200)
                .body("prompt", containsString("<|im_start|>user\n<__media__>Hi <|im_end|><|im_end|>"));
        post("/apply-template", "{\"messages\":[]}").statusCode(400).body("error.param", equalTo("messages"));
    }

    @Test
    void aCompletionSaysHowItWasMade() {
        post("/completion", "{\"prompt\":\"Once\",\"n_predict\":4,\"seed\":7,\"temperature\":0,\"id_slot\":1}")
                .statusCode(200)
                .body("stop", equalTo(true))
                .body("stop_type", equalTo("limit"))
                .body("stopping_word", equalTo(""))
                .body("truncated", equalTo(false))
                .body("tokens_predicted", equalTo(4))
                .body("tokens_evaluated", greaterThan(0))
                .body("tokens", equalTo(List.of()))
                .body("prompt", equalTo("Once"))
                .body("generation_settings.n_predict", equalTo(4))
                .body("generation_settings.seed", equalTo(7))
                .body("generation_settings.logit_bias", equalTo(List.of()))
                .body("generation_settings.ignore_eos", equalTo(false))
                .body("generation_settings.top_k", equalTo(40))
                .body("timings.predicted_n", equalTo(4))
                .body("$", not(hasKey("completion_probabilities")));
    }

    @Test
    void aBiasIsOfATokenOrOfATextsTokens() {
        String request = "{\"prompt\":\"Once\",\"n_predict\":2,\"temperature\":0,\"logit_bias\":";
        String unbiased = ask("/completion", request + "[]}").getString("content");
        for (String biases : List.of("[[\"no\",100],[5,false]]", "{\"no\":100,\"5\":false}")) {
            JsonPath answer = ask("/completion", request + biases + "}");
            assertNotEquals(unbiased, answer.getString("content"));
            assertEquals(
                    List.of(Map.of("token", 5, "bias", -100f), Map.of("text", "no", "bias", 100f)),
                    answer.getList("generation_settings.logit_bias"));
        }
        post("/completion", request + "[[\"7\",100]]}").statusCode(400).body("error.param", equalTo("logit_bias[0]"));
    }

    @Test
    void tokensThatEndAnAnswerAreBiasedWhereTheyAreIgnored() {
        JsonPath answer = ask("/completion", "{\"prompt\":\"Once\",\"n_predict\":2,\"ignore_eos\":true}");
        List<Map<String, Object>> biases = answer.getList("generation_settings.logit_bias");
        assertFalse(biases.isEmpty());
        assertTrue(biases.stream().allMatch(bias -> bias.containsKey("bias") && bias.get("bias") == null));
    }

    @Test
    void tokensArePromptsAsTheirTextIs() {
        List<Integer> tokens = ask("/tokenize", "{\"content\":\"Once upon\",\"add_special\":true}")
                .getList("tokens");
        JsonPath answers =
                ask("/completion", "{\"prompt\":[" + tokens + ",\"Once upon\"],\"temperature\":0,\"n_predict\":8}");
        assertEquals(answers.getString("[0].content"), answers.getString("[1].content"));
        assertEquals(tokens.size(), answers.getInt("[1].tokens_evaluated"));
        String openai = ask(
                        "/v1/completions", "{\"prompt\":" + tokens + ",\"temperature\":0,\"max_tokens\":8,\"min_p\":0}")
                .getString("choices[0].text");
        assertEquals(answers.getString("[0].content"), openai);
    }

    @Test
    void probabilitiesHaveTheIdsOfTheirTokens() {
        JsonPath answer = ask(
                "/completion",
                "{\"prompt\":\"a\",\"n_predict\":3,\"n_probs\":4,\"temperature\":0,\"return_tokens\":true}");
        assertEquals(answer.getList("tokens"), answer.getList("completion_probabilities.id"));
        assertEquals(
                4, answer.getList("completion_probabilities[0].top_logprobs").size());
        assertEquals(
                answer.getInt("completion_probabilities[0].id"),
                answer.getInt("completion_probabilities[0].top_logprobs[0].id"));
    }

    private static List<JsonNode> events(String request) throws Exception {
        List<JsonNode> events = new ArrayList<>();
        for (String line : post("/completions", "{" + request + ",\"stream\":true}")
                .statusCode(200)
                .extract()
                .asString()
                .split("\n")) {
            if (line.startsWith("data: ")) {
                events.add(JSON.readTree(line.substring(6)));
            }
        }
        return events;
    }

    @Test
    void aStreamTellsOfItsPromptAndItsTime() throws Exception {
        List<JsonNode> events =
                events("\"prompt\":\"Once\",\"n_predict\":3,\"return_progress\":true,\"timings_per_token\":true");
        JsonNode first = events.get(0);
        assertEquals(first.at("/prompt_progress/cache"), first.at("/prompt_progress/processed"));
        assertEquals(0, first.at("/timings/prompt_ms").doubleValue());
        JsonNode second = events.get(1);
        assertEquals(second.at("/prompt_progress/total"), second.at("/prompt_progress/processed"));
        assertTrue(second.at("/timings/prompt_ms").doubleValue() > 0, second::toString);
        assertTrue(events.get(2).at("/timings/predicted_n").intValue() > 0, () -> events.get(2)
                .toString());
    }

    @Test
    void aStreamIsTheSameTextInPieces() throws Exception {
        String request = "\"prompt\":\"Once\",\"n_predict\":20,\"temperature\":0";
        String whole = ask("/completion", "{" + request + "}").getString("content");
        StringBuilder content = new StringBuilder();
        List<JsonNode> events = events(request);
        int tokens = 0;
        for (JsonNode event : events) {
            content.append(event.path("content").textValue());
            tokens += event.path("tokens").size();
        }
        assertEquals(whole, content.toString());
        assertEquals(20, tokens);
        JsonNode last = events.get(events.size() - 1);
        assertTrue(last.path("stop").booleanValue());
        assertEquals("limit", last.path("stop_type").textValue());
        assertEquals(20, last.path("tokens_predicted").intValue());
    }

    @Test
    void onlyTheFieldsThatAreAskedForAreAnswered() {
        JsonPath answer = ask(
                "/completion",
                "{\"prompt\":\"a\",\"n_predict\":2,\"response_fields\":[\"prompt\",\"generation_settings/n_predict\"]}");
        assertEquals(2, answer.getMap("$").size());
        assertEquals(2, answer.getMap("$").get("generation_settings/n_predict"));
    }

    @Test
    void moreFieldsThanAResultHasAreRefused() {
        String fields = "[" + "\"prompt\",".repeat(64) + "\"prompt\"]";
        post("/completion", "{\"prompt\":\"a\",\"response_fields\":" + fields + "}")
                .statusCode(400)
                .body("error.param", equalTo("response_fields"));
    }

    @Test
    void aGrammarIsFollowed() {
        assertEquals(
                "abba",
                ask("/completion", "{\"prompt\":\"x\",\"grammar\":\"root ::= \\\"abba\\\"\"}")
                        .getString("content"));
        assertEquals(
                "eos",
                ask("/completion", "{\"prompt\":\"x\",\"grammar\":\"root ::= \\\"abba\\\"\"}")
                        .getString("stop_type"));
        String json = ask("/v1/completions", "{\"prompt\":\"x\",\"json_schema\":{\"enum\":[\"a\",\"b\"]}}")
                .getString("choices[0].text");
        assertTrue(List.of("\"a\"", "\"b\"").contains(json), json);
    }

    @Test
    void aRawPromptMayHaveImages() {
        String prompt = "{\"prompt_string\":\"<|vision_start|><__media__><|vision_end|>What?\",\"multimodal_data\":[\""
                + IMAGE.substring(IMAGE.indexOf(',') + 1) + "\"]}";
        int withImage = ask("/completion", "{\"prompt\":" + prompt + ",\"n_predict\":1}")
                .getInt("tokens_evaluated");
        int without =
                ask("/completion", "{\"prompt\":\"What?\",\"n_predict\":1}").getInt("tokens_evaluated");
        assertTrue(withImage > without + 3, () -> withImage + " and " + without);
    }

    @Test
    void anAnswerTellsItsPromptWhereItIsAskedTo() {
        String body = messages(false) + ",\"max_tokens\":2";
        String prompt = ask("/apply-template", "{" + body + "}").getString("prompt");
        post("/v1/chat/completions", "{" + body + ",\"verbose\":true}")
                .statusCode(200)
                .body("__verbose.prompt", equalTo(prompt));
        post("/v1/chat/completions", "{" + body + "}").statusCode(200).body("$", not(hasKey("__verbose")));
    }

    @Test
    void thePropertiesAreThoseOfTheModel() {
        given().get("/props")
                .then()
                .statusCode(200)
                .body("total_slots", equalTo(4))
                .body("model_alias", equalTo("tiny"))
                .body("modalities.vision", equalTo(true))
                .body("modalities.audio", equalTo(false))
                .body("chat_template", containsString("im_start"))
                .body("default_generation_settings.n_ctx", greaterThan(0))
                .body("default_generation_settings.params.temperature", equalTo(0.8f))
                .body("build_info", containsString("llama.cpp"))
                .body("model_path", equalTo("qwen2.5-vl-tiny-F16.gguf"));
        given().get("/props?model=unknown").then().statusCode(404);
        given().post("/props").then().statusCode(400).body("error.code", equalTo("unsupported_operation"));
    }

    @Test
    void theSlotsAreListed() {
        given().get("/slots")
                .then()
                .statusCode(200)
                .body("id", contains(0, 1, 2, 3))
                .body("is_processing", everyItem(equalTo(false)))
                .body("n_ctx", everyItem(greaterThan(0)));
        given().get("/slots?fail_on_no_slot=1").then().statusCode(200);
    }
}
