package dev.luq;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.luq.llama.Llama;
import dev.luq.llama.ModelQuantizer;
import dev.luq.machine.KernelTable;
import dev.luq.machine.Kernels;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Answers with drafts are those without, to the last bit, where a token is computed alike alone and among a few: by
 * our kernels, of weights that they all know, with keys and values at Q8_0.
 */
@Integration
@Timeout(180)
class SpeculationTest {

    private static final JsonMapper JSON = new JsonMapper();

    @TempDir
    static Path directory;

    private static PackagedServer without;
    private static PackagedServer with;

    @BeforeAll
    static void start() throws Exception {
        Optional<KernelTable> kernels = KernelTable.read(KernelTable.file(Optional.empty()));
        assumeTrue(
                kernels.isEmpty() || kernels.get().ours(Kernels.FAST).keySet().containsAll(Set.of("q4_K", "q6_K")),
                "llama.cpp's own kernels are faster on this machine");
        Llama.init(line -> {});
        Path model = directory.resolve("demo-Q4_K_M.gguf");
        ModelQuantizer.quantize(
                Path.of("models/demo/luq-demo-F16.gguf"),
                model,
                new ModelQuantizer.Options(ModelQuantizer.FileType.Q4_K_M, false, Map.of(), Optional.empty(), 1));
        without = start(model, "none");
        with = start(model, "ngram");
    }

    private static PackagedServer start(Path model, String speculation) throws Exception {
        return PackagedServer.start(
                Files.createDirectory(directory.resolve(speculation)),
                "luq.models.demo.model=" + model,
                "luq.worker.kernels=fast",
                "luq.worker.kv-cache-type=q8_0",
                "luq.worker.speculation=" + speculation);
    }

    @AfterAll
    static void stop() {
        for (PackagedServer server : new PackagedServer[] {without, with}) {
            if (server != null) {
                server.close();
            }
        }
    }

    private static JsonNode answer(PackagedServer server, ObjectNode request) throws Exception {
        HttpResponse<String> response = server.post("/v1/chat/completions", request.toString());
        assertEquals(200, response.statusCode(), response.body());
        return JSON.readTree(response.body());
    }

    /** @param more tokens than a question asks for, so that the model repeats itself */
    private static ObjectNode ask(String question, int more) {
        ObjectNode request = JSON.createObjectNode()
                .put("temperature", 0)
                .put("max_tokens", more)
                .put("ignore_eos", true)
                .put("cache_prompt", false)
                .put("logprobs", true)
                .put("top_logprobs", 3)
                .put("timings", true);
        request.putArray("messages").addObject().put("role", "user").put("content", question);
        return request;
    }

    @Test
    void everyTokenAndItsProbabilityIsTheSame() throws Exception {
        String things = "red cross, blue star, green heart, yellow moon, ".repeat(20);
        int accepted = 0;
        int refused = 0;
        for (String question : List.of("What is this?", "Say it again: " + things, "Which one is not red? " + things)) {
            ObjectNode request = ask(question, 120);
            JsonNode drafted = answer(with, request);
            assertEquals(
                    answer(without, request).at("/choices/0/logprobs"), drafted.at("/choices/0/logprobs"), question);
            JsonNode timings = drafted.findValue("timings");
            accepted += timings.path("draft_n_accepted").asInt();
            refused += timings.path("draft_n").asInt()
                    - timings.path("draft_n_accepted").asInt();
        }
        assertTrue(accepted > 20, accepted + " accepted");
        assertTrue(refused > 0, "drafts are refused too");
    }
}
