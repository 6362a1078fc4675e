package dev.luq.openai.chat;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.luq.fuzz.FuzzTarget;
import dev.luq.http.errors.ApiException;
import dev.luq.http.intake.JsonBody;
import dev.luq.openai.generation.ValidRequest;
import dev.luq.protocol.Frames;
import dev.luq.protocol.ServerFrame;
import dev.luq.protocol.WorkerFrame.ModelInfo;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** The body of a chat request is refused with a 4xx, or becomes a frame that a worker reads as it was meant. */
public final class BodyFuzz implements FuzzTarget {

    private static final int MOST_BYTES = 1 << 16;
    private static final ModelInfo MODEL =
            new ModelInfo("Tiny", "qwen2vl", "F16", 1_000, 2_000, 16, 2048, 2048, 4, true, true, 64);
    private static final ObjectMapper JSON = new ObjectMapper();

    @Override
    public String name() {
        return "body";
    }

    @Override
    public List<byte[]> seeds() {
        String hello = "{\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]";
        return List.of(
                        hello + "}",
                        hello
                                + ",\"model\":\"m\",\"temperature\":0.5,\"top_p\":1,\"top_k\":3,\"min_p\":0.1,\"seed\":-1,\"n\":2,"
                                + "\"logit_bias\":{\"5\":-100},\"max_tokens\":5,\"stop\":[\"a\",\"b\"],\"logprobs\":true,"
                                + "\"top_logprobs\":3,\"stream\":true,\"stream_options\":{\"include_usage\":true},\"user\":\"u\"}",
                        hello
                                + ",\"response_format\":{\"type\":\"json_schema\",\"json_schema\":{\"name\":\"n\",\"schema\":"
                                + "{\"type\":\"object\",\"properties\":{\"a\":{\"$ref\":\"#\"}}}}}}",
                        hello
                                + ",\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\",\"description\":\"d\",\"parameters\":"
                                + "{\"type\":\"object\"},\"strict\":true}}],\"tool_choice\":{\"type\":\"function\",\"function\":"
                                + "{\"name\":\"f\"}},\"parallel_tool_calls\":false}",
                        "{\"messages\":[{\"role\":\"developer\",\"content\":\"x\"},{\"role\":\"user\",\"content\":[{\"type\":\"text\","
                                + "\"text\":\"\\ud800\"},{\"type\":\"image_url\",\"image_url\":{\"url\":\"data:image/png;base64,QQ==\","
                                + "\"detail\":\"low\"}},{\"type\":\"image_url\",\"image_url\":\"data:,\"}]},{\"role\":\"assistant\","
                                + "\"content\":null,\"tool_calls\":[{\"id\":\"1\",\"type\":\"function\",\"function\":{\"name\":\"f\","
                                + "\"arguments\":\"{}\"}}]},{\"role\":\"tool\",\"tool_call_id\":\"1\",\"content\":\"4\"}],\"n\":1e9}")
                .stream()
                .map(body -> body.getBytes(StandardCharsets.UTF_8))
                .toList();
    }

    @Override
    public void run(byte[] input) throws IOException {
        ValidRequest request;
        try {
            request = ChatValidation.of(
                    JsonBody.read(new ByteArrayInputStream(input), MOST_BYTES, ChatRequest.class), MODEL);
        } catch (ApiException refused) {
            int status = refused.error().status();
            assertTrue(status >= 400 && status < 500, "status " + status);
            return;
        }
        assertReadAsMeant(request.generate("id", 0, List.of()));
    }

    /** The chat of this frame is one, and a worker reads the frame that was written. */
    public static void assertReadAsMeant(ServerFrame.Generate frame) throws IOException {
        assertTrue(JSON.readTree(frame.chat()).path("messages").isArray(), "messages");
        assertTrue(StandardCharsets.UTF_8.newEncoder().canEncode(frame.chat()), "the chat is not UTF-8");
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        new Frames.Writer<>(ServerFrame.class, out).write(frame);
        assertEquals(
                frame,
                new Frames.Reader<>(ServerFrame.class, new ByteArrayInputStream(out.toByteArray()), out.size()).read());
    }
}
