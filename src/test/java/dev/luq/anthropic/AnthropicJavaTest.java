package dev.luq.anthropic;

import static dev.luq.Until.until;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.anthropic.client.AnthropicClient;
import com.anthropic.client.okhttp.AnthropicOkHttpClient;
import com.anthropic.core.JsonValue;
import com.anthropic.core.http.StreamResponse;
import com.anthropic.errors.BadRequestException;
import com.anthropic.errors.NotFoundException;
import com.anthropic.helpers.MessageAccumulator;
import com.anthropic.models.ErrorType;
import com.anthropic.models.messages.Base64ImageSource;
import com.anthropic.models.messages.ContentBlockParam;
import com.anthropic.models.messages.Message;
import com.anthropic.models.messages.MessageCountTokensParams;
import com.anthropic.models.messages.MessageCreateParams;
import com.anthropic.models.messages.MessageTokensCount;
import com.anthropic.models.messages.RawMessageStreamEvent;
import com.anthropic.models.messages.StopReason;
import com.anthropic.models.messages.Tool;
import com.anthropic.models.messages.ToolChoiceTool;
import com.anthropic.models.messages.ToolUseBlock;
import com.anthropic.models.messages.UrlImageSource;
import com.anthropic.models.models.ModelInfo;
import com.anthropic.models.models.ModelListPage;
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
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * Anthropic's own client against the whole server: HTTP, worker process, llama.cpp and a tiny Qwen2.5-VL model of random
 * weights, whose answers make no sense but are always the same.
 */
@Integration
@QuarkusTest
@TestProfile(TinyAndBroken.class)
class AnthropicJavaTest {

    private static final int TOKENS = 8;

    @Inject
    ModelWorkers workers;

    @TestHTTPResource
    URI server;

    private AnthropicClient client;

    @BeforeEach
    void waitUntilReady() {
        ModelWorker worker = workers.find("tiny").orElseThrow();
        until("ready", () -> worker.state() == ModelWorker.State.READY);
        client = AnthropicOkHttpClient.builder()
                .baseUrl(server.toString().replaceFirst("/$", ""))
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
        ModelListPage page = client.models().list();
        assertEquals(
                List.of("tiny", "broken"),
                page.data().stream().map(ModelInfo::id).toList());
        assertFalse(page.hasNextPage());
        ModelInfo model = client.models().retrieve("little").validate();
        assertEquals("tiny", model.id());
        assertTrue(model.createdAt().getYear() > 2000);
    }

    @Test
    void aQuestionAboutAPicture() {
        Message answer = client.messages().create(aboutPicture(140, 140)).validate();
        assertEquals("tiny", answer.model().asString());
        assertTrue(answer.id().startsWith("msg_"));
        assertFalse(text(answer).isEmpty());
        assertEquals(StopReason.MAX_TOKENS, answer.stopReason().orElseThrow());
        assertEquals(TOKENS, answer.usage().outputTokens());
        // 140 x 140 pixels are 10 x 10 patches of 14, merged two by two.
        assertEquals(25, prompt(answer) - prompt(client.messages().create(withoutPicture())) - 2);
    }

    @Test
    void theStreamIsTheAnswerInPieces() {
        Message whole = client.messages().create(aboutPicture(56, 56));
        MessageAccumulator pieces = MessageAccumulator.create();
        try (StreamResponse<RawMessageStreamEvent> stream = client.messages().createStreaming(aboutPicture(56, 56))) {
            stream.stream().map(RawMessageStreamEvent::validate).forEach(pieces::accumulate);
        }
        assertEquals(text(whole), text(pieces.message()));
        assertEquals(StopReason.MAX_TOKENS, pieces.message().stopReason().orElseThrow());
        assertEquals(prompt(whole), prompt(pieces.message()));
        assertEquals(TOKENS, pieces.message().usage().outputTokens());
    }

    @Test
    void anAnswerContinuesTheAssistantsLastMessage() {
        MessageCreateParams prefilled = params().addUserMessage("What is it?")
                .addAssistantMessage("It is a")
                .build();
        Message answer = client.messages().create(prefilled);
        assertFalse(text(answer).startsWith("It is a"));
        assertTrue(prompt(answer) > prompt(client.messages().create(withoutPicture())));
    }

    @Test
    void aToolThatMustBeCalledIsCalled() {
        Message answer = client.messages()
                .create(params().maxTokens(200)
                        .addUserMessage("Paint it.")
                        .toolChoice(ToolChoiceTool.builder()
                                .name("paint")
                                .disableParallelToolUse(true)
                                .build())
                        .addTool(Tool.builder()
                                .name("paint")
                                .inputSchema(Tool.InputSchema.builder()
                                        .properties(Tool.InputSchema.Properties.builder()
                                                .putAdditionalProperty(
                                                        "color", JsonValue.from(Map.of("enum", List.of("red", "blue"))))
                                                .build())
                                        .addRequired("color")
                                        .putAdditionalProperty("additionalProperties", JsonValue.from(false))
                                        .build())
                                .build())
                        .build());
        assertEquals(StopReason.TOOL_USE, answer.stopReason().orElseThrow());
        ToolUseBlock call = answer.content().get(0).asToolUse();
        assertEquals("paint", call.name());
        assertTrue(
                List.of(JsonValue.from(Map.of("color", "red")), JsonValue.from(Map.of("color", "blue")))
                        .contains(call._input()),
                call.toString());
    }

    @Test
    void tokensAreCountedAsTheyAreUsed() {
        MessageTokensCount count = client.messages()
                .countTokens(MessageCountTokensParams.builder()
                        .model("tiny")
                        .addUserMessageOfContentBlockParams(
                                List.of(picture(140, 140), ContentBlockParam.ofText("What is it?")))
                        .build());
        assertEquals(prompt(client.messages().create(aboutPicture(140, 140))), count.inputTokens());
    }

    @Test
    void aStopSequenceIsNamed() {
        String whole = text(client.messages().create(withoutPicture()));
        String stop = whole.substring(whole.length() / 2, whole.length() / 2 + 3);
        Message stopped = client.messages()
                .create(params().addUserMessage("What is it?")
                        .stopSequences(List.of("never in it", stop))
                        .build());
        assertEquals(StopReason.STOP_SEQUENCE, stopped.stopReason().orElseThrow());
        assertEquals(stop, stopped.stopSequence().orElseThrow());
        assertEquals(whole.substring(0, whole.indexOf(stop)), stopped.content().isEmpty() ? "" : text(stopped));
    }

    @Test
    void errorsAreTheClientsExceptions() {
        NotFoundException unknown = assertThrows(NotFoundException.class, () -> client.messages()
                .create(params().model("other").addUserMessage("hi").build()));
        assertEquals(ErrorType.NOT_FOUND_ERROR, unknown.type().orElseThrow());
        assertTrue(unknown.requestId().orElseThrow().startsWith("req_"));

        BadRequestException image = assertThrows(BadRequestException.class, () -> client.messages()
                .create(about(ContentBlockParam.ofImage(UrlImageSource.builder()
                        .url("https://example.org/a.png")
                        .build()))));
        assertEquals(ErrorType.INVALID_REQUEST_ERROR, image.type().orElseThrow());

        MessageCreateParams tooLong =
                params().addUserMessage("word ".repeat(100_000)).build();
        for (boolean stream : new boolean[] {false, true}) {
            BadRequestException context = assertThrows(BadRequestException.class, () -> {
                if (stream) {
                    client.messages().createStreaming(tooLong).close();
                } else {
                    client.messages().create(tooLong);
                }
            });
            assertTrue(context.apiMessage().orElseThrow().startsWith("prompt is too long"), context.getMessage());
        }
    }

    private static String text(Message message) {
        return message.content().get(0).asText().text();
    }

    /** Tokens of the whole prompt. */
    private static long prompt(Message message) {
        return message.usage().inputTokens()
                + message.usage().cacheReadInputTokens().orElseThrow();
    }

    private static MessageCreateParams.Builder params() {
        return MessageCreateParams.builder()
                .model("tiny")
                .putAdditionalBodyProperty("temperature", JsonValue.from(0))
                .maxTokens(TOKENS);
    }

    private static MessageCreateParams withoutPicture() {
        return params().addUserMessage("What is it?").build();
    }

    private static MessageCreateParams aboutPicture(int width, int height) {
        return about(picture(width, height));
    }

    private static ContentBlockParam picture(int width, int height) {
        return ContentBlockParam.ofImage(Base64ImageSource.builder()
                .mediaType(Base64ImageSource.MediaType.IMAGE_PNG)
                .data(TestImages.png(width, height).replaceFirst(".*,", ""))
                .build());
    }

    private static MessageCreateParams about(ContentBlockParam image) {
        return params().addUserMessageOfContentBlockParams(List.of(image, ContentBlockParam.ofText("What is it?")))
                .build();
    }
}
