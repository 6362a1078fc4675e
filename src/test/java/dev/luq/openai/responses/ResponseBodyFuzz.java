package dev.luq.openai.responses;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.luq.fuzz.FuzzTarget;
import dev.luq.http.errors.ApiError;
import dev.luq.http.errors.ApiException;
import dev.luq.http.intake.JsonBody;
import dev.luq.openai.chat.BodyFuzz;
import dev.luq.openai.generation.ValidRequest;
import dev.luq.protocol.WorkerFrame.ModelInfo;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** The body of a request for a response is refused with a 4xx, or becomes a frame that a worker reads as it was meant. */
public final class ResponseBodyFuzz implements FuzzTarget {

    private static final int MOST_BYTES = 1 << 16;
    private static final ModelInfo MODEL =
            new ModelInfo("Tiny", "qwen2vl", "F16", 1_000, 2_000, 16, 2048, 2048, 4, true, true, 64, null);

    @Override
    public String name() {
        return "response-body";
    }

    @Override
    public List<byte[]> seeds() {
        return List.of(
                        "{\"input\":\"hi\",\"instructions\":\"be brief\",\"max_output_tokens\":5,\"temperature\":0.5,"
                                + "\"top_logprobs\":2,\"include\":[\"message.output_text.logprobs\"],\"metadata\":{\"a\":\"b\"}}",
                        "{\"input\":\"hi\",\"text\":{\"format\":{\"type\":\"json_schema\",\"name\":\"n\",\"schema\":"
                                + "{\"type\":\"object\",\"properties\":{\"a\":{\"pattern\":\"^a$\"}}}}}}",
                        "{\"input\":\"hi\",\"tools\":[{\"type\":\"function\",\"name\":\"f\",\"parameters\":"
                                + "{\"type\":\"object\"},\"strict\":true}],\"tool_choice\":{\"type\":\"allowed_tools\","
                                + "\"mode\":\"auto\",\"tools\":[{\"type\":\"function\",\"name\":\"f\"}]}}",
                        "{\"input\":[{\"role\":\"user\",\"content\":[{\"type\":\"input_text\",\"text\":\"\\ud800\"},"
                                + "{\"type\":\"input_image\",\"image_url\":\"data:image/png;base64,QQ==\",\"detail\":\"low\"}]},"
                                + "{\"type\":\"reasoning\",\"content\":[{\"type\":\"reasoning_text\",\"text\":\"hm\"}]},"
                                + "{\"type\":\"message\",\"role\":\"assistant\",\"content\":[{\"type\":\"output_text\","
                                + "\"text\":\"x\"}]},{\"type\":\"function_call\",\"call_id\":\"1\",\"name\":\"f\","
                                + "\"arguments\":\"{}\"},{\"type\":\"function_call_output\",\"call_id\":\"1\",\"output\":\"4\"}]}")
                .stream()
                .map(body -> body.getBytes(StandardCharsets.UTF_8))
                .toList();
    }

    @Override
    public void run(byte[] input) throws IOException {
        ValidRequest request;
        ResponseExchange exchange = null;
        try {
            exchange = new ResponseExchange(
                    JsonBody.read(new ByteArrayInputStream(input), MOST_BYTES, ResponseRequest.class));
            request = exchange.validate(MODEL);
        } catch (ApiException refused) {
            ApiError error =
                    exchange == null ? refused.error() : refused.error().named(exchange.fields());
            assertTrue(error.status() >= 400 && error.status() < 500, "status " + error.status());
            return;
        }
        BodyFuzz.assertReadAsMeant(request.generate("id", 0, List.of()));
    }
}
