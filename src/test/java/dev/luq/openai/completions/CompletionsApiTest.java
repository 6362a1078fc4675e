package dev.luq.openai.completions;

import static org.hamcrest.Matchers.contains;
import static org.hamcrest.Matchers.containsString;
import static org.hamcrest.Matchers.equalTo;
import static org.hamcrest.Matchers.nullValue;
import static org.hamcrest.Matchers.startsWith;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import dev.luq.Integration;
import dev.luq.openai.ScriptedApi;
import dev.luq.openai.ScriptedProfile;
import dev.luq.openai.ScriptedWorkers;
import dev.luq.protocol.PromptInput;
import dev.luq.protocol.PromptInput.Piece;
import dev.luq.protocol.ServerFrame;
import dev.luq.protocol.WorkerFrame;
import dev.luq.protocol.WorkerFrame.TokenLogprob;
import dev.luq.serving.WorkerException;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import io.restassured.response.ValidatableResponse;
import io.smallrye.mutiny.Multi;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Completions in OpenAI's form. */
@Integration
@QuarkusTest
@TestProfile(ScriptedProfile.class)
class CompletionsApiTest extends ScriptedApi {

    private static ValidatableResponse complete(String fields) {
        return request().body("{" + fields + "}").post("/v1/completions").then();
    }

    private static List<Piece> pieces(ServerFrame.Generate request) {
        return ((PromptInput.Raw) request.prompt()).pieces();
    }

    @Test
    void aPromptIsContinued() {
        workers.script = request -> ScriptedWorkers.text(request, " upon", " a time");
        complete("\"prompt\":\"Once\"")
                .statusCode(200)
                .contentType("application/json")
                .body("id", startsWith("cmpl-"))
                .body("object", equalTo("text_completion"))
                .body("model", equalTo("scripted"))
                .body("system_fingerprint", startsWith("b"))
                .body("choices.size()", equalTo(1))
                .body("choices[0].text", equalTo(" upon a time"))
                .body("choices[0].index", equalTo(0))
                .body("choices[0].logprobs", nullValue())
                .body("choices[0].finish_reason", equalTo("stop"))
                .body("usage.prompt_tokens", equalTo(12))
                .body("usage.completion_tokens", equalTo(2))
                .body("usage.total_tokens", equalTo(14));
        ServerFrame.Generate sent = workers.requests.get(0);
        assertEquals(List.of(new Piece.Text("Once")), pieces(sent));
        assertEquals(16, sent.maxTokens());
    }

    @Test
    void tokensAreAPrompt() {
        workers.script = request -> ScriptedWorkers.text(request, "x");
        complete("\"prompt\":[1,2,300]").statusCode(200);
        assertArrayEquals(
                new int[] {1, 2, 300},
                ((Piece.Tokens) pieces(workers.requests.get(0)).get(0)).tokens());
    }

    /** Choices of the first prompt come first; each prompt counts once, and choice i of each has the seed + i. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {"[\"a\",\"b\"]", "[[1],[2,3]]", "[\"a\",[4]]"})
    void severalPromptsAreAnsweredOneByOne(String prompts) {
        workers.script = request ->
                ScriptedWorkers.text(request, "seed " + request.sampling().seed());
        complete("\"prompt\":" + prompts + ",\"n\":2,\"seed\":7")
                .statusCode(200)
                .body("choices.index", contains(0, 1, 2, 3))
                .body("choices.text", contains("seed 7", "seed 8", "seed 7", "seed 8"))
                .body("usage.prompt_tokens", equalTo(24))
                .body("usage.completion_tokens", equalTo(4));
    }

    @Test
    void morePromptsThanSlotsAreAnswered() {
        workers.script = request -> ScriptedWorkers.text(request, "x");
        String prompts = "\"p\"" + ",\"p\"".repeat(99);
        complete("\"prompt\":[" + prompts + "]").statusCode(200).body("choices.size()", equalTo(100));
    }

    @Test
    void anEchoComesBeforeTheText() {
        workers.script = request -> ScriptedWorkers.text(request, " upon");
        complete("\"prompt\":[\"Once\",\"Twice\"],\"echo\":true")
                .statusCode(200)
                .body("choices.text", contains("Once upon", "Twice upon"));
        assertEquals("Once upon", text(events(complete("\"prompt\":\"Once\",\"echo\":true,\"stream\":true"))));
    }

    @Test
    void logProbabilitiesAreLists() {
        TokenLogprob other = new TokenLogprob(5, "Ho", -1.5, List.of(72, 111), List.of());
        workers.script = request -> Multi.createFrom()
                .items(
                        ScriptedWorkers.accepted(request),
                        new WorkerFrame.Delta(
                                request.id(),
                                "Hi",
                                null,
                                List.of(new TokenLogprob(4, "Hi", -0.5, List.of(72, 105), List.of(other))),
                                1),
                        new WorkerFrame.Delta(
                                request.id(),
                                "!",
                                null,
                                List.of(new TokenLogprob(6, "!", -0.25, List.of(33), List.of())),
                                2),
                        ScriptedWorkers.finished(request, "stop", 2));
        complete("\"prompt\":\"p\",\"logprobs\":1")
                .statusCode(200)
                .body("choices[0].logprobs.tokens", contains("Hi", "!"))
                .body("choices[0].logprobs.token_logprobs", contains(-0.5f, -0.25f))
                .body("choices[0].logprobs.text_offset", contains(0, 2))
                .body("choices[0].logprobs.top_logprobs[0].Ho", equalTo(-1.5f))
                .body("choices[0].logprobs.top_logprobs[0].Hi", equalTo(-0.5f));
        assertEquals(1, workers.requests.get(0).topLogprobs());
        List<JsonNode> chunks = events(complete("\"prompt\":\"p\",\"logprobs\":1,\"stream\":true"));
        assertEquals(2, chunks.get(1).at("/choices/0/logprobs/text_offset/0").intValue());
    }

    @Test
    void aStreamEndsWithItsReasonAndUsage() {
        workers.script = request -> ScriptedWorkers.text(request, " upon", " a time");
        ValidatableResponse answer =
                complete("\"prompt\":\"Once\",\"stream\":true,\"stream_options\":{\"include_usage\":true}");
        answer.statusCode(200).contentType(containsString("text/event-stream"));
        assertTrue(answer.extract().asString().endsWith("data: [DONE]\n\n"));
        List<JsonNode> chunks = events(answer);
        assertEquals(" upon a time", text(chunks));
        assertTrue(
                chunks.stream().allMatch(chunk -> chunk.path("object").asText().equals("text_completion")));
        JsonNode last = chunks.get(chunks.size() - 1);
        assertEquals(0, last.path("choices").size());
        assertEquals(12, last.at("/usage/prompt_tokens").intValue());
        assertEquals(
                "stop",
                chunks.get(chunks.size() - 2).at("/choices/0/finish_reason").textValue());
    }

    @Test
    void aStreamTellsOfItsPromptAndItsTimeWhenItIsAskedTo() {
        workers.script = request -> ScriptedWorkers.text(request, "a", "b");
        List<JsonNode> chunks = events(
                complete("\"prompt\":\"p\",\"stream\":true,\"return_progress\":true,\"timings_per_token\":true"));
        assertEquals(3, chunks.get(0).at("/prompt_progress/processed").intValue());
        assertEquals(12, chunks.get(1).at("/prompt_progress/processed").intValue());
        assertEquals(1, chunks.get(2).at("/timings/predicted_n").intValue());
        assertEquals(9, chunks.get(2).at("/timings/prompt_n").intValue());
        assertEquals("ab", text(chunks));
    }

    @Test
    void aGrammarOrASchemaIsFollowed() {
        workers.script = request -> ScriptedWorkers.text(request, "x");
        complete("\"prompt\":\"p\",\"grammar\":\"root ::= \\\"a\\\"\"").statusCode(200);
        complete("\"prompt\":\"p\",\"json_schema\":{\"type\":\"string\",\"pattern\":\"^a$\"}")
                .statusCode(200);
        complete("\"prompt\":\"p\",\"response_format\":{\"type\":\"json_object\"}")
                .statusCode(200);
        List<PromptInput.Constraint> constraints = workers.requests.stream()
                .map(request -> ((PromptInput.Raw) request.prompt()).constraint())
                .toList();
        assertEquals("root ::= \"a\"", constraints.get(0).grammar());
        assertEquals("json_schema", constraints.get(1).field());
        assertTrue(constraints.get(1).patterns().containsKey("^a$"), constraints::toString);
        assertEquals("{\"type\":\"object\"}", constraints.get(2).schema());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "\"suffix\":\"x\"                     | suffix",
                "\"best_of\":2                        | best_of",
                "\"chat_template_kwargs\":{\"a\":1}   | chat_template_kwargs",
                "\"reasoning_format\":\"deepseek\"    | reasoning_format",
                "\"logprobs\":6                       | logprobs",
                "\"logprobs\":1,\"echo\":true         | echo",
                "\"max_tokens\":0                     | max_tokens",
                "\"temperature\":3                    | temperature",
                "\"prompt\":null                      | prompt",
                "\"prompt\":[]                        | prompt",
                "\"prompt\":[1,-2]                    | prompt[1]",
                "\"prompt\":[[1],[2,{}]]              | prompt[1][1]",
                "\"prompt\":[1],\"echo\":true         | echo",
                "\"prompt\":true                      | prompt",
                "\"grammar\":\"root\",\"json_schema\":{} | grammar"
            })
    void whatIsRefusedIsNamed(String fields, String param) {
        String prompt = fields.contains("\"prompt\"") ? "" : "\"prompt\":\"p\",";
        assertError(complete(prompt + fields), 400, "invalid_request").body("error.param", equalTo(param));
    }

    @Test
    void whatIsEmptyOrEqualIsNotRefused() {
        workers.script = request -> ScriptedWorkers.text(request, "x");
        complete("\"prompt\":\"p\",\"suffix\":\"\",\"best_of\":2,\"n\":2,\"logprobs\":null")
                .statusCode(200);
    }

    @Test
    void thereIsABoundOfChoicesOfAllPromptsTogether() {
        String prompts = "\"prompt\":[" + "\"p\",".repeat(200) + "\"p\"]";
        assertError(complete(prompts + ",\"n\":2"), 400, "invalid_request").body("error.param", equalTo("n"));
        assertError(
                        request()
                                .body("{" + prompts + ",\"n\":2}")
                                .post("/completion")
                                .then(),
                        400,
                        "invalid_request")
                .body("error.param", equalTo("n"));
    }

    @Test
    void llamaServersNameOfTheLimitHolds() {
        workers.script = request -> ScriptedWorkers.text(request, "x");
        complete("\"prompt\":\"p\",\"n_predict\":100").statusCode(200);
        complete("\"prompt\":\"p\"").statusCode(200);
        assertEquals(
                List.of(100, 16),
                workers.requests.stream().map(ServerFrame.Generate::maxTokens).toList());
    }

    @Test
    void anErrorOfTheModelNamesThePrompt() {
        workers.script = request -> ScriptedWorkers.failing(
                new WorkerException.Rejected("context_length_exceeded", "Too long.", "messages"));
        assertError(complete("\"prompt\":\"p\""), 400, "context_length_exceeded")
                .body("error.param", equalTo("prompt"));
    }

    private static String text(List<JsonNode> chunks) {
        StringBuilder text = new StringBuilder();
        chunks.forEach(chunk -> text.append(chunk.at("/choices/0/text").asText("")));
        return text.toString();
    }

    private static List<JsonNode> events(ValidatableResponse answer) {
        List<JsonNode> events = new ArrayList<>();
        for (String line : answer.statusCode(200).extract().asString().split("\n")) {
            if (line.startsWith("data: {")) {
                try {
                    events.add(JSON.readTree(line.substring(6)));
                } catch (JsonProcessingException e) {
                    throw new AssertionError(line, e);
                }
            }
        }
        return events;
    }
}
