package dev.luq.serving;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.luq.Integration;
import dev.luq.LoggedLines;
import dev.luq.llama.ModelQuantizer;
import dev.luq.machine.KernelTable;
import dev.luq.machine.KernelTrial;
import dev.luq.machine.KernelTrial.Outcome;
import dev.luq.machine.Kernels;
import dev.luq.machine.KvType;
import dev.luq.machine.NativeBuild;
import dev.luq.process.ChildCommand;
import dev.luq.process.ProcessConfig;
import dev.luq.protocol.Frames;
import dev.luq.protocol.ServerFrame;
import dev.luq.protocol.WorkerFrame;
import dev.luq.requant.TestModels;
import dev.luq.worker.ScriptedTrials;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Integration
class KernelCheckTest {

    private static final KernelCheck.Limits PATIENT =
            new KernelCheck.Limits(Duration.ofSeconds(30), Duration.ofSeconds(60));
    private static final String RIGHT = "verdict right 0.01 20 40";

    @TempDir
    Path folder;

    private KernelCheck check(String table, KernelCheck.Limits limits, String... script) throws IOException {
        Path file = folder.resolve("script");
        // Another process with the same script may be reading it.
        if (!Files.exists(file) || !Files.readAllLines(file).equals(List.of(script))) {
            Files.write(file, List.of(script));
        }
        return new KernelCheck(
                arguments -> {
                    List<String> line = new ArrayList<>(List.of(
                            Path.of(System.getProperty("java.home"), "bin", "java")
                                    .toString(),
                            "-XX:TieredStopAtLevel=1",
                            "-XX:-UsePerfData",
                            "-Xmx16m",
                            "-cp",
                            System.getProperty("java.class.path"),
                            ScriptedTrials.class.getName(),
                            file.toString(),
                            folder.resolve("starts").toString()));
                    line.addAll(List.of(arguments));
                    return line;
                },
                folder.resolve("natives").resolve(table),
                limits);
    }

    /** What they point to stays. */
    @AfterEach
    void removeLinks() throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path link : files.filter(Files::isSymbolicLink).toList()) {
                Files.delete(link);
            }
        }
    }

    private long starts() throws IOException {
        return Files.exists(folder.resolve("starts"))
                ? Files.readAllLines(folder.resolve("starts")).size()
                : 0;
    }

    private static Map<String, Outcome> outcomes(KernelTable table) {
        return table.trials().stream()
                .collect(Collectors.toMap(trial -> trial.type() + " " + trial.set(), KernelTrial::outcome));
    }

    /** Four kinds of failure at once: the rest goes on, each process behind what the last one died of. */
    @Test
    void whatDiesOrIsWrongIsSwitchedOffAndNamed() throws Exception {
        KernelTable table = check(
                        "a",
                        PATIENT,
                        "q4_K avx512vnni both => SIGNAL KILL",
                        "q4_K avx2 both => " + RIGHT,
                        "q6_K avx512vnni both => " + RIGHT,
                        "q6_K avx2 both => " + RIGHT,
                        "q8_0 AMX stock => verdict wrong 7.5 80 90",
                        "q8_0 rows stock => " + RIGHT,
                        "q4_0 AMX stock => " + RIGHT,
                        "f16 rows stock => SIGNAL KILL",
                        "q4_0 CPU_REPACK stock => failed out of memory",
                        "q4_0 rows stock => " + RIGHT)
                .ensure()
                .orElseThrow();
        assertEquals(
                Map.of(
                        "q4_K avx512vnni",
                        Outcome.DIED,
                        "q4_K avx2",
                        Outcome.RIGHT,
                        "q6_K avx512vnni",
                        Outcome.LEFT_OUT,
                        "q6_K avx2",
                        Outcome.RIGHT,
                        "q8_0 AMX",
                        Outcome.WRONG,
                        "q8_0 rows",
                        Outcome.RIGHT,
                        "q4_0 AMX",
                        Outcome.RIGHT,
                        "f16 rows",
                        Outcome.DIED,
                        "q4_0 CPU_REPACK",
                        Outcome.DIED,
                        "q4_0 rows",
                        Outcome.RIGHT),
                outcomes(table));
        assertEquals(
                List.of("avx512vnni", "AMX", "rows of f16", "CPU_REPACK"),
                List.copyOf(table.switchedOff().keySet()));
        assertTrue(
                table.switchedOff().get("avx512vnni").startsWith("died with q4_K (SIGKILL"),
                table.switchedOff().toString());
        assertEquals(
                "wrong with q8_0 (off by 7.5 times what is allowed)",
                table.switchedOff().get("AMX"));
        assertEquals(Map.of("q4_K", "avx2", "q6_K", "avx2"), table.ours(Kernels.FAST));
        assertEquals(3, starts(), "two deaths");
    }

    @Test
    void aKernelThatHangsIsGivenUp() throws Exception {
        KernelTable table = check(
                        "a",
                        new KernelCheck.Limits(Duration.ofSeconds(3), Duration.ofSeconds(60)),
                        "q4_K avx2 both => hang",
                        "q4_K rows stock => " + RIGHT)
                .ensure()
                .orElseThrow();
        assertEquals(Map.of("avx2", "died with q4_K (no answer in 3 s of processor time)"), table.switchedOff());
    }

    /** Its result is kept, and a kernel that is right would be given up for good. */
    @Test
    void aKernelThatGetsNoProcessorDoesNotHang() throws Exception {
        KernelTable table = check(
                        "a",
                        new KernelCheck.Limits(Duration.ofSeconds(2), Duration.ofSeconds(60)),
                        "q4_K avx2 both => wait 5",
                        " => " + RIGHT)
                .ensure()
                .orElseThrow();
        assertEquals(Map.of("q4_K avx2", Outcome.RIGHT), outcomes(table));
    }

    @Test
    void theResultIsKeptForThisBuildAndProcessorOnly() throws Exception {
        KernelTable first =
                check("a", PATIENT, "q4_K avx2 both => " + RIGHT).ensure().orElseThrow();
        assertEquals(
                Optional.of(first),
                check("a", PATIENT, "q4_K avx2 both => SIGNAL KILL").ensure());
        assertEquals(1, starts());
        assertEquals(
                1,
                check("b", PATIENT, "q4_K avx2 both => SIGNAL KILL")
                        .ensure()
                        .orElseThrow()
                        .switchedOff()
                        .size());
        Files.writeString(folder.resolve("natives/a"), "damaged");
        assertEquals(
                Optional.of(first),
                check("a", PATIENT, "q4_K avx2 both => " + RIGHT).ensure(),
                "made again");
        assertEquals(4, starts());
        Path file = KernelTable.file(Optional.of(folder));
        assertEquals(folder.resolve("luq-" + NativeBuild.key()), file.getParent());
        assertTrue(file.getFileName().toString().matches("kernels-[0-9a-f]{16}\\.txt"), file.toString());
    }

    /** Two processes: each has the other's lock to wait for. */
    @Test
    void twoThatStartAtOnceTryOnce() throws Exception {
        KernelCheck check = check("a", PATIENT, "q4_K avx2 both => " + RIGHT);
        List<Process> others = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
            others.add(new ProcessBuilder(
                            Path.of(System.getProperty("java.home"), "bin", "java")
                                    .toString(),
                            "-Xmx32m",
                            "-XX:TieredStopAtLevel=1",
                            "-cp",
                            System.getProperty("java.class.path"),
                            Other.class.getName(),
                            folder.toString())
                    .inheritIO()
                    .start());
        }
        ExecutorService threads = Executors.newFixedThreadPool(2);
        Callable<Optional<KernelTable>> ensure = check::ensure;
        try {
            for (Future<Optional<KernelTable>> table : threads.invokeAll(List.of(ensure, ensure))) {
                assertTrue(table.get().orElseThrow().switchedOff().isEmpty());
            }
        } finally {
            threads.shutdownNow();
        }
        for (Process other : others) {
            assertEquals(0, other.waitFor());
        }
        assertEquals(1, starts());
    }

    /** Another process with the same table. */
    public static final class Other {
        private Other() {}

        public static void main(String[] arguments) throws Exception {
            KernelCheckTest test = new KernelCheckTest();
            test.folder = Path.of(arguments[0]);
            System.exit(
                    test.check("a", PATIENT, "q4_K avx2 both => " + RIGHT)
                                    .ensure()
                                    .isPresent()
                            ? 0
                            : 1);
        }
    }

    /** Nothing is kept then: the next start tries again. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                " => exit",
                "q4_K => exit",
                " => verdict right 1 1 1",
                "q4_K avx2 both => verdict right",
                "q4_K avx2 both => verdict right a b c"
            })
    void whatIsNotUnderstoodLeavesKernelsToTheRule(String script) throws Exception {
        assertEquals(Optional.empty(), check("a", PATIENT, script).ensure());
        assertFalse(Files.exists(folder.resolve("natives/a")));
    }

    @Test
    void whatTheProcessComplainsOfBeforeTheFirstTrialIsLogged() throws Exception {
        try (LoggedLines log = new LoggedLines(KernelCheck.class.getName())) {
            check("a", PATIENT, " => complain libgomp.so.1: no such file", " => complain of it", " => exit")
                    .ensure();
            assertTrue(
                    log.lines().stream().anyMatch(line -> line.endsWith(": libgomp.so.1: no such file of it")),
                    log.lines().toString());
        }
    }

    @Test
    void theWholeIsBoundedInTime() throws Exception {
        assertEquals(
                Optional.empty(),
                check(
                                "a",
                                new KernelCheck.Limits(Duration.ofSeconds(30), Duration.ofSeconds(2)),
                                "q4_K avx2 both => hang")
                        .ensure());
    }

    @Test
    void aFolderThatCannotBeWrittenLeavesKernelsToTheRule() throws Exception {
        Files.writeString(folder.resolve("natives"), "a file");
        assertEquals(
                Optional.empty(),
                check("a", PATIENT, "q4_K avx2 both => " + RIGHT).ensure());
    }

    /** A cache of natives for this test alone, without unpacking them once more. */
    private Path natives() throws IOException {
        Path own = Path.of("luq-" + NativeBuild.key());
        Path cache = Files.createDirectories(folder.resolve("cache").resolve(own));
        Path unpacked =
                Path.of(System.getProperty("user.home"), ".javacpp", "cache").resolve(own);
        if (Files.isDirectory(unpacked)) {
            try (Stream<Path> each = Files.list(unpacked)) {
                for (Path library : each.filter(Files::isDirectory).toList()) {
                    Files.createSymbolicLink(cache.resolve(library.getFileName()), library);
                }
            }
        }
        return cache.getParent();
    }

    /** The kernels of this machine, whatever it is: all of them right, and of every type some. */
    @Test
    void theKernelsOfThisMachineAreRight() throws Exception {
        Path cache = natives();
        KernelTable table = KernelCheck.of(config(cache)).ensure().orElseThrow();
        assertEquals(Map.of(), table.switchedOff());
        assertTrue(
                table.types()
                        .containsAll(List.of(
                                "f32", "f16", "bf16", "q4_0", "q8_0", "q4_K", "q6_K", "iq1_m", "iq4_xs", "mxfp4")),
                table.types().toString());
        for (String type : table.types()) {
            for (Kernels kernels : Kernels.values()) {
                assertTrue(table.taken(type, kernels).isPresent(), type);
            }
        }
        assertTrue(Files.exists(KernelTable.file(Optional.of(cache))));
    }

    /** A worker reads the table and does without what failed, ours and llama.cpp's layouts. */
    @Test
    void aWorkerUsesWhatTheTableSays() throws Exception {
        Path cache = natives();
        KernelTable table = KernelCheck.of(config(cache)).ensure().orElseThrow();
        List<KernelTrial> failed = table.trials().stream()
                .map(trial -> trial.rows()
                                || trial.set().equals("avx2")
                                || trial.set().equals("neon")
                        ? trial
                        : new KernelTrial(trial.type(), trial.set(), trial.kernels(), Outcome.DIED, 0, 0, "SIGILL"))
                .toList();
        Path gguf = folder.resolve("q8_0.gguf");
        TestModels.init();
        ModelQuantizer.quantize(
                Path.of("models/demo/luq-demo-F16.gguf").toAbsolutePath(),
                gguf,
                new ModelQuantizer.Options(ModelQuantizer.FileType.Q8_0, false, Map.of(), Optional.empty(), 1));
        List<String> before = logOfLoading(cache, gguf);
        assertTrue(
                before.stream().anyMatch(line -> line.matches("INFO Kernels fast: [a-z0-9, -]+")), before.toString());
        new KernelTable(failed).write(KernelTable.file(Optional.of(cache)));
        List<String> after = logOfLoading(cache, gguf);
        assertTrue(
                after.stream().anyMatch(line -> line.matches("INFO Kernels fast: (avx2|neon|none)")), after.toString());
        assertTrue(
                after.stream().noneMatch(line -> line.matches(".* (AMX|CPU_REPACK) model buffer.*")), after.toString());
        boolean layout = table.trials().stream()
                .anyMatch(trial -> trial.type().equals("q8_0") && trial.stock() && !trial.rows());
        assertEquals(
                layout,
                before.stream().anyMatch(line -> line.matches(".* (AMX|CPU_REPACK) model buffer.*")),
                before.toString());
    }

    /** The table is of this processor, but a process may be allowed less of it. */
    @Test
    void kernelsThatAWorkerDoesNotHaveLeaveTheChoiceToTheRule() throws Exception {
        Path cache = natives();
        Path gguf = Path.of("models/demo/luq-demo-F16.gguf").toAbsolutePath();
        new KernelTable(List.of(
                        new KernelTrial("q4_K", "other", KernelTrial.kernelsOf("both"), Outcome.RIGHT, 20, 40, "")))
                .write(KernelTable.file(Optional.of(cache)));
        List<String> log = logOfLoading(cache, gguf);
        assertTrue(
                log.stream().anyMatch(line -> line.startsWith("WARN ") && line.contains("no kernels named 'other'")),
                log.toString());
        assertTrue(log.stream().anyMatch(line -> line.matches("INFO Kernels fast: [a-z0-9, -]+")), log.toString());
    }

    private static ProcessConfig config(Path cache) {
        return TestConfig.of(Map.of("process.native-cache-dir", cache.toString()))
                .process();
    }

    private List<String> logOfLoading(Path cache, Path gguf) throws Exception {
        Path log = folder.resolve("log");
        Process worker = new ProcessBuilder(new ChildCommand(config(cache), ChildCommand.WORKER_MAIN).line("test"))
                .redirectError(log.toFile())
                .start();
        try {
            new Frames.Writer<>(ServerFrame.class, worker.getOutputStream())
                    .write(new ServerFrame.Load(
                            List.of(gguf.toString()),
                            null,
                            64,
                            1,
                            16,
                            1,
                            0,
                            0,
                            0,
                            0,
                            0,
                            Kernels.FAST,
                            KvType.F16,
                            null));
            worker.getOutputStream().flush();
            Frames.Reader<WorkerFrame> frames =
                    new Frames.Reader<>(WorkerFrame.class, worker.getInputStream(), 1 << 20);
            WorkerFrame frame = frames.read();
            while (frame instanceof WorkerFrame.Loading) {
                frame = frames.read();
            }
            assertTrue(frame instanceof WorkerFrame.Ready, () -> String.valueOf(log));
            return Files.readAllLines(log);
        } finally {
            worker.destroyForcibly().waitFor();
        }
    }
}
