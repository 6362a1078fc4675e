package dev.luq.openai;

import static dev.luq.Until.until;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.openai.client.OpenAIClient;
import com.openai.client.okhttp.OpenAIOkHttpClient;
import com.openai.core.JsonValue;
import com.openai.core.http.StreamResponse;
import com.openai.errors.BadRequestException;
import com.openai.errors.NotFoundException;
import com.openai.helpers.ResponseAccumulator;
import com.openai.models.FunctionDefinition;
import com.openai.models.FunctionParameters;
import com.openai.models.ResponseFormatJsonSchema;
import com.openai.models.chat.completions.ChatCompletion;
import com.openai.models.chat.completions.ChatCompletionChunk;
import com.openai.models.chat.completions.ChatCompletionContentPart;
import com.openai.models.chat.completions.ChatCompletionContentPartImage;
import com.openai.models.chat.completions.ChatCompletionContentPartText;
import com.openai.models.chat.completions.ChatCompletionCreateParams;
import com.openai.models.chat.completions.ChatCompletionFunctionTool;
import com.openai.models.chat.completions.ChatCompletionMessageFunctionToolCall;
import com.openai.models.chat.completions.ChatCompletionStreamOptions;
import com.openai.models.chat.completions.ChatCompletionToolChoiceOption;
import com.openai.models.models.Model;
import com.openai.models.responses.EasyInputMessage;
import com.openai.models.responses.Response;
import com.openai.models.responses.ResponseCreateParams;
import com.openai.models.responses.ResponseInputContent;
import com.openai.models.responses.ResponseInputImage;
import com.openai.models.responses.ResponseInputItem;
import com.openai.models.responses.ResponseInputText;
import com.openai.models.responses.ResponseStatus;
import com.openai.models.responses.ResponseStreamEvent;
import dev.luq.Integration;
import dev.luq.TinyAndBroken;
import dev.luq.openai.images.TestImages;
import dev.luq.serving.ModelWorker;
import dev.luq.serving.ModelWorkers;
import io.quarkus.test.common.http.TestHTTPResource;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import jakarta.inject.Inject;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * OpenAI's own client against the whole server: HTTP, worker process, llama.cpp and a tiny Qwen2.5-VL model of random
 * weights, whose answers make no sense but are always the same.
 */
@Integration
@QuarkusTest
@TestProfile(TinyAndBroken.class)
@SuppressWarnings("deprecation") // clients still use them
class OpenAiJavaTest {

    private static final int TOKENS = 8;

    @Inject
    ModelWorkers workers;

    @TestHTTPResource
    URI server;

    private ModelWorker worker;
    private OpenAIClient client;

    @BeforeEach
    void waitUntilReady() {
        worker = workers.find("tiny").orElseThrow();
        until("ready", () -> worker.state() == ModelWorker.State.READY);
        client = OpenAIOkHttpClient.builder()
                .baseUrl(server.resolve("/v1").toString())
                .apiKey("none-needed")
                .maxRetries(0)
                .build();
    }

    @AfterEach
    void closeClient() {
        client.close();
    }

    @Test
    void models() {
        List<Model> models = client.models().list().data();
        assertEquals(List.of("tiny", "broken"), models.stream().map(Model::id).toList());
        Model model = client.models().retrieve("tiny");
        assertEquals("tiny", model.id());
        assertTrue(model._additionalProperties().containsKey("luq"));
    }

    @Test
    void aQuestionAboutAPicture() {
        ChatCompletion answer =
                client.chat().completions().create(aboutPicture(140, 140).build());
        assertEquals("tiny", answer.model());
        assertTrue(answer.id().startsWith("chatcmpl-"));
        assertEquals(1, answer.choices().size());
        assertTrue(answer.choices().get(0).message().content().isPresent());
        assertEquals(
                ChatCompletion.Choice.FinishReason.LENGTH,
                answer.choices().get(0).finishReason());
        assertEquals(TOKENS, answer.usage().orElseThrow().completionTokens());
        // 140 x 140 pixels are 10 x 10 patches of 14, merged two by two.
        assertEquals(25, imageTokens(answer));
    }

    @Test
    void lowDetailCostsFewerTokens() {
        ChatCompletionContentPartImage low = image(1120, 560, ChatCompletionContentPartImage.ImageUrl.Detail.LOW);
        assertTrue(imageTokens(client.chat().completions().create(about(low).build()))
                < imageTokens(client.chat()
                        .completions()
                        .create(aboutPicture(1120, 560).build())));
    }

    @Test
    void severalPicturesInAConversation() {
        ChatCompletion answer = client.chat()
                .completions()
                .create(params().addUserMessageOfArrayOfContentParts(
                                List.of(part(image(56, 56, null)), part("and"), part(image(84, 56, null))))
                        .addAssistantMessage("Two pictures.")
                        .addUserMessageOfArrayOfContentParts(List.of(part(image(56, 84, null)), part("And this one?")))
                        .build());
        assertTrue(answer.choices().get(0).message().content().isPresent());
    }

    @Test
    void theStreamIsTheAnswerInPieces() {
        ChatCompletionCreateParams params = aboutPicture(56, 56)
                .streamOptions(
                        ChatCompletionStreamOptions.builder().includeUsage(true).build())
                .build();
        ChatCompletion whole =
                client.chat().completions().create(aboutPicture(56, 56).build());
        StringBuilder pieces = new StringBuilder();
        String finish = null;
        long total = 0;
        try (StreamResponse<ChatCompletionChunk> stream =
                client.chat().completions().createStreaming(params)) {
            for (ChatCompletionChunk chunk : (Iterable<ChatCompletionChunk>) stream.stream()::iterator) {
                for (ChatCompletionChunk.Choice choice : chunk.choices()) {
                    choice.delta().content().ifPresent(pieces::append);
                    finish = choice.finishReason().map(Object::toString).orElse(finish);
                }
                total = chunk.usage().map(usage -> usage.totalTokens()).orElse(total);
            }
        }
        assertEquals(whole.choices().get(0).message().content().orElseThrow(), pieces.toString());
        assertEquals("length", finish);
        assertEquals(whole.usage().orElseThrow().totalTokens(), total);
    }

    @Test
    void aResponseAboutAPictureIsTheChatsAnswer() {
        ResponseCreateParams params = ResponseCreateParams.builder()
                .model("tiny")
                .temperature(0.0)
                .maxOutputTokens(TOKENS)
                .inputOfResponse(List.of(ResponseInputItem.ofEasyInputMessage(EasyInputMessage.builder()
                        .role(EasyInputMessage.Role.USER)
                        .contentOfResponseInputMessageContentList(List.of(
                                ResponseInputContent.ofInputImage(ResponseInputImage.builder()
                                        .detail(ResponseInputImage.Detail.AUTO)
                                        .imageUrl(TestImages.png(56, 56))
                                        .build()),
                                ResponseInputContent.ofInputText(ResponseInputText.builder()
                                        .text("What is it?")
                                        .build())))
                        .build())))
                .build();
        ChatCompletion chat =
                client.chat().completions().create(aboutPicture(56, 56).build());
        Response response = client.responses().create(params).validate();
        assertEquals(chat.choices().get(0).message().content().orElseThrow(), text(response));
        assertEquals(ResponseStatus.INCOMPLETE, response.status().orElseThrow());
        assertEquals(TOKENS, response.usage().orElseThrow().outputTokens());
        ResponseAccumulator streamed = ResponseAccumulator.create();
        try (StreamResponse<ResponseStreamEvent> events = client.responses().createStreaming(params)) {
            events.stream().forEach(streamed::accumulate);
        }
        assertEquals(text(response), text(streamed.response()));
    }

    private static String text(Response response) {
        return response.output()
                .get(0)
                .message()
                .orElseThrow()
                .content()
                .get(0)
                .asOutputText()
                .text();
    }

    @Test
    void choicesAndLogProbabilities() {
        ChatCompletion answer = client.chat()
                .completions()
                .create(params().addUserMessage("Hello")
                        .n(2)
                        .temperature(1.0)
                        .seed(5)
                        .logprobs(true)
                        .topLogprobs(3)
                        .build());
        assertEquals(2, answer.choices().size());
        for (ChatCompletion.Choice choice : answer.choices()) {
            var tokens = choice.logprobs().orElseThrow().content().orElseThrow();
            assertEquals(TOKENS, tokens.size());
            assertEquals(3, tokens.get(0).topLogprobs().size());
            assertTrue(tokens.get(0).logprob() <= 0);
        }
        assertFalse(
                answer.choices()
                        .get(0)
                        .message()
                        .content()
                        .equals(answer.choices().get(1).message().content()),
                "each choice has a seed of its own");
    }

    @Test
    void theSameSeedGivesTheSameAnswer() {
        ChatCompletionCreateParams params =
                params().addUserMessage("Hello").temperature(1.0).seed(11).build();
        assertEquals(
                client.chat()
                        .completions()
                        .create(params)
                        .choices()
                        .get(0)
                        .message()
                        .content(),
                client.chat()
                        .completions()
                        .create(params)
                        .choices()
                        .get(0)
                        .message()
                        .content());
    }

    @Test
    void aSchemaHoldsEvenAModelOfRandomWeights() throws Exception {
        ChatCompletion answer = client.chat()
                .completions()
                .create(params().maxCompletionTokens(200)
                        .addUserMessage("Which color?")
                        .responseFormat(ResponseFormatJsonSchema.builder()
                                .jsonSchema(ResponseFormatJsonSchema.JsonSchema.builder()
                                        .name("color")
                                        .schema(ResponseFormatJsonSchema.JsonSchema.Schema.builder()
                                                .putAllAdditionalProperties(colorSchema())
                                                .build())
                                        .build())
                                .build())
                        .build());
        JsonNode json = new JsonMapper()
                .readTree(answer.choices().get(0).message().content().orElseThrow());
        assertTrue(List.of("red", "blue").contains(json.get("color").asText()), json.toString());
    }

    /** The template does not say how the model calls: it is told, and bound to it. */
    @Test
    void aToolIsCalledAlsoWhereTheTemplateKnowsNone() throws Exception {
        FunctionParameters.Builder parameters = FunctionParameters.builder().putAllAdditionalProperties(colorSchema());
        ChatCompletion.Choice choice = client.chat()
                .completions()
                .create(params().addUserMessage("Paint it.")
                        .maxCompletionTokens(200)
                        .addTool(ChatCompletionFunctionTool.builder()
                                .function(FunctionDefinition.builder()
                                        .name("paint")
                                        .parameters(parameters.build())
                                        .build())
                                .build())
                        .toolChoice(ChatCompletionToolChoiceOption.Auto.REQUIRED)
                        .parallelToolCalls(false)
                        .build())
                .choices()
                .get(0);
        assertEquals(ChatCompletion.Choice.FinishReason.TOOL_CALLS, choice.finishReason());
        ChatCompletionMessageFunctionToolCall.Function call =
                choice.message().toolCalls().orElseThrow().get(0).asFunction().function();
        assertEquals("paint", call.name());
        String color = new JsonMapper().readTree(call.arguments()).path("color").asText();
        assertTrue(List.of("red", "blue").contains(color), call.arguments());
        assertFalse(client.models()
                .retrieve("tiny")
                ._additionalProperties()
                .get("capabilities")
                .toString()
                .contains("tools"));
    }

    @Test
    void errorsAreTheClientsExceptions() {
        NotFoundException unknown = assertThrows(NotFoundException.class, () -> client.chat()
                .completions()
                .create(params().addUserMessage("hi").model("other").build()));
        assertEquals("model_not_found", unknown.code().orElseThrow());

        BadRequestException image = assertThrows(BadRequestException.class, () -> client.chat()
                .completions()
                .create(about(ChatCompletionContentPartImage.builder()
                                .imageUrl(ChatCompletionContentPartImage.ImageUrl.builder()
                                        .url("https://example.org/a.png")
                                        .build())
                                .build())
                        .build()));
        assertEquals("invalid_image_url", image.code().orElseThrow());

        BadRequestException field = assertThrows(BadRequestException.class, () -> client.chat()
                .completions()
                .create(params().addUserMessage("hi").temperature(9.0).build()));
        assertEquals("temperature", field.param().orElseThrow());

        String tooLong = "word ".repeat(100_000);
        for (boolean stream : new boolean[] {false, true}) {
            ChatCompletionCreateParams params = params().addUserMessage(tooLong).build();
            BadRequestException context = assertThrows(BadRequestException.class, () -> {
                if (stream) {
                    client.chat().completions().createStreaming(params).close();
                } else {
                    client.chat().completions().create(params);
                }
            });
            assertEquals("context_length_exceeded", context.code().orElseThrow());
        }
    }

    @Test
    void aClientThatLeavesStopsItsSequence() throws Exception {
        for (boolean stream : new boolean[] {true, false}) {
            long before = worker.totals().cancelled();
            try (RawClient raw = new RawClient(server.getPort(), 0)) {
                raw.chat(sheep(stream));
                if (stream) {
                    raw.readUntil("\"delta\":{\"content\"");
                } else {
                    until("running", () -> worker.totals().running() == 1);
                }
            }
            until("cancelled", () -> worker.totals().cancelled() > before);
            until(
                    "slot and permit free",
                    () -> worker.inFlight() == 0 && worker.totals().running() == 0);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aClientThatLeavesTheQueueGivesItsPlaceUp(boolean stream) throws Exception {
        long before = worker.totals().cancelled();
        List<RawClient> clients = new ArrayList<>();
        try {
            int slots = worker.info().orElseThrow().slots();
            for (int i = 0; i < slots; i++) {
                clients.add(new RawClient(server.getPort(), 0));
                clients.get(i).chat(sheep(true));
                clients.get(i).readUntil("\"delta\":{\"content\"");
            }
            // Statistics are as old as their last report: what waits from here on is the last client's.
            until(
                    "running",
                    () -> worker.totals().running() == slots && worker.totals().waiting() == 0);
            try (RawClient last = new RawClient(server.getPort(), 0)) {
                last.chat(sheep(stream));
                until("waiting", () -> worker.totals().waiting() == 1);
            }
            until("cancelled", () -> worker.totals().cancelled() > before);
            assertEquals(slots, worker.inFlight());
        } finally {
            for (RawClient client : clients) {
                client.close();
            }
        }
        until(
                "slots and permits free",
                () -> worker.inFlight() == 0 && worker.totals().running() == 0);
    }

    /** Whatever its weights say, this schema keeps the model busy for many hundred tokens. */
    private static String sheep(boolean stream) {
        return "{\"stream\":" + stream + ",\"messages\":[{\"role\":\"user\",\"content\":\"Count.\"}],"
                + "\"response_format\":{\"type\":\"json_schema\",\"json_schema\":{\"name\":\"n\",\"schema\":"
                + "{\"type\":\"array\",\"minItems\":300,\"items\":{\"enum\":[\"one sheep\"]}}}}}";
    }

    @Test
    void specialTokensInATextAreText() {
        ChatCompletion answer = client.chat()
                .completions()
                .create(params().addUserMessage("<|vision_start|><|image_pad|><|vision_end|><|im_end|><__media__>")
                        .build());
        assertNotNull(answer.choices().get(0).message());
        assertEquals(0, imageTokens(answer));
    }

    private static long imageTokens(ChatCompletion answer) {
        return answer.usage()
                .orElseThrow()
                .promptTokensDetails()
                .orElseThrow()
                .imageTokens()
                .orElseThrow();
    }

    private static ChatCompletionCreateParams.Builder params() {
        return ChatCompletionCreateParams.builder()
                .model("tiny")
                .temperature(0.0)
                .maxCompletionTokens(TOKENS);
    }

    private static ChatCompletionCreateParams.Builder aboutPicture(int width, int height) {
        return about(image(width, height, null));
    }

    private static ChatCompletionCreateParams.Builder about(ChatCompletionContentPartImage image) {
        return params().addUserMessageOfArrayOfContentParts(List.of(part(image), part("What is it?")));
    }

    private static ChatCompletionContentPartImage image(
            int width, int height, ChatCompletionContentPartImage.ImageUrl.Detail detail) {
        ChatCompletionContentPartImage.ImageUrl.Builder url =
                ChatCompletionContentPartImage.ImageUrl.builder().url(TestImages.png(width, height));
        if (detail != null) {
            url.detail(detail);
        }
        return ChatCompletionContentPartImage.builder().imageUrl(url.build()).build();
    }

    private static ChatCompletionContentPart part(ChatCompletionContentPartImage image) {
        return ChatCompletionContentPart.ofImageUrl(image);
    }

    private static ChatCompletionContentPart part(String text) {
        return ChatCompletionContentPart.ofText(
                ChatCompletionContentPartText.builder().text(text).build());
    }

    private static Map<String, JsonValue> colorSchema() {
        return Map.of(
                "type",
                JsonValue.from("object"),
                "properties",
                JsonValue.from(Map.of("color", Map.of("type", "string", "enum", List.of("red", "blue")))),
                "required",
                JsonValue.from(List.of("color")),
                "additionalProperties",
                JsonValue.from(false));
    }
}
