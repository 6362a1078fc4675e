package dev.luq.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.luq.benchmarks.Benchmark;
import dev.luq.benchmarks.data.PublishedFiles;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code luq eval --benchmark} against a server that answers with the number in the picture. */
class BenchmarkCommandTest {

    @TempDir
    Path folder;

    private final List<JsonNode> requests = Collections.synchronizedList(new ArrayList<>());
    private HttpServer server;
    private volatile String model = "{\"id\": \"a model\", \"luq\": {\"variant\": \"70\", "
            + "\"identity\": \"0123456789abcdef\", \"bytes\": 9, \"bits_per_weight\": 2.75, \"slots\": 2}}";
    private final AtomicInteger failures = new AtomicInteger();
    private volatile int failure = 503;
    private volatile String failureBody = "{\"error\": {\"message\": \"later\"}}";
    private volatile Runnable asked = () -> {};

    private record Outcome(int status, String out, String error) {}

    @BeforeEach
    void start() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/v1/models", exchange -> answer(exchange, 200, "{\"data\": [" + model + "]}"));
        server.createContext("/v1/chat/completions", exchange -> {
            JsonNode request = CompletionClient.JSON.readTree(exchange.getRequestBody());
            if (failures.getAndDecrement() > 0) {
                answer(exchange, failure, failureBody);
                return;
            }
            requests.add(request);
            asked.run();
            String url = request.at("/messages/0/content/0/image_url/url").asText();
            String picture = new String(Base64.getDecoder().decode(url.substring(url.indexOf(',') + 1)), UTF_8);
            String number = picture.strip().replaceAll("\\D", "");
            answer(
                    exchange,
                    number.equals("3") ? 400 : 200,
                    number.equals("3")
                            ? "{\"error\": {\"message\": \"image_url: this is no picture\"}}"
                            : "{\"choices\": [{\"message\": {\"content\": \"answer " + number + "\"}}]}");
        });
        server.start();
        Files.createDirectory(folder.resolve("data"));
        publish(Benchmark.TEXTVQA);
    }

    private void publish(Benchmark benchmark) throws IOException {
        new PublishedFiles(folder.resolve("data"), n -> ("picture " + n + " ".repeat(60)).getBytes(UTF_8))
                .write(benchmark, "parquet");
    }

    @AfterEach
    void stop() {
        server.stop(0);
    }

    private static void answer(HttpExchange exchange, int status, String text) throws IOException {
        byte[] bytes = text.getBytes(UTF_8);
        exchange.sendResponseHeaders(status, bytes.length);
        exchange.getResponseBody().write(bytes);
        exchange.close();
    }

    private Outcome eval(String... more) {
        List<String> arguments = new ArrayList<>(List.of("eval", "--model", "a model"));
        arguments.addAll(List.of(more));
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        StringWriter error = new StringWriter();
        PrintStream before = System.out;
        System.setOut(new PrintStream(out, true, UTF_8));
        try {
            int status =
                    Main.commandLine().setErr(new PrintWriter(error, true)).execute(arguments.toArray(String[]::new));
            return new Outcome(status, out.toString(UTF_8), error.toString());
        } finally {
            System.setOut(before);
        }
    }

    private Outcome textVqa(String... more) {
        return ask(Benchmark.TEXTVQA, more);
    }

    private Outcome ask(Benchmark benchmark, String... more) {
        List<String> arguments = new ArrayList<>(List.of(
                "--benchmark",
                benchmark.id(),
                "--data",
                folder.resolve("data").toString(),
                "--results",
                folder.resolve("results").toString(),
                "--server",
                "http://127.0.0.1:" + server.getAddress().getPort()));
        arguments.addAll(List.of(more));
        return eval(arguments.toArray(String[]::new));
    }

    private String page() throws IOException {
        return Files.readString(folder.resolve("results/results.md"), UTF_8);
    }

    @Test
    void aServedModelIsAskedAndScored() throws IOException {
        Outcome outcome = textVqa();
        assertEquals(0, outcome.status(), outcome.error());
        assertTrue(
                outcome.out().contains("accuracy                                             4      75.00"),
                outcome.out());
        assertTrue(outcome.out().contains("1 questions were refused by the server"), outcome.out());
        JsonNode request = requests.get(0);
        assertEquals("a model", request.path("model").textValue());
        assertEquals(0, request.path("temperature").intValue());
        assertEquals(64, request.path("max_completion_tokens").intValue());
        assertTrue(Files.readString(folder.resolve("results/textvqa/a_model@70.lmms-eval.jsonl"), UTF_8)
                .contains("\"refused\":\"The server answered 400: image_url: this is no picture\""));
    }

    @Test
    void resultsStandBesideThePaper() throws IOException {
        textVqa();
        assertTrue(page().contains("| a model (70) | lmms-eval | 2.75 |  |  | 75.0, 1 refused |  |"), page());
        assertTrue(
                page().contains("| paper, Qwen2.5-VL-7B: LUQ, 12 low layers |  | 2.75 | 1640 / 600 | 63.7 | 81.9 |"),
                page());
        assertTrue(page().contains("(textvqa.svg)"));
        assertTrue(
                Files.readString(folder.resolve("results/textvqa.svg"), UTF_8).contains("TextVQA: accuracy"));
        textVqa("--prompt", "vlmevalkit", "--limit", "2");
        assertTrue(page().contains("| a model (70) | vlmevalkit | 2.75 |  |  | 100.0 \\* (2) |  |"), page());
        assertTrue(page().contains("| a model (70) | lmms-eval | 2.75 |  |  | 75.0, 1 refused |  |"), page());
    }

    @Test
    void resultsMayLieBehindALink() throws IOException {
        Path real = Files.createDirectory(folder.resolve("elsewhere"));
        Files.createSymbolicLink(folder.resolve("results"), real);
        assertEquals(0, textVqa().status());
        assertTrue(page().contains("| a model (70) | lmms-eval | 2.75 |  |  | 75.0, 1 refused |  |"), page());
    }

    @Test
    void aDamagedFileOfScoresIsNamed() throws IOException {
        Path damaged = Files.createDirectories(folder.resolve("results/gqa")).resolve("b.lmms-eval.scores.json");
        Files.writeString(damaged, "{", UTF_8);
        Outcome outcome = textVqa();
        assertEquals(1, outcome.status());
        assertTrue(
                outcome.error().contains("gqa/b.lmms-eval.scores.json is no file of scores; remove it."),
                outcome.error());
    }

    @Test
    void resultsThatCannotBeWrittenAreTold() throws IOException {
        Files.createDirectories(folder.resolve("results/results.md/in-the-way"));
        Outcome outcome = textVqa();
        assertEquals(1, outcome.status());
        assertTrue(outcome.error().contains("The benchmark cannot be run: "), outcome.error());
    }

    @Test
    void aBusyServerIsAskedAgain() {
        failures.set(2);
        assertEquals(0, textVqa("--concurrency", "1").status());
        assertEquals(4, requests.size());
    }

    @Test
    void anAnswerWithoutAMessageIsAskedForAgain() {
        failures.set(2);
        failure = 200;
        assertEquals(0, textVqa("--concurrency", "1").status());
        assertEquals(4, requests.size());
    }

    @Test
    void anEmptyMessageIsAnAnswer() throws IOException {
        failures.set(1);
        failure = 200;
        failureBody = "{\"choices\": [{\"message\": {\"content\": \"\"}}]}";
        assertEquals(0, textVqa("--concurrency", "1").status());
        assertEquals(3, requests.size());
        assertTrue(Files.readString(folder.resolve("results/textvqa/a_model@70.lmms-eval.jsonl"), UTF_8)
                .contains("\"answer\":\"\""));
    }

    @Test
    void aServerThatIsGoneEndsTheRun() {
        server.stop(0);
        Outcome outcome = textVqa();
        assertEquals(1, outcome.status());
        assertTrue(outcome.error().contains("No server answers at http://127.0.0.1:"), outcome.error());
    }

    @Test
    void aModelThatIsNotServedIsToldWithThoseThatAre() {
        model = model.replace("a model", "another");
        assertTrue(textVqa().error().contains("The server has no model a model; it has another."));
    }

    private void assertIsAnotherRun() {
        requests.clear();
        Outcome outcome = textVqa();
        assertEquals(1, outcome.status(), outcome.out());
        assertTrue(outcome.error().contains("has the answers of another run"), outcome.error());
        assertTrue(outcome.error().contains("give another folder with --results"), outcome.error());
        assertEquals(List.of(), requests);
    }

    @Test
    void answersOfAnotherFileAreNotMixedIn() {
        assertEquals(0, textVqa().status());
        model = model.replace("\"bytes\": 9", "\"bytes\": 10");
        assertIsAnotherRun();
    }

    @Test
    void answersOfAFileOfTheSameSizeOrWithOtherSettingsAreNotMixedIn() {
        assertEquals(0, textVqa().status());
        model = model.replace("0123456789abcdef", "fedcba9876543210");
        assertIsAnotherRun();
    }

    @Test
    void answersThatDoNotSayWhatGaveThemAreNotMixedIn() {
        String identified = model;
        model = model.replace("\"identity\": \"0123456789abcdef\", ", "");
        assertEquals(0, textVqa().status());
        model = identified;
        assertIsAnotherRun();
    }

    @Test
    void llamaServersAnswersOfAFileOfAnotherSizeAreNotMixedIn() throws IOException {
        model = "{\"id\": \"a model\", \"meta\": {\"n_params\": 16, \"size\": 9}}";
        Outcome outcome = textVqa();
        assertEquals(0, outcome.status(), outcome.error());
        assertTrue(outcome.out().contains("The server tells no more of what it serves than name and size"));
        assertTrue(page().contains("| a model | lmms-eval | 4.50 |"), page());
        model = model.replace("\"size\": 9", "\"size\": 8");
        assertIsAnotherRun();
        model = model.replace("\"size\": 8", "\"size\": 9").replace("16", "17");
        assertIsAnotherRun();
    }

    @Test
    void aModelThatIsNotInMemoryIsLoadedBeforeItsDescriptionCounts() {
        String loaded = model;
        model = model.replace("\"luq\": {", "\"luq\": {\"state\": \"unloaded\", ")
                .replace("0123456789abcdef", "fedcba9876543210");
        asked = () -> model = loaded;
        assertEquals(0, textVqa().status());
        asked = () -> {};
        assertEquals(0, textVqa().status(), "the same is served as in the first run");
    }

    @Test
    void resultsOfOneNameInSeveralFormsAreRowsOfTheirOwn() throws IOException {
        assertEquals(0, textVqa().status());
        model = model.replace("0123456789abcdef", "fedcba9876543210");
        publish(Benchmark.MATHVISTA);
        assertEquals(0, ask(Benchmark.MATHVISTA).status());
        assertTrue(page().contains("| a model (70) [01234567] | lmms-eval | 2.75 |  |  | 75.0, 1 refused |"), page());
        assertTrue(page().contains("| a model (70) [fedcba98] | lmms-eval | 2.75 |  |  |  |"), page());
    }

    @Test
    void answersThatNobodyCouldReadStandInTheResults() throws IOException {
        publish(Benchmark.MATHVISTA);
        assertEquals(0, ask(Benchmark.MATHVISTA).status());
        assertTrue(page().contains(", 1 refused, 3 unread |"), page());
        textVqa();
        assertTrue(
                Files.readString(folder.resolve("results/textvqa.svg"), UTF_8).contains("lmms-eval, 1 refused"));
    }

    @Test
    void theJudgeIsNamedInTheResults() throws IOException {
        publish(Benchmark.MATHVISTA);
        String address = "http://127.0.0.1:" + server.getAddress().getPort();
        Outcome judged = ask(Benchmark.MATHVISTA, "--judge", address, "--judge-model", "a model");
        assertEquals(0, judged.status(), judged.error());
        assertTrue(judged.out().contains("judge        a model"), judged.out());
        Path scores = folder.resolve("results/mathvista/a_model@70.lmms-eval.scores.json");
        assertTrue(Files.readString(scores, UTF_8).contains("\"judge\""));
        assertTrue(page().contains(", judged by a model, "), page());
        assertEquals(0, ask(Benchmark.MATHVISTA).status());
        assertFalse(Files.readString(scores, UTF_8).contains("\"judge\""));
        assertFalse(page().contains("judged by"), page());
    }

    @Test
    void optionsThatDoNotGoTogetherAreRefused() {
        assertTrue(textVqa("--threads", "2").error().startsWith("--threads does not go with --benchmark."));
        assertTrue(eval("--limit", "2").error().startsWith("--limit needs --benchmark."));
        assertTrue(eval("--judge-model", "m").error().startsWith("--judge-model needs --benchmark."));
        assertTrue(eval("--benchmark", "gqa").error().contains("--benchmark needs --data"));
        assertTrue(eval("--benchmark", "vqa").error().contains("There is no benchmark vqa; take one of mme, mmbench"));
        assertTrue(textVqa("--limit", "0").error().contains("--limit must be at least 1."));
        assertTrue(textVqa("--prompt", "own").error().contains("--prompt is lmms-eval or vlmevalkit."));
        assertTrue(textVqa("--judge", "http://127.0.0.1:9").error().contains("--judge is for mathvista"));
    }
}
