package dev.luq.serving;

import static dev.luq.Until.until;
import static dev.luq.serving.WorkerClient.answer;
import static dev.luq.serving.WorkerClient.failure;
import static dev.luq.serving.WorkerClient.ready;
import static dev.luq.serving.WorkerClient.request;
import static dev.luq.serving.WorkerClient.run;
import static dev.luq.serving.WorkerClient.text;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.luq.Integration;
import dev.luq.llama.ModelQuantizer;
import dev.luq.machine.Kernels;
import dev.luq.protocol.Prompts;
import dev.luq.protocol.ServerFrame;
import dev.luq.protocol.WorkerFrame;
import dev.luq.requant.TestModels;
import io.smallrye.mutiny.helpers.test.AssertSubscriber;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The real worker process with llama.cpp and tiny models of random weights. */
@Integration
class ModelProcessTest {

    private static final Path MODELS = Path.of("src/test/resources/reference").toAbsolutePath();
    private static final String HELLO = "{\"messages\":[{\"role\":\"user\",\"content\":\"Hello\"}]}";
    private static final String LOOK =
            """
            {"messages":[{"role":"user","content":[{"type":"media_marker"},{"type":"text","text":"Look"}]}]}""";
    /** Of the evaluation set's questions one in so many is asked twice. */
    private static final ObjectMapper JSON = new ObjectMapper();

    private final ModelProcesses processes = new ModelProcesses();

    @AfterEach
    void endWorkers() throws InterruptedException {
        processes.close();
    }

    @ParameterizedTest
    @ValueSource(strings = {"llava-tiny", "qwen2.5-vl-tiny"})
    void aQuestionAboutAPictureIsAnswered(String model) {
        SupervisedWorker worker =
                started(MODELS.resolve(model + "-F16.gguf"), MODELS.resolve("mmproj-" + model + "-F16.gguf"));
        ready(worker);
        WorkerFrame.ModelInfo info = worker.info().orElseThrow();
        assertTrue(info.vision());
        assertEquals("F16", info.quantization());
        assertEquals(Math.min(8192, info.trainingContext()), info.contextSize());

        AssertSubscriber<WorkerFrame.OfRequest> answer = run(worker, request(LOOK, 8, image()));
        answer(answer);
        WorkerFrame.Accepted accepted = answer.getItems().stream()
                .filter(WorkerFrame.Accepted.class::isInstance)
                .map(WorkerFrame.Accepted.class::cast)
                .findFirst()
                .orElseThrow();
        assertTrue(accepted.imageTokens() > 0);
        assertTrue(accepted.promptTokens() > accepted.imageTokens());
        WorkerFrame.Finished finished = (WorkerFrame.Finished) answer.getLastItem();
        assertTrue(finished.completionTokens() <= 8);
        until(
                "stats",
                () -> worker.totals().imagesEncoded() == 1 && worker.totals().running() == 0);
        assertEquals(accepted.imageTokens(), worker.totals().imageTokens());
    }

    @Test
    void equalQuestionsHaveEqualAnswersAlsoFromTheCache() {
        SupervisedWorker worker =
                started(MODELS.resolve("qwen2.5-vl-tiny-F16.gguf"), MODELS.resolve("mmproj-qwen2.5-vl-tiny-F16.gguf"));
        ready(worker);
        String first = answer(run(worker, request(LOOK, 8, image())));
        assertEquals(first, answer(run(worker, request(LOOK, 8, image()))));
        until("stats", () -> worker.totals().prefixHits() > 0);
        assertEquals(1, worker.totals().imagesEncoded());
    }

    @Test
    void aModelWithoutProjectorReadsOnlyText() {
        SupervisedWorker worker = started(MODELS.resolve("qwen2.5-vl-tiny-F16.gguf"), null);
        ready(worker);
        assertFalse(worker.info().orElseThrow().vision());
        answer(run(worker, request(HELLO, 4)));
        WorkerException.Rejected refused =
                failure(WorkerException.Rejected.class, run(worker, request(LOOK, 4, image())));
        assertEquals("unsupported_modality", refused.code());
    }

    @Test
    void aKilledWorkerFailsItsStreamAndASuccessorAnswers() {
        SupervisedWorker worker = started(MODELS.resolve("qwen2.5-vl-tiny-F16.gguf"), null);
        ready(worker);
        long pid = worker.pid().orElseThrow();
        AssertSubscriber<WorkerFrame.OfRequest> stream = run(worker, endless());
        until("text", () -> !text(stream).isEmpty());
        ProcessHandle.of(pid).orElseThrow().destroyForcibly();
        failure(WorkerException.Died.class, stream);
        ready(worker);
        assertNotEquals(pid, worker.pid().orElseThrow());
        answer(run(worker, request(HELLO, 4)));
        assertEquals(1, worker.restarts());
    }

    @Test
    void aClientThatLeavesStopsTheSequence() {
        SupervisedWorker worker = started(MODELS.resolve("qwen2.5-vl-tiny-F16.gguf"), null);
        ready(worker);
        AssertSubscriber<WorkerFrame.OfRequest> stream = run(worker, endless());
        until("text", () -> !text(stream).isEmpty());
        stream.cancel();
        until(
                "cancelled",
                () -> worker.totals().cancelled() == 1 && worker.totals().running() == 0);
        assertEquals(0, worker.inFlight());
    }

    @Test
    void filesThatBrokeSinceTheServerLookedAreRefused(@TempDir Path folder) throws IOException {
        Path cut = folder.resolve("cut.gguf");
        byte[] whole = Files.readAllBytes(MODELS.resolve("llava-tiny-F16.gguf"));
        Files.write(cut, Arrays.copyOf(whole, whole.length / 2));
        SupervisedWorker worker = started(cut, null);
        until("failure", () -> worker.state() == ModelWorker.State.FAILED);
        String reason = worker.failure().orElseThrow();
        assertFalse(reason.contains(folder.toString()), reason);
        assertEquals(0, worker.restarts());
    }

    @Test
    void aTemplateThatLoopsIsEndedAndNamed(@TempDir Path folder) throws IOException {
        String loops = "{% for a in range(10000) %}{% for b in range(10000) %}{% for c in range(10000) %}{% endfor %}"
                + "{% endfor %}{% endfor %}{{ messages[0]['content'] }}";
        Path model = TestModels.withTemplate(TestModels.model(TestModels.LLAVA), loops, folder.resolve("loops.gguf"));
        SupervisedWorker worker =
                processes.start(model, null, Kernels.STOCK, TestConfig.of(Map.of("load-stall-timeout", "6S")));
        until(
                "failure",
                () -> worker.state() == ModelWorker.State.FAILED && worker.pid().isEmpty());
        assertEquals(
                "Loading it got no further for 6 seconds, at its chat template.",
                worker.failure().orElseThrow());
        assertEquals(0, worker.restarts());
    }

    @Test
    void anMmprojOfAnotherKindOfModelIsRefused() {
        SupervisedWorker worker =
                started(MODELS.resolve("llava-tiny-F16.gguf"), MODELS.resolve("qwen2.5-vl-tiny-F16.gguf"));
        until("failure", () -> worker.state() == ModelWorker.State.FAILED);
        assertTrue(
                worker.failure().orElseThrow().contains("not a multimodal projector"),
                worker.failure().get());
    }

    /** The demo model's own examples, with weights as in the file and so little smaller that answers are the same. */
    @ParameterizedTest
    @CsvSource({"F16, STOCK", "Q8_0, STOCK", "Q6_K, FAST", "Q6_K, COMPACT", "Q6_K, STOCK"})
    void everyKernelAnswersTheExamplesRight(String type, Kernels kernels, @TempDir Path folder) throws IOException {
        Path demo = Path.of("models/demo/luq-demo-F16.gguf").toAbsolutePath();
        Path file = demo;
        if (!type.equals("F16")) {
            file = folder.resolve("demo.gguf");
            TestModels.init();
            ModelQuantizer.quantize(
                    demo,
                    file,
                    new ModelQuantizer.Options(
                            ModelQuantizer.FileType.valueOf(type), false, Map.of(), Optional.empty(), 1));
        }
        SupervisedWorker worker = processes.start(file, demo.resolveSibling("mmproj-luq-demo-F16.gguf"), kernels);
        ready(worker);
        Path examples = demo.resolveSibling("examples");
        for (String line : Files.readAllLines(examples.resolve("examples.jsonl"))) {
            JsonNode example = JSON.readTree(line);
            assertEquals(example.get("answer").textValue(), answer(run(worker, ask(example, examples))), line);
        }
    }

    /** @param question names one image, several, or none */
    static ServerFrame.Generate ask(JsonNode question, Path folder) throws IOException {
        List<ServerFrame.Image> images = new ArrayList<>();
        ObjectNode chat = JSON.createObjectNode();
        ArrayNode content =
                chat.putArray("messages").addObject().put("role", "user").putArray("content");
        JsonNode named = question.get("image");
        for (JsonNode name : named.isTextual() ? List.of(named) : named) {
            content.addObject().put("type", "media_marker");
            images.add(image(folder.resolve(name.textValue())));
        }
        content.addObject().put("type", "text").set("text", question.get("question"));
        ServerFrame.Generate plain = request(chat.toString(), 24, images.toArray(ServerFrame.Image[]::new));
        return new ServerFrame.Generate(
                plain.id(),
                Prompts.chat(plain),
                plain.images(),
                plain.sampling(),
                plain.maxTokens(),
                List.of(),
                2,
                true);
    }

    private SupervisedWorker started(Path model, Path mmproj) {
        return processes.start(model, mmproj, Kernels.FAST);
    }

    private static ServerFrame.Image image(Path png) throws IOException {
        BufferedImage image = ImageIO.read(png.toFile());
        byte[] rgb = new byte[3 * image.getWidth() * image.getHeight()];
        for (int i = 0; i < rgb.length; i++) {
            int pixel = image.getRGB(i / 3 % image.getWidth(), i / 3 / image.getWidth());
            rgb[i] = (byte) (pixel >> 8 * (2 - i % 3));
        }
        return new ServerFrame.Image(
                image.getWidth(), image.getHeight(), String.format("%064x", Arrays.hashCode(rgb) & 0xffffffffL), rgb);
    }

    /** Generates until the context is full: random weights hardly ever end by themselves. */
    private static ServerFrame.Generate endless() {
        return request(HELLO, 0);
    }

    private static ServerFrame.Image image() {
        byte[] rgb = new byte[3 * 56 * 56];
        for (int i = 0; i < rgb.length; i++) {
            rgb[i] = (byte) (i * 7);
        }
        return new ServerFrame.Image(56, 56, "a".repeat(64), rgb);
    }
}
