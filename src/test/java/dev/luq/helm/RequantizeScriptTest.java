package dev.luq.helm;

import static org.hamcrest.MatcherAssert.assertThat;
import static org.hamcrest.Matchers.containsString;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.luq.Integration;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The script of the Job, with {@code echo} as the command before it, against an HTTP server in this JVM. */
@Integration
class RequantizeScriptTest {

    private static final String KEY = "admin-0123456789abcdef";

    private HttpServer server;
    private volatile int status = 200;
    private final List<String> activated = Collections.synchronizedList(new ArrayList<>());
    /** Variants that the server has, with those of other makers. */
    private final Set<String> variants = new ConcurrentSkipListSet<>();

    private String output;

    @BeforeEach
    void start() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/admin/v1/models/qwen/activation", this::answer);
        server.createContext("/admin/v1/variants", this::variants);
        server.start();
    }

    @AfterEach
    void stop() {
        server.stop(0);
    }

    @Test
    void theResultIsActivatedWithTheKey() throws Exception {
        assertEquals(0, run(Map.of(), "echo", "requantize", "--budget", "60%"));
        assertThat(output, containsString("requantize --budget 60% --name qwen-60"));
        assertEquals(List.of("Bearer " + KEY + " {\"variant\":\"qwen-60\",\"swap\":\"auto\"}"), activated);
    }

    @Test
    void aScheduleMakesAVariantEachDay() throws Exception {
        String day = LocalDate.now(ZoneOffset.UTC).format(DateTimeFormatter.BASIC_ISO_DATE);
        assertEquals(0, run(Map.of("LUQ_VARIANT_EACH_DAY", "true"), "echo"));
        assertThat(activated.get(0), containsString("\"qwen-60-" + day + "\""));
    }

    /** The CronJob names a Job by the minute that it is due, here the last one of 2025-12-31. */
    @Test
    void aPodThatIsStartedAfterMidnightGoesOnWithTheVariantOfItsJob() throws Exception {
        assertEquals(0, run(Map.of("LUQ_VARIANT_EACH_DAY", "true", "LUQ_JOB", "luq-requantize-29453759"), "echo"));
        assertThat(activated.get(0), containsString("\"qwen-60-20251231\""));
    }

    @Test
    void aJobOfAPersonIsOfTheDayThatItStarts() throws Exception {
        String day = LocalDate.now(ZoneOffset.UTC).format(DateTimeFormatter.BASIC_ISO_DATE);
        assertEquals(0, run(Map.of("LUQ_VARIANT_EACH_DAY", "true", "LUQ_JOB", "by-hand-20200101"), "echo"));
        assertThat(activated.get(0), containsString("\"qwen-60-" + day + "\""));
    }

    @Test
    void nothingIsActivatedWhenTheCommandFails() throws Exception {
        assertEquals(3, run(Map.of(), "bash", "-c", "exit 3"));
        assertEquals(List.of(), activated);
    }

    @Test
    void aRefusalFailsTheJobAndIsShown() throws Exception {
        status = 422;
        assertEquals(1, run(Map.of(), "echo"));
        assertThat(output, containsString("422"));
        assertThat(output, containsString("no such variant"));
    }

    @Test
    void withoutServersItEndsWithTheVariant() throws Exception {
        assertEquals(0, run(Map.of("LUQ_SERVERS", ""), "echo"));
        assertEquals(List.of(), activated);
    }

    @Test
    void itFailsWhenNoServerIsReady() throws Exception {
        assertEquals(1, run(Map.of("LUQ_SERVERS", "no-such-name.invalid"), "echo"));
        assertThat(output, containsString("no server is ready"));
    }

    @Test
    void aServerThatLoadsIsWaitedFor(@TempDir Path bin) throws Exception {
        Path asked = bin.resolve("asked");
        Map<String, String> commands = Map.of(
                "getent",
                "echo >> '" + asked + "'; [ $(wc -l < '" + asked + "') -lt 3 ] || exec /usr/bin/getent \"$@\"",
                "sleep",
                ":");
        for (Map.Entry<String, String> command : commands.entrySet()) {
            Path file = bin.resolve(command.getKey());
            Files.writeString(file, "#!/bin/bash\n" + command.getValue() + "\n");
            assertTrue(file.toFile().setExecutable(true));
        }
        Map<String, String> environment = Map.of("PATH", bin + ":" + System.getenv("PATH"), "LUQ_START_SECONDS", "60");
        assertEquals(0, run(environment, "echo"));
        assertThat(output, containsString("waiting until a server is ready"));
        assertEquals(1, activated.size());
    }

    @Test
    void ofEarlierDaysTheNewestStay() throws Exception {
        variants.addAll(List.of(
                "qwen-60-a1b2c3-20250101",
                "qwen-60-20250102",
                "qwen-60-0a1b2c-20250103",
                "qwen-60",
                "qwen-6-20240101"));
        assertEquals(0, run(Map.of("LUQ_VARIANT_EACH_DAY", "true", "LUQ_KEEP_VARIANTS", "2"), "echo"));
        assertEquals(Set.of("qwen-60-20250102", "qwen-60-0a1b2c-20250103", "qwen-60", "qwen-6-20240101"), variants);
        assertThat(output, containsString("qwen-60-a1b2c3-20250101: removed"));
    }

    @Test
    void nothingIsRemovedUnlessAskedFor() throws Exception {
        variants.addAll(List.of("qwen-60-20250101", "qwen-60-20250102"));
        assertEquals(0, run(Map.of("LUQ_VARIANT_EACH_DAY", "true", "LUQ_KEEP_VARIANTS", "0"), "echo"));
        assertEquals(0, run(Map.of("LUQ_KEEP_VARIANTS", "1"), "echo"));
        assertEquals(2, variants.size());
    }

    @Test
    void nothingIsRemovedWhenAServerDoesNotServeTheResult() throws Exception {
        status = 503;
        variants.addAll(List.of("qwen-60-20250101", "qwen-60-20250102"));
        assertEquals(1, run(Map.of("LUQ_VARIANT_EACH_DAY", "true", "LUQ_KEEP_VARIANTS", "1"), "echo"));
        assertEquals(2, variants.size());
    }

    private int run(Map<String, String> more, String... command) throws Exception {
        List<String> line = new ArrayList<>(
                List.of("bash", "-c", Files.readString(Chart.DIRECTORY.resolve("files/requantize.sh")), "requantize"));
        line.addAll(List.of(command));
        ProcessBuilder bash = new ProcessBuilder(line);
        bash.environment()
                .putAll(Map.of(
                        "LUQ_VARIANT",
                        "qwen-60",
                        "LUQ_VARIANT_PREFIX",
                        "qwen-60",
                        "LUQ_MODEL_ID",
                        "qwen",
                        "LUQ_SWAP",
                        "auto",
                        "LUQ_API_KEY",
                        KEY,
                        "LUQ_SERVERS",
                        server.getAddress().getAddress().getHostAddress(),
                        "LUQ_SERVER_PORT",
                        String.valueOf(server.getAddress().getPort())));
        bash.environment().putAll(more);
        Process process = bash.redirectErrorStream(true).start();
        output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        return process.waitFor();
    }

    private void variants(HttpExchange exchange) throws IOException {
        try (exchange) {
            if (exchange.getRequestMethod().equals("DELETE")) {
                String path = exchange.getRequestURI().getPath();
                boolean removed = variants.remove(path.substring(path.lastIndexOf('/') + 1));
                exchange.sendResponseHeaders(removed ? 204 : 404, -1);
                return;
            }
            byte[] answer = variants.stream()
                    .map("{\"id\":\"%s\"}"::formatted)
                    .collect(Collectors.joining(",", "{\"object\":\"list\",\"data\":[", "]}"))
                    .getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(200, answer.length);
            exchange.getResponseBody().write(answer);
        }
    }

    private void answer(HttpExchange exchange) throws IOException {
        String body = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
        activated.add(exchange.getRequestHeaders().getFirst("Authorization") + " " + body);
        byte[] answer = (status == 200 ? "{}" : "no such variant").getBytes(StandardCharsets.UTF_8);
        try (exchange) {
            exchange.sendResponseHeaders(status, answer.length);
            exchange.getResponseBody().write(answer);
        }
    }
}
