package dev.luq.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code luq chat} against a server that answers each question with its number. */
class ChatCommandTest {

    @TempDir
    Path folder;

    private final List<JsonNode> requests = new ArrayList<>();
    private HttpServer server;
    private String star;
    private String word;

    private record Outcome(int status, String out, String error) {}

    @BeforeEach
    void start() throws IOException {
        star = Files.writeString(folder.resolve("star.png"), "a star").toString();
        word = Files.writeString(folder.resolve("word.png"), "a word").toString();
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/q/health/ready", exchange -> answer(exchange, "{}"));
        server.createContext(
                "/v1/models", exchange -> answer(exchange, "{\"data\":[{\"id\":\"first\"},{\"id\":\"second\"}]}"));
        server.createContext("/v1/chat/completions", exchange -> {
            requests.add(CompletionClient.JSON.readTree(exchange.getRequestBody()));
            answer(
                    exchange,
                    "data: {\"choices\":[{\"delta\":{\"content\":\"Answer \"}}]}\n\n"
                            + "data: {\"choices\":[{\"delta\":{\"content\":\"" + requests.size()
                            + "\"}}]}\n\ndata: [DONE]\n\n");
        });
        server.start();
    }

    private static void answer(HttpExchange exchange, String body) throws IOException {
        byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
        exchange.sendResponseHeaders(200, bytes.length);
        exchange.getResponseBody().write(bytes);
        exchange.close();
    }

    @AfterEach
    void stop() {
        server.stop(0);
    }

    private Outcome chat(String... arguments) {
        return chatTyping("", arguments);
    }

    private Outcome chatTyping(String typed, String... arguments) {
        List<String> command = new ArrayList<>(List.of("chat"));
        command.addAll(List.of(arguments));
        if (!command.contains("--server")) {
            command.addAll(
                    1,
                    List.of(
                            "--server",
                            "http://127.0.0.1:" + server.getAddress().getPort()));
        }
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        StringWriter error = new StringWriter();
        InputStream inBefore = System.in;
        PrintStream outBefore = System.out;
        System.setIn(new ByteArrayInputStream(typed.getBytes(StandardCharsets.UTF_8)));
        System.setOut(new PrintStream(out));
        try {
            int status =
                    Main.commandLine().setErr(new PrintWriter(error, true)).execute(command.toArray(String[]::new));
            return new Outcome(status, out.toString(StandardCharsets.UTF_8), error.toString());
        } finally {
            System.setIn(inBefore);
            System.setOut(outBefore);
        }
    }

    /** What the user message of a request holds, pictures as their bytes. */
    private static List<String> content(JsonNode message) {
        List<String> parts = new ArrayList<>();
        message.path("content").forEach(part -> {
            String url = part.path("image_url").path("url").asText();
            parts.add(
                    url.isEmpty()
                            ? part.path("text").asText()
                            : new String(
                                    Base64.getDecoder().decode(url.replace("data:image/png;base64,", "")),
                                    StandardCharsets.UTF_8));
        });
        return parts;
    }

    private List<String> asked(int request) {
        JsonNode messages = requests.get(request).path("messages");
        return content(messages.path(messages.size() - 1));
    }

    @Test
    void aQuestionMayComeAloneOrAfterPictures() {
        assertEquals(new Outcome(0, "Answer 1\n", ""), chat("What is the capital of Gotal?"));
        assertEquals(List.of("What is the capital of Gotal?"), asked(0));
        assertEquals(new Outcome(0, "Answer 2\n", ""), chat(star, "What is this?"));
        assertEquals(List.of("a star", "What is this?"), asked(1));
        assertEquals(
                new Outcome(0, "Answer 3\n", ""), chat("--max-tokens", "7", word, star, "Which image shows a star?"));
        assertEquals(List.of("a word", "a star", "Which image shows a star?"), asked(2));
        assertEquals("first", requests.get(2).path("model").asText());
        assertEquals(7, requests.get(2).path("max_completion_tokens").asInt());
    }

    @ParameterizedTest
    @ValueSource(strings = {"localhost:8080", "127.0.0.1", "http:/x", "ftp://host", "http://", "http://a b"})
    void whatIsNoAddressOfAServerIsRefused(String address) {
        Outcome outcome = chat("--server", address, "What is this?");
        assertEquals(2, outcome.status());
        assertTrue(outcome.error().contains("no address such as http://127.0.0.1:8080"), outcome.error());
    }

    @Test
    void aConversationKeepsWhatWasSaid() {
        Outcome outcome = chatTyping("And the circle?\n\n  Größer?  \n", "--interactive", star, "What is this?");
        assertEquals(new Outcome(0, "Answer 1\nAnswer 2\nAnswer 3\n", ""), outcome);
        JsonNode messages = requests.get(2).path("messages");
        assertEquals(5, messages.size());
        assertEquals(List.of("a star", "What is this?"), content(messages.path(0)));
        assertEquals("Answer 1", messages.path(1).path("content").asText());
        assertEquals("assistant", messages.path(1).path("role").asText());
        assertEquals(List.of("And the circle?"), content(messages.path(2)));
        assertEquals(List.of("Größer?"), content(messages.path(4)));
    }

    @Test
    void aConversationMayBeginWithTypedQuestions() {
        assertEquals(new Outcome(0, "Answer 1\n", ""), chatTyping("What is this?", "-i", star, word));
        assertEquals(List.of("a star", "a word", "What is this?"), asked(0));
        assertEquals(new Outcome(0, "Answer 2\n", ""), chatTyping("7 * 8\n", "-i"));
        assertEquals(List.of("7 * 8"), asked(1));
        assertEquals(new Outcome(0, "", ""), chatTyping("", "-i"));
    }

    @Test
    void helpShowsWhatGoesWhere() {
        Outcome help = chat("--help");
        assertEquals(0, help.status());
        for (String line :
                List.of("luq chat [OPTIONS] [IMAGE...] \"QUESTION\"", "luq chat --interactive", "--max-tokens")) {
            assertTrue(help.out().contains(line), help.out());
        }
    }

    @Test
    void saysWhatIsWrongWithTheCommandLine() {
        assertRefused("There is no picture nowhere.png: name files that exist", "nowhere.png", "What is this?");
        assertRefused(
                "There is no picture What: name files that exist, then the question as one argument in quotes.",
                star,
                "What",
                "is",
                "this?");
        assertRefused("star.png is a picture: ask a question about it", star);
        assertRefused("word.png is a picture: ask a question about it", star, word);
        assertRefused("There is no question");
        assertRefused("There is no question", "  ");
        assertRefused("--model needs --mmproj to see pictures", "--model", "x.gguf", star, "What is this?");
        assertEquals(List.of(), requests);
    }

    private void assertRefused(String message, String... arguments) {
        Outcome outcome = chat(arguments);
        assertEquals(1, outcome.status());
        assertTrue(outcome.error().contains(message), outcome.error());
        assertEquals("", outcome.out());
    }
}
