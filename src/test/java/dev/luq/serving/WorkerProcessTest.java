package dev.luq.serving;

import static dev.luq.Until.completed;
import static dev.luq.Until.ended;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.luq.Integration;
import dev.luq.LoggedLines;
import dev.luq.Signals;
import dev.luq.machine.Kernels;
import dev.luq.machine.KvType;
import dev.luq.process.ChildCommand;
import dev.luq.process.ProcessExit;
import dev.luq.protocol.Frames;
import dev.luq.protocol.ServerFrame;
import dev.luq.protocol.WorkerFrame;
import dev.luq.worker.ScriptedWorker;
import dev.luq.worker.WorkerMain;
import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@Integration
class WorkerProcessTest {

    @ParameterizedTest
    @ValueSource(strings = {"good", "slow"})
    void aWorkerWhoseServerIsKilledEndsItself(String model) throws Exception {
        Process parent = java(ParentProcess.class.getName(), model)
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        try (BufferedReader lines = new BufferedReader(new InputStreamReader(parent.getInputStream(), UTF_8))) {
            String pid = lines.lines()
                    .filter(line -> line.matches("\\d+"))
                    .findFirst()
                    .orElseThrow();
            ProcessHandle worker = ProcessHandle.of(Long.parseLong(pid)).orElseThrow();
            assertTrue(worker.isAlive());
            parent.destroyForcibly().waitFor();
            completed("the worker to end itself", worker.onExit());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"INT", "TERM", "HUP"})
    void signalsOfTheProcessGroupAreTheServersBusiness(String signal) throws Exception {
        Process worker = java(ScriptedWorker.class.getName())
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        try {
            // a frame tells that the worker has set itself up
            worker.getOutputStream().write(load("good", Kernels.FAST));
            worker.getOutputStream().flush();
            assertTrue(worker.getInputStream().read() >= 0);
            Signals.send(signal, worker.pid());
            worker.getOutputStream().close();
            assertEquals(
                    0, ended("the worker whose input ended", worker), "ended because its input did, not by the signal");
        } finally {
            worker.destroyForcibly();
        }
    }

    @ParameterizedTest
    @CsvSource({"FAST, 'Kernels fast: [a-z0-9, -]+'", "COMPACT, 'Kernels compact: [a-z0-9, -]+'", "STOCK, Kernels stock"
    })
    void theLogNamesTheKernels(Kernels kernels, String expected, @TempDir Path folder) throws Exception {
        Path log = folder.resolve("log");
        Process worker =
                java(WorkerMain.class.getName()).redirectError(log.toFile()).start();
        try {
            worker.getOutputStream().write(load("src/test/resources/reference/llava-tiny-F16.gguf", kernels));
            worker.getOutputStream().flush();
            Frames.Reader<WorkerFrame> frames =
                    new Frames.Reader<>(WorkerFrame.class, worker.getInputStream(), 1 << 20);
            while (frames.read() instanceof WorkerFrame.Loading) {
                // until it is ready or failed
            }
            List<String> lines = Files.readAllLines(log);
            assertTrue(lines.stream().anyMatch(line -> line.matches("INFO " + expected)), lines.toString());
        } finally {
            worker.destroyForcibly();
        }
    }

    @Test
    void furtherChoicesComeWithoutPixelsAndAreAnsweredAsWithThem() throws Exception {
        byte[] rgb = new byte[3 * 56 * 56];
        new Random(1).nextBytes(rgb);
        String chat =
                """
                {"messages":[{"role":"user","content":[{"type":"media_marker"},{"type":"text","text":"Look"}]}]}""";
        ServerFrame.Image image = new ServerFrame.Image(56, 56, "aa", rgb);
        List<ServerFrame.Generate> choices = Stream.generate(() -> WorkerClient.request(chat, 8, image))
                .limit(3)
                .toList();
        Process worker = java(WorkerMain.class.getName())
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        try (OutputStream out = worker.getOutputStream()) {
            Frames.Reader<WorkerFrame> frames =
                    new Frames.Reader<>(WorkerFrame.class, worker.getInputStream(), WorkerFrame.LONGEST);
            String files = "src/test/resources/reference/";
            out.write(written(new ServerFrame.Load(
                    List.of(files + "qwen2.5-vl-tiny-F16.gguf"),
                    files + "mmproj-qwen2.5-vl-tiny-F16.gguf",
                    0,
                    2,
                    64,
                    1,
                    1,
                    1 << 20,
                    0,
                    0,
                    0,
                    Kernels.STOCK,
                    KvType.F16,
                    null)));
            SentImages images = new SentImages();
            byte[] first = written(images.written(choices.get(0)));
            byte[] second = written(images.written(choices.get(1)));
            assertTrue(first.length > rgb.length);
            assertTrue(second.length < 1000, second.length + " bytes");
            out.flush();
            while (frames.read() instanceof WorkerFrame.Loading) {
                // until it is ready
            }
            out.write(first);
            out.write(second);
            out.flush();
            Map<String, String> answers = answers(frames, 2);
            out.write(written(new ServerFrame.ForgetImage("aa")));
            out.write(written(choices.get(2)));
            out.flush();
            answers.putAll(answers(frames, 1));
            String expected = answers.get(choices.get(2).id());
            assertFalse(expected.isEmpty());
            assertEquals(expected, answers.get(choices.get(0).id()));
            assertEquals(expected, answers.get(choices.get(1).id()));
        } finally {
            worker.destroyForcibly();
        }
    }

    /** Such as memory that has run out. */
    @Test
    void anErrorOnTheThreadThatReadsIsLoggedAndEndsTheWorker() throws Exception {
        CompletableFuture<ProcessExit> ended = new CompletableFuture<>();
        ChildCommand command = new ChildCommand(TestConfig.of(Map.of()).process(), ScriptedWorker.class.getName());
        try (LoggedLines log = new LoggedLines("dev.luq.worker.tiny")) {
            WorkerProcess worker = WorkerProcess.start("tiny", command, new WorkerProcess.Events() {
                @Override
                public void frame(WorkerProcess process, WorkerFrame frame) {
                    throw new OutOfMemoryError("of a test");
                }

                @Override
                public void ended(WorkerProcess process, ProcessExit exit) {
                    ended.complete(exit);
                }
            });
            worker.send(loadFrame("good", Kernels.FAST));
            completed("the worker to be ended", ended);
            assertTrue(log.lines().stream().anyMatch(line -> line.contains("defect")), () -> log.lines()
                    .toString());
        }
    }

    /**
     * Reads until so many requests have ended.
     *
     * @return the text of each by its id
     */
    private static Map<String, String> answers(Frames.Reader<WorkerFrame> frames, int count) throws IOException {
        Map<String, String> answers = new HashMap<>();
        for (int ended = 0; ended < count; ) {
            WorkerFrame frame = frames.read();
            assertFalse(frame == null || frame instanceof WorkerFrame.Failed, () -> "it answers " + frame);
            if (frame instanceof WorkerFrame.Delta delta) {
                answers.merge(delta.id(), delta.content(), String::concat);
            } else if (frame instanceof WorkerFrame.Finished) {
                ended++;
            }
        }
        return answers;
    }

    private static ProcessBuilder java(String... main) {
        List<String> line = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "-cp",
                System.getProperty("java.class.path")));
        line.addAll(List.of(main));
        return new ProcessBuilder(line);
    }

    private static byte[] load(String model, Kernels kernels) throws IOException {
        return written(loadFrame(model, kernels));
    }

    private static ServerFrame.Load loadFrame(String model, Kernels kernels) {
        return new ServerFrame.Load(List.of(model), null, 0, 1, 16, 0, 0, 0, 0, 0, 0, kernels, KvType.F16, null);
    }

    private static byte[] written(ServerFrame frame) throws IOException {
        var out = new ByteArrayOutputStream();
        new Frames.Writer<>(ServerFrame.class, out).write(frame);
        return out.toByteArray();
    }

    @Test
    void aWorkerKnowsNoSecretAndNoOptionOfTheServer() {
        Map<String, String> environment = new HashMap<>(Map.of(
                "PATH", "/bin", "LUQ_API_KEYS", "secret", "QUARKUS_HTTP_PORT", "1", "JAVA_TOOL_OPTIONS", "-Xmx1g"));
        ChildCommand.environment(environment);
        assertEquals(
                Map.of(
                        "PATH", "/bin",
                        "GGML_NO_BACKTRACE", "1",
                        "GOMP_SPINCOUNT", "20000",
                        "OMP_WAIT_POLICY", "ACTIVE"),
                environment);
    }

    @Test
    void theCommandLineCarriesTheConfiguration() {
        WorkerConfig config = TestConfig.of(Map.of(
                "process.heap",
                "99m",
                "process.jvm-options",
                "-Da=1,-Db=2",
                "process.native-cache-dir",
                "/cache",
                "process.crash-dir",
                "/crash",
                "process.class-path",
                "a" + File.pathSeparator + "b"));
        List<String> line = new ChildCommand(config.process(), "Main").line("vendor/model:1");
        assertTrue(
                line.containsAll(List.of(
                        "-Xmx99m",
                        "-Da=1",
                        "-Db=2",
                        "-Dorg.bytedeco.javacpp.cachedir=/cache",
                        "-XX:ErrorFile=/crash/luq-worker-vendor_model_1-%p.crash.log")),
                line.toString());
        assertEquals(
                List.of("-cp", "a" + File.pathSeparator + "b", "Main"), line.subList(line.size() - 3, line.size()));
        assertFalse(line.contains("-Xmx384m"));
    }
}
