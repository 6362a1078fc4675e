package dev.luq.anthropic;

import dev.luq.fuzz.FuzzTarget;
import dev.luq.openai.chat.BodyFuzz;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.stream.Stream;

/** The body of a request to the Messages API is refused with a 4xx, or becomes a frame that a worker reads. */
public final class MessagesFuzz implements FuzzTarget {

    @Override
    public String name() {
        return "messages";
    }

    @Override
    public List<byte[]> seeds() {
        String hello = "{\"max_tokens\":9,\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]";
        return Stream.of(
                        hello + "}",
                        hello
                                + ",\"model\":\"m\",\"system\":[{\"type\":\"text\",\"text\":\"s\"}],\"temperature\":0.5,\"top_p\":1,"
                                + "\"top_k\":3,\"stop_sequences\":[\"a\"],\"stream\":true,\"metadata\":{\"user_id\":\"u\"}}",
                        hello
                                + ",\"tools\":[{\"type\":\"custom\",\"name\":\"f\",\"description\":\"d\",\"input_schema\":"
                                + "{\"type\":\"object\"},\"strict\":true}],\"tool_choice\":{\"type\":\"tool\",\"name\":\"f\","
                                + "\"disable_parallel_tool_use\":true}}",
                        hello
                                + ",\"output_config\":{\"format\":{\"type\":\"json_schema\",\"schema\":{\"type\":\"array\"}}}}",
                        "{\"max_tokens\":1,\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"image\",\"source\":"
                                + "{\"type\":\"base64\",\"media_type\":\"image/png\",\"data\":\"QQ==\"}},{\"type\":\"image\","
                                + "\"source\":{\"type\":\"url\",\"url\":\"x\"}},{\"type\":\"text\",\"text\":\"\\ud800\"}]},"
                                + "{\"role\":\"assistant\",\"content\":[{\"type\":\"thinking\",\"thinking\":\"t\"},"
                                + "{\"type\":\"redacted_thinking\"},{\"type\":\"tool_use\",\"id\":\"toolu_1\",\"name\":\"f\","
                                + "\"input\":{}}]},{\"role\":\"user\",\"content\":[{\"type\":\"tool_result\","
                                + "\"tool_use_id\":\"toolu_1\",\"content\":[{\"type\":\"text\",\"text\":\"a\"}],"
                                + "\"is_error\":true}]}]}")
                .map(body -> body.getBytes(StandardCharsets.UTF_8))
                .toList();
    }

    @Override
    public void run(byte[] input) throws IOException {
        BodyFuzz.check(input, MessagesRequest.class, body -> MessagesExchange.answering(body, "req_1")
                .validate(BodyFuzz.MODEL));
    }
}
