package dev.luq.bench.soak;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Random;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The requests of one client, one after the other, the same for the same seed. For one thread. */
final class RandomAsks {

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Kind[] KINDS = Kind.values();
    private static final int WEIGHTS =
            Arrays.stream(KINDS).mapToInt(Kind::weight).sum();
    private static final int LONGEST_ANSWER = 32;
    /** A question that everybody asks: it is there whenever a worker dies, and no reason for it. */
    static final String COMMON_QUESTION = "What color is grass?";

    private static final List<String> WORDS = List.of(
            "red",
            "circle",
            "what",
            "is",
            "the",
            "value",
            "of",
            "left",
            "grün",
            "ring",
            "日本",
            "sum",
            "🦊",
            "e\u0301",
            "<|im_end|>",
            "<__media__>",
            "\"",
            "\\",
            "\u0000",
            "\n",
            "{}",
            "heart",
            "1e9");
    private static final List<String> BAD_FIELDS = List.of(
            "\"temperature\":3",
            "\"temperature\":\"hot\"",
            "\"top_p\":-1",
            "\"n\":0",
            "\"n\":1e9",
            "\"n\":1.5",
            "\"max_tokens\":-1",
            "\"stop\":5",
            "\"stop\":[1]",
            "\"logit_bias\":{\"a\":1}",
            "\"top_logprobs\":5",
            "\"logprobs\":true,\"top_logprobs\":21",
            "\"response_format\":{\"type\":\"yaml\"}",
            "\"response_format\":[]",
            "\"tools\":\"none\"",
            "\"tools\":[{\"type\":\"function\"}]",
            "\"tool_choice\":\"maybe\"",
            "\"stream\":\"yes\"",
            "\"seed\":\"a\"",
            "\"presence_penalty\":2.1",
            "\"repeat_penalty\":0",
            "\"messages\":[{\"role\":\"wizard\",\"content\":\"hi\"}]",
            "\"messages\":[]",
            "\"messages\":\"hi\"",
            "\"messages\":[{\"role\":\"user\",\"content\":5}]");
    private static final List<String> LOOKS =
            List.of("/v1/models", "/health", "/metrics", "/q/health/live", "/q/openapi");

    private final Random random;
    private final Pictures pictures;

    RandomAsks(long seed, Pictures pictures) {
        this.random = new Random(seed);
        this.pictures = pictures;
    }

    Ask next() {
        return ask(kind());
    }

    /** How many milliseconds the client waits, evenly spread up to this. */
    int pause(int most) {
        return random.nextInt(most + 1);
    }

    private Kind kind() {
        int left = random.nextInt(WEIGHTS);
        for (Kind kind : KINDS) {
            left -= kind.weight();
            if (left < 0) {
                return kind;
            }
        }
        throw new AssertionError("weights");
    }

    Ask ask(Kind kind) {
        return switch (kind) {
            case TEXT -> chat(kind, question().put("stream", false), 0);
            case STREAM -> chat(kind, streamed(), 0);
            case PICTURE -> chat(kind, aboutPictures(), 0);
            case TOOLS -> chat(kind, withTools(), 0);
            case SCHEMA -> chat(kind, withSchema(), 0);
            case LOOK -> Ask.of(kind, "GET " + one(LOOKS), "", new byte[0], 0);
            case BROKEN_JSON -> Ask.chat(kind, brokenJson(), 0);
            case BAD_FIELD -> Ask.chat(kind, badField(), 0);
            case BAD_PICTURE -> chat(kind, aboutUrl(badUrl()), 0);
            case TOO_LONG -> chat(kind, asking("word ".repeat(20_000 + random.nextInt(100_000))), 0);
            case BAD_HTTP -> badHttp();
            case DRIPPING -> chat(kind, question(), 20 + random.nextInt(60));
            case SLOW_READER ->
                chat(kind, streamed().put("logprobs", true).put("top_logprobs", 20), 10 + random.nextInt(40));
            case UNFINISHED -> chat(kind, aboutPictures(), 500 + random.nextInt(4_000));
            case LEAVING -> chat(kind, random.nextBoolean() ? streamed() : aboutPictures(), random.nextInt(1_500));
        };
    }

    private static Ask chat(Kind kind, ObjectNode request, int patience) {
        return Ask.chat(kind, request.toString().getBytes(StandardCharsets.UTF_8), patience);
    }

    private ObjectNode question() {
        return asking(
                random.nextInt(12) == 0
                        ? COMMON_QUESTION
                        : words(1 + random.nextInt(random.nextInt(20) == 0 ? 300 : 30)));
    }

    private ObjectNode asking(String text) {
        ObjectNode request = sampled();
        request.putArray("messages").addObject().put("role", "user").put("content", text);
        return request;
    }

    private ObjectNode streamed() {
        ObjectNode request = question().put("stream", true);
        if (random.nextBoolean()) {
            request.putObject("stream_options").put("include_usage", true);
        }
        return request;
    }

    private ObjectNode sampled() {
        ObjectNode request = JSON.createObjectNode().put("max_tokens", 1 + random.nextInt(LONGEST_ANSWER));
        if (random.nextBoolean()) {
            request.put("temperature", random.nextInt(21) / 10.0)
                    .put("top_p", random.nextInt(11) / 10.0)
                    .put("seed", random.nextInt());
        }
        if (random.nextInt(4) == 0) {
            request.put("n", 1 + random.nextInt(3)).put("stop", "x").put("repeat_penalty", 1.1);
        }
        if (random.nextInt(4) == 0) {
            request.put("logprobs", true).put("top_logprobs", random.nextInt(21));
        }
        return request;
    }

    private ObjectNode aboutPictures() {
        int count = 1 + random.nextInt(3);
        return about(Stream.generate(() -> dataUrl(pictures.any(random)))
                        .limit(count)
                        .toList())
                .put("stream", random.nextBoolean());
    }

    private ObjectNode aboutUrl(String url) {
        return about(List.of(url));
    }

    private ObjectNode about(List<String> urls) {
        ObjectNode request = sampled();
        ArrayNode content =
                request.putArray("messages").addObject().put("role", "user").putArray("content");
        for (String url : urls) {
            content.addObject()
                    .put("type", "image_url")
                    .putObject("image_url")
                    .put("url", url)
                    .put("detail", random.nextBoolean() ? "low" : "high");
        }
        content.addObject().put("type", "text").put("text", words(8));
        return request;
    }

    private static String dataUrl(byte[] picture) {
        return "data:image/png;base64," + Base64.getEncoder().encodeToString(picture);
    }

    private ObjectNode withTools() {
        ObjectNode request = question();
        request.remove("n");
        ArrayNode tools = request.put("stream", random.nextBoolean()).putArray("tools");
        for (int i = 0; i <= random.nextInt(3); i++) {
            ObjectNode function = tools.addObject()
                    .put("type", "function")
                    .putObject("function")
                    .put("name", "tool_" + i);
            function.put("description", "Does a thing").set("parameters", schema(2));
        }
        return request.put("tool_choice", random.nextBoolean() ? "auto" : "required");
    }

    private ObjectNode withSchema() {
        ObjectNode request = question();
        request.put("stream", false)
                .putObject("response_format")
                .put("type", "json_schema")
                .putObject("json_schema")
                .put("name", "thing")
                .set("schema", schema(3));
        return request;
    }

    private ObjectNode schema(int depth) {
        ObjectNode schema = JSON.createObjectNode().put("type", "object").put("additionalProperties", false);
        ObjectNode properties = schema.putObject("properties");
        ArrayNode required = schema.putArray("required");
        for (int i = 0; i <= random.nextInt(4); i++) {
            required.add("p" + i);
            switch (random.nextInt(depth > 0 ? 5 : 4)) {
                case 0 -> properties.putObject("p" + i).put("type", "integer");
                case 1 -> properties.putObject("p" + i).put("type", "string").put("maxLength", 5);
                case 2 ->
                    properties
                            .putObject("p" + i)
                            .putArray("enum")
                            .add("a")
                            .add(1)
                            .addNull();
                case 3 ->
                    properties
                            .putObject("p" + i)
                            .put("type", "array")
                            .put("maxItems", 3)
                            .putObject("items")
                            .put("type", "boolean");
                default -> properties.set("p" + i, schema(depth - 1));
            }
        }
        return schema;
    }

    private byte[] brokenJson() {
        byte[] good = question().toString().getBytes(StandardCharsets.UTF_8);
        return switch (random.nextInt(4)) {
            case 0 -> Arrays.copyOf(good, random.nextInt(good.length));
            case 1 -> "[".repeat(1 + random.nextInt(20_000)).getBytes(StandardCharsets.US_ASCII);
            case 2 -> {
                good[random.nextInt(good.length)] = (byte) 0xFF; // in no UTF-8 text
                yield good;
            }
            default -> {
                byte[] noise = new byte[1 + random.nextInt(500)];
                random.nextBytes(noise);
                noise[0] = '{';
                yield noise;
            }
        };
    }

    private byte[] badField() {
        String bad = one(BAD_FIELDS);
        String messages =
                bad.startsWith("\"messages\"") ? "" : ",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]";
        return ("{" + bad + messages + "}").getBytes(StandardCharsets.UTF_8);
    }

    private String badUrl() {
        byte[] picture = pictures.any(random);
        return switch (random.nextInt(6)) {
            case 0 -> "http://169.254.169.254/latest/meta-data";
            case 1 -> "file:///etc/passwd";
            case 2 -> "data:image/png;base64,!" + words(3);
            case 3 -> dataUrl(Arrays.copyOf(picture, 1 + random.nextInt(picture.length)));
            case 4 -> dataUrl(damaged(picture));
            default -> dataUrl(pictures.bomb());
        };
    }

    private byte[] damaged(byte[] picture) {
        byte[] damaged = picture.clone();
        for (int i = 0; i < 1 + damaged.length / 50; i++) {
            damaged[random.nextInt(damaged.length)] = (byte) random.nextInt();
        }
        return damaged;
    }

    private Ask badHttp() {
        byte[] none = {};
        byte[] body = question().toString().getBytes(StandardCharsets.UTF_8);
        String json = "Content-Type: application/json\r\n";
        return switch (random.nextInt(6)) {
            case 0 -> Ask.of(Kind.BAD_HTTP, "GET /v1/nothing", "", none, 0);
            case 1 -> Ask.of(Kind.BAD_HTTP, "GET /v1/chat/completions", "", none, 0);
            case 2 ->
                Ask.of(
                        Kind.BAD_HTTP,
                        "POST /v1/chat/completions",
                        "Content-Type: text/plain\r\nContent-Length: " + body.length + "\r\n",
                        body,
                        0);
            case 3 ->
                Ask.of(Kind.BAD_HTTP, "POST /v1/chat/completions", json + "Content-Length: 99999999999\r\n", none, 0);
            case 4 ->
                Ask.of(
                        Kind.BAD_HTTP,
                        "GET /v1/models",
                        "X-Long: " + "x".repeat(30_000 + random.nextInt(100_000)) + "\r\n",
                        none,
                        0);
            default -> Ask.of(Kind.BAD_HTTP, words(3).replaceAll("[^a-z ]", "") + " ", "", none, 0);
        };
    }

    private String words(int count) {
        // The number makes it a text of its own.
        return random.nextInt()
                + Stream.generate(() -> " " + one(WORDS)).limit(count).collect(Collectors.joining());
    }

    private <T> T one(List<T> choices) {
        return choices.get(random.nextInt(choices.size()));
    }
}
