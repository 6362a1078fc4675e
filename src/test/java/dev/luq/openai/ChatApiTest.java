package dev.luq.openai;

import static org.hamcrest.Matchers.contains;
import static org.hamcrest.Matchers.containsString;
import static org.hamcrest.Matchers.endsWith;
import static org.hamcrest.Matchers.equalTo;
import static org.hamcrest.Matchers.hasItems;
import static org.hamcrest.Matchers.hasKey;
import static org.hamcrest.Matchers.not;
import static org.hamcrest.Matchers.notNullValue;
import static org.hamcrest.Matchers.nullValue;
import static org.hamcrest.Matchers.startsWith;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.luq.Integration;
import dev.luq.openai.images.TestImages;
import dev.luq.protocol.WorkerFrame;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import io.smallrye.mutiny.Multi;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Answers, models and the description of the API. */
@Integration
@QuarkusTest
@TestProfile(ScriptedProfile.class)
class ChatApiTest extends ScriptedApi {

    @Test
    void anAnswer() {
        workers.script = request -> ScriptedWorkers.text(request, "Hello", " wörld");
        chat("").statusCode(200)
                .contentType("application/json")
                .header("x-request-id", notNullValue())
                .body("id", startsWith("chatcmpl-"))
                .body("object", equalTo("chat.completion"))
                .body("created", notNullValue())
                .body("model", equalTo("scripted"))
                .body("system_fingerprint", startsWith("b"))
                .body("choices.size()", equalTo(1))
                .body("choices[0].index", equalTo(0))
                .body("choices[0].message.role", equalTo("assistant"))
                .body("choices[0].message.content", equalTo("Hello wörld"))
                .body("choices[0].message", hasKey("refusal"))
                .body("choices[0].message", not(hasKey("tool_calls")))
                .body("choices[0]", hasKey("logprobs"))
                .body("choices[0].finish_reason", equalTo("stop"))
                .body("usage.prompt_tokens", equalTo(12))
                .body("usage.completion_tokens", equalTo(2))
                .body("usage.total_tokens", equalTo(14))
                .body("usage.prompt_tokens_details.cached_tokens", equalTo(3))
                .body("usage.prompt_tokens_details.text_tokens", equalTo(8))
                .body("usage.prompt_tokens_details.image_tokens", equalTo(4));
    }

    @ParameterizedTest
    @EnumSource(HttpClient.Version.class)
    void aLongAnswerComesWhole(HttpClient.Version version) throws Exception {
        String content = "wörld ".repeat(50_000);
        workers.script = request -> ScriptedWorkers.text(request, content);
        HttpResponse<String> answer = HttpClient.newBuilder()
                .version(version)
                .build()
                .send(
                        HttpRequest.newBuilder(server.resolve(CHAT))
                                .header("Content-Type", "application/json")
                                .header("Authorization", "Bearer " + ScriptedProfile.USER)
                                .POST(HttpRequest.BodyPublishers.ofString("{" + USER + "}"))
                                .build(),
                        HttpResponse.BodyHandlers.ofString());
        assertEquals(version, answer.version());
        assertEquals(
                "application/json", answer.headers().firstValue("Content-Type").orElseThrow());
        assertEquals(
                content,
                JSON.readTree(answer.body()).at("/choices/0/message/content").textValue());
    }

    @Test
    void severalChoices() {
        workers.script = request ->
                ScriptedWorkers.text(request, "seed " + request.sampling().seed());
        chat(",\"n\":3,\"seed\":7")
                .statusCode(200)
                .body("choices.index", contains(0, 1, 2))
                .body("choices.message.content", contains("seed 7", "seed 8", "seed 9"))
                .body("usage.prompt_tokens", equalTo(12))
                .body("usage.completion_tokens", equalTo(3));
        assertEquals(3, workers.requests.stream().map(r -> r.id()).distinct().count());
    }

    @Test
    void toolCalls() {
        workers.script = request -> Multi.createFrom()
                .items(
                        ScriptedWorkers.accepted(request),
                        ScriptedWorkers.toolCall(request, 0, "call_1", "look", "{\"a\""),
                        ScriptedWorkers.toolCall(request, 0, null, null, ":1}"),
                        ScriptedWorkers.toolCall(request, 1, "call_2", "see", "{}"),
                        ScriptedWorkers.finished(request, "tool_calls", 9));
        chat("").statusCode(200)
                .body("choices[0].message.content", nullValue())
                .body("choices[0].message.tool_calls.id", contains("call_1", "call_2"))
                .body("choices[0].message.tool_calls.type", contains("function", "function"))
                .body("choices[0].message.tool_calls.function.name", contains("look", "see"))
                .body("choices[0].message.tool_calls.function.arguments", contains("{\"a\":1}", "{}"))
                .body("choices[0].finish_reason", equalTo("tool_calls"));
    }

    @Test
    void thoughtsAreBesideTheContent() {
        workers.script = request -> Multi.createFrom()
                .items(
                        ScriptedWorkers.accepted(request),
                        new WorkerFrame.Delta(request.id(), null, "I ", null, null, 1),
                        new WorkerFrame.Delta(request.id(), null, "see.", null, null, 2),
                        ScriptedWorkers.delta(request, "Yes."),
                        ScriptedWorkers.finished(request, "stop", 3));
        chat("").statusCode(200)
                .body("choices[0].message.reasoning_content", equalTo("I see."))
                .body("choices[0].message.content", equalTo("Yes."));
        workers.script = request -> ScriptedWorkers.text(request, "Yes.");
        chat("").body("choices[0].message", not(hasKey("reasoning_content")));
    }

    @Test
    void logProbabilitiesAndTimings() {
        WorkerFrame.TokenLogprob other = new WorkerFrame.TokenLogprob(1, "Ho", -1.5, List.of(72, 111), null);
        workers.script = request -> Multi.createFrom()
                .items(
                        ScriptedWorkers.accepted(request),
                        new WorkerFrame.Delta(
                                request.id(),
                                "Hi",
                                null,
                                List.of(new WorkerFrame.TokenLogprob(2, "Hi", -0.5, List.of(72, 105), List.of(other))),
                                1),
                        ScriptedWorkers.finished(request, "length", 2));
        chat(",\"logprobs\":true,\"top_logprobs\":1,\"timings\":true")
                .statusCode(200)
                .body("choices[0].finish_reason", equalTo("length"))
                .body("choices[0].logprobs.content[0].token", equalTo("Hi"))
                .body("choices[0].logprobs.content[0].logprob", equalTo(-0.5f))
                .body("choices[0].logprobs.content[0].bytes", contains(72, 105))
                .body("choices[0].logprobs.content[0].top_logprobs[0].token", equalTo("Ho"))
                .body("choices[0].timings.predicted_per_second", equalTo(50f))
                .body("choices[0].timings.predicted_per_token_ms", equalTo(20f))
                .body("choices[0].timings.prompt_n", equalTo(9));
    }

    @Test
    void imagesReachTheWorkerAsPixels() {
        workers.script = request -> ScriptedWorkers.text(request, "ok");
        String image = "{\"type\":\"image_url\",\"image_url\":{\"url\":\"" + TestImages.png(6, 4) + "\"}}";
        chatOf(image, image).statusCode(200);
        assertEquals(2, workers.requests.get(0).images().size());
        assertEquals(6, workers.requests.get(0).images().get(0).width());
        assertEquals(6 * 4 * 3, workers.requests.get(0).images().get(1).rgb().length);
    }

    @Test
    void models() {
        request()
                .get("/v1/models")
                .then()
                .statusCode(200)
                .header("x-request-id", notNullValue())
                .body("object", equalTo("list"))
                .body("data.id", contains("scripted", "loading"))
                .body("data.object", contains("model", "model"))
                .body("data[0].created", notNullValue())
                .body("data[0].owned_by", equalTo("luq"))
                .body("data[0].capabilities", hasItems("chat", "vision", "tools"))
                .body("models[0].capabilities", contains("completion", "multimodal"))
                .body("data[0].luq.state", equalTo("ready"))
                .body("data[0].luq.bits_per_weight", equalTo(4.56f))
                .body("data[0].luq.bytes", equalTo(570))
                .body("data[0].luq.quantization", equalTo("Q4_K - Medium"))
                .body("data[0].luq.slots", equalTo(4))
                .body("data[1].luq.state", equalTo("loading"))
                .body("has_more", equalTo(false))
                .body("first_id", equalTo("scripted"))
                .body("last_id", equalTo("loading"))
                .body("data.type", contains("model", "model"))
                .body("data.display_name", contains("Scripted", "loading"))
                .body("data[0].created_at", endsWith("Z"));
        request().get("/v1/models/scripted").then().statusCode(200).body("id", equalTo("scripted"));
        assertError(request().get("/v1/models/other").then(), 404, "model_not_found");
        assertError(request().get("/v1/models/some/other").then(), 404, "model_not_found");
    }

    @Test
    void theDescriptionListsEveryPathAndField() {
        request()
                .get("/q/openapi")
                .then()
                .statusCode(200)
                .contentType(startsWith("application/yaml"))
                .body(containsString("openapi: 3"));
        request()
                .get("/q/openapi?format=json")
                .then()
                .statusCode(200)
                .contentType(startsWith("application/json"))
                .body("paths", hasKey("/v1/chat/completions"))
                .body("paths", hasKey("/v1/models"))
                .body("paths", hasKey("/v1/models/{id}"))
                .body(
                        "components.schemas.ChatCompletionRequest.properties.keySet()",
                        hasItems(
                                "model",
                                "messages",
                                "temperature",
                                "top_p",
                                "top_k",
                                "min_p",
                                "frequency_penalty",
                                "presence_penalty",
                                "repeat_penalty",
                                "seed",
                                "logit_bias",
                                "n",
                                "max_completion_tokens",
                                "max_tokens",
                                "stop",
                                "logprobs",
                                "top_logprobs",
                                "response_format",
                                "tools",
                                "tool_choice",
                                "parallel_tool_calls",
                                "stream",
                                "stream_options",
                                "cache_prompt",
                                "timings"))
                .body("components.schemas.ErrorDetail.required", hasItems("message", "type", "code"));
    }
}
