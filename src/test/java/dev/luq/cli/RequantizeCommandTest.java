package dev.luq.cli;

import static dev.luq.Until.completed;
import static dev.luq.Until.until;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.luq.Integration;
import dev.luq.files.ProcessLock;
import dev.luq.gguf.GgmlType;
import dev.luq.gguf.Gguf;
import dev.luq.gguf.GgufTensor;
import dev.luq.gguf.GgufWriter;
import dev.luq.gguf.ModelFiles;
import dev.luq.requant.spec.Phase;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** The commands requantize, plan, eval and export on a tiny model. */
@Integration
class RequantizeCommandTest {

    private static final Path REFERENCE = Path.of("src/test/resources/reference");
    private static final String MODEL =
            REFERENCE.resolve("qwen2.5-vl-tiny-F16.gguf").toString();
    private static final String MMPROJ =
            REFERENCE.resolve("mmproj-qwen2.5-vl-tiny-F16.gguf").toString();

    @TempDir
    Path folder;

    private record Outcome(int status, String out, String error) {}

    @BeforeEach
    void writeSet() throws IOException {
        Path set = Files.createDirectory(folder.resolve("set"));
        Files.copy(REFERENCE.resolve("square-70x70.png"), set.resolve("a.png"));
        StringBuilder lines = new StringBuilder();
        for (int i = 0; i < 10; i++) {
            lines.append("{\"image\": ")
                    .append(i % 2 == 0 ? "\"a.png\"" : "null")
                    .append(", \"question\": \"Number ")
                    .append(i)
                    .append("?\", \"answer\": \"yes\"}\n");
        }
        Files.writeString(set.resolve("set.jsonl"), lines);
    }

    private static Outcome luq(List<String> arguments) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        StringWriter error = new StringWriter();
        PrintStream before = System.out;
        System.setOut(new PrintStream(bytes));
        try {
            CommandLine commandLine = Main.commandLine().setErr(new PrintWriter(error, true));
            return new Outcome(
                    commandLine.execute(arguments.toArray(String[]::new)), bytes.toString(UTF_8), error.toString());
        } finally {
            System.setOut(before);
        }
    }

    private Outcome onTiny(String command, String... more) {
        List<String> arguments = new ArrayList<>(List.of(command, "--model", MODEL, "--mmproj", MMPROJ));
        arguments.addAll(List.of(more));
        return luq(arguments);
    }

    private Outcome requantize(String... more) {
        List<String> arguments = new ArrayList<>(List.of(
                "--calibration",
                folder.resolve("set").toString(),
                "--evaluation",
                folder.resolve("set").toString(),
                "--data-dir",
                folder.resolve("data").toString(),
                "--method",
                "error",
                "--low",
                "IQ3_S",
                "--threads",
                "1"));
        arguments.addAll(List.of(more));
        return onTiny("requantize", arguments.toArray(String[]::new));
    }

    @Test
    void aServerOfWhichNothingIsAskedIsRefused() {
        Outcome refused = requantize("--memory", "90%", "--server", "http://127.0.0.1:9");
        assertEquals(1, refused.status(), refused.error());
        assertTrue(refused.error().contains("add --activate"), refused.error());
    }

    @Test
    void aModelIsMadeMeasuredAndExported() throws IOException {
        Outcome made = requantize("--memory", "90%", "--name", "small", "--activate", "--server", "http://127.0.0.1:9");
        assertEquals(0, made.status(), made.error());
        for (String line : List.of(
                "model        small, by error",
                "of Q4_K_M",
                "after an image",
                "report.html",
                "from the next start of a server")) {
            assertTrue(made.out().contains(line), made.out());
        }
        assertTrue(Files.exists(folder.resolve("data/catalog.json")));

        Outcome measured = luq(List.of(
                "eval",
                "--model",
                "small",
                "--base",
                MODEL,
                "--mmproj",
                MMPROJ,
                "--evaluation",
                folder.resolve("set").toString(),
                "--data-dir",
                folder.resolve("data").toString(),
                "--threads",
                "1"));
        assertEquals(0, measured.status(), measured.error());
        List<String> agreement =
                made.out().lines().filter(line -> line.startsWith("text only")).toList();
        assertEquals(
                agreement,
                measured.out()
                        .lines()
                        .filter(line -> line.startsWith("text only"))
                        .toList(),
                "the same files give the same figures");

        Path file = folder.resolve("small.gguf");
        Outcome exported = luq(List.of(
                "export",
                "--model",
                "small",
                "--out",
                file.toString(),
                "--data-dir",
                folder.resolve("data").toString()));
        assertEquals(0, exported.status(), exported.error());
        assertEquals(
                ModelFiles.read(Path.of(MODEL)).parameters(),
                ModelFiles.read(file).parameters());
    }

    @Test
    void theSameCommandFindsItsJobAgain() throws IOException {
        String first = requantize("--memory", "90%").out();
        Outcome again = requantize("--memory", "90%");
        assertEquals(first, again.out());
        try (var jobs = Files.list(folder.resolve("data/jobs"))) {
            assertEquals(1, jobs.count());
        }
    }

    @Test
    void ofTwoCommandsOneWaitsForTheOtherOnesJob() throws Exception {
        Path job = Files.createDirectories(folder.resolve("data/jobs/small"));
        ByteArrayOutputStream said = new ByteArrayOutputStream();
        PrintStream before = System.err;
        System.setErr(new PrintStream(said, true, UTF_8));
        try {
            CompletableFuture<Outcome> second;
            try (ProcessLock first = ProcessLock.take(job.resolve("process.lock"), () -> false, () -> {})
                    .orElseThrow()) {
                second = CompletableFuture.supplyAsync(() -> requantize("--memory", "90%", "--name", "small"));
                until("a word of why it waits", () -> said.toString(UTF_8).contains("works on this job"));
                assertFalse(Files.exists(job.resolve("spec.json")), "nothing is begun");
            }
            Outcome done = completed("the command", second);
            assertEquals(0, done.status(), done.error());
        } finally {
            System.setErr(before);
        }
    }

    @Test
    void timesAreToldByPhaseAndUntilTheModelIsPublished() {
        assertEquals(
                "calibrate 0.3, plan 0.5, evaluate 7.0, publish 0.1, compare 90.0; published after 0.9 and its evaluation",
                RequantizeCommand.times(new TreeMap<>(Map.of(
                        Phase.CALIBRATE,
                        0.25,
                        Phase.PLAN,
                        0.5,
                        Phase.EVALUATE,
                        7.0,
                        Phase.PUBLISH,
                        0.1,
                        Phase.COMPARE,
                        90.0))));
    }

    @Test
    void everyNumberOfLowLayersIsPlanned() {
        Outcome plan = onTiny("plan", "--low", "IQ3_S", "--memory", "95%");
        assertEquals(0, plan.status(), plan.error());
        List<String> rows =
                plan.out().lines().filter(line -> line.matches(" +\\d .*")).toList();
        assertEquals(3, rows.size(), plan.out());
        assertTrue(rows.get(0).contains("100.0 %"));
        assertEquals(1, rows.stream().filter(row -> row.endsWith("<- 95%")).count(), plan.out());
    }

    @Test
    void whatIsWrongIsSaid() throws IOException {
        assertRefused(requantize("--memory", "60 pounds"), "Budgets look like 60%");
        assertRefused(requantize("--memory", "90%", "--alpha", "2"), "Alpha is between 0 and 1");
        assertRefused(requantize("--memory", "90%", "--high", "IQ1_M"), "The low precision must be smaller");
        assertRefused(requantize("--memory", "1%"), "the smallest possible is");
        assertFalse(Files.exists(folder.resolve("data/jobs")), "headers decide that: no job was begun");
        assertRefused(onTiny("requantize", "--memory", "60%"), "--calibration is needed");
        assertRefused(
                luq(List.of("requantize", "--model", "nowhere.gguf", "--memory", "60%")), "there is no nowhere.gguf");
        assertRefused(
                luq(List.of("export", "--model", "x", "--out", "x.gguf", "--data-dir", folder.toString())), "no store");
        requantize("--memory", "90%", "--name", "taken");
        assertRefused(requantize("--memory", "95%", "--name", "taken"), "choose another --name");
    }

    @Test
    void planAndRequantizeRefuseABaseThatIsQuantizedAlready() throws IOException {
        Gguf base = ModelFiles.read(Path.of(MODEL)).first();
        List<GgufTensor> tensors = base.tensors().stream()
                .map(tensor -> tensor.type() == GgmlType.F16
                        ? new GgufTensor(tensor.name(), GgmlType.Q4_0, tensor.shape())
                        : tensor)
                .toList();
        Path quantized = folder.resolve("quantized.gguf");
        try (GgufWriter writer = GgufWriter.create(quantized, base.metadata(), tensors)) {
            for (GgufTensor tensor : tensors) {
                writer.begin(tensor.name());
                writer.write(ByteBuffer.allocate((int) tensor.bytes()));
            }
            writer.commit();
        }
        String set = folder.resolve("set").toString();
        assertRefused(luq(List.of("plan", "--model", quantized.toString())), "The base model is quantized already");
        assertRefused(
                luq(List.of(
                        "requantize",
                        "--model",
                        quantized.toString(),
                        "--memory",
                        "90%",
                        "--calibration",
                        set,
                        "--evaluation",
                        set,
                        "--data-dir",
                        folder.resolve("data").toString())),
                "The base model is quantized already");
    }

    private static void assertRefused(Outcome outcome, String message) {
        assertEquals(1, outcome.status(), outcome.toString());
        assertTrue(outcome.error().startsWith("luq: ") && outcome.error().contains(message), outcome.toString());
    }
}
