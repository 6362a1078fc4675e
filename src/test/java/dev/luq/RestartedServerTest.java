package dev.luq;

import static dev.luq.Until.until;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Servers after each other with one data folder. */
@Integration
class RestartedServerTest {

    @TempDir
    Path directory;

    private PackagedServer start(String... settings) throws Exception {
        String demo = "models/demo/";
        return PackagedServer.start(
                directory,
                Stream.concat(
                                Stream.of(
                                        "luq.model=" + demo + "luq-demo-F16.gguf",
                                        "luq.mmproj=" + demo + "mmproj-luq-demo-F16.gguf",
                                        "luq.data-dir=" + directory.resolve("data"),
                                        "luq.worker.threads=1"),
                                Stream.of(settings))
                        .toArray(String[]::new));
    }

    private static String count(PackagedServer server) throws IOException {
        String picture =
                Base64.getEncoder().encodeToString(Files.readAllBytes(Path.of("models/demo/examples/count.png")));
        String json = "{\"temperature\":0,\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"image_url\","
                + "\"image_url\":{\"url\":\"data:image/png;base64," + picture
                + "\"}},{\"type\":\"text\",\"text\":\"Count the shapes.\"}]}]}";
        HttpResponse<String> response = server.post("/v1/chat/completions", json);
        assertEquals(200, response.statusCode());
        return response.body();
    }

    private static double metric(PackagedServer server, String name) {
        return server.get("/metrics")
                .body()
                .lines()
                .filter(line -> line.startsWith(name + "{"))
                .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' '))))
                .sum();
    }

    /** Whether files of a producer are there. */
    private static boolean holdsFiles(Path cache) {
        try (Stream<Path> all = Files.walk(cache, 2)) {
            return all.anyMatch(file ->
                    Files.isRegularFile(file) && file.getFileName().toString().length() == 64);
        } catch (IOException e) {
            return false;
        }
    }

    private static void stop(PackagedServer server) {
        server.terminate();
        server.awaitExit();
    }

    @Test
    void aPictureSeenBeforeTheServerWasRestartedIsNotEncodedAgain() throws Exception {
        Path embeddings = directory.resolve("data/embeddings");
        String withoutPrompts = "luq.worker.prompt-files-bytes=0";
        try (PackagedServer server = start(withoutPrompts)) {
            assertTrue(count(server).contains("\"4\""));
            until("the picture to be encoded", () -> metric(server, "luq_image_encode_seconds_count") == 1);
            stop(server);
        }
        assertTrue(Files.isDirectory(embeddings));
        try (PackagedServer server = start(withoutPrompts)) {
            assertTrue(count(server).contains("\"4\""));
            until("the picture to be found", () -> metric(server, "luq_image_embedding_file_hits_total") == 1);
            assertEquals(0, metric(server, "luq_image_encode_seconds_count"));
            stop(server);
        }
        try (PackagedServer server = start(withoutPrompts, "luq.worker.image-files-bytes=0")) {
            assertFalse(Files.exists(embeddings), "what was kept is removed");
            assertTrue(count(server).contains("\"4\""));
            until("the picture to be encoded", () -> metric(server, "luq_image_encode_seconds_count") == 1);
            assertFalse(Files.exists(embeddings));
        }
    }

    @Test
    void aPromptSeenBeforeTheServerWasRestartedIsNotEvaluatedAgain() throws Exception {
        Path prompts = directory.resolve("data/prompts");
        try (PackagedServer server = start()) {
            assertTrue(count(server).contains("\"cached_tokens\":0"));
            until("the prompt's file", () -> holdsFiles(prompts));
            stop(server);
        }
        try (PackagedServer server = start()) {
            String answer = count(server);
            assertTrue(answer.contains("\"4\""));
            assertFalse(answer.contains("\"cached_tokens\":0"), answer);
            until("the prompt to be found", () -> metric(server, "luq_prompt_file_hits_total") == 1);
            assertEquals(0, metric(server, "luq_image_embedding_file_queries_total"));
            stop(server);
        }
        try (PackagedServer server = start("luq.worker.prompt-files-bytes=0")) {
            assertFalse(Files.exists(prompts), "what was kept is removed");
            assertTrue(count(server).contains("\"cached_tokens\":0"));
            assertFalse(Files.exists(prompts));
        }
    }
}
