package dev.luq.cli;

import com.fasterxml.jackson.databind.JsonNode;
import dev.luq.benchmarks.Benchmark;
import dev.luq.benchmarks.data.BenchmarkDataException;
import dev.luq.benchmarks.data.BenchmarkFolder;
import dev.luq.benchmarks.run.BenchmarkRun;
import dev.luq.benchmarks.run.BenchmarkRunException;
import dev.luq.benchmarks.run.Judge;
import dev.luq.benchmarks.run.PromptStyle;
import dev.luq.benchmarks.run.RunHeader;
import dev.luq.benchmarks.run.RunResult;
import dev.luq.benchmarks.scoring.Scores;
import dev.luq.benchmarks.scoring.ScoringException;
import dev.luq.catalog.DemoModel;
import dev.luq.files.PlainText;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Collectors;
import picocli.CommandLine.Option;

/** The part of {@code luq eval} that asks a served model the questions of a published benchmark. */
final class BenchmarkOptions {

    private static final String DEMO = "demo";
    private static final double NANOS = 1e9;
    private static final int LONGEST_NAME = 200;
    /** Where llama-server has them. */
    private static final String META_BYTES = "/meta/size";

    private static final String META_PARAMETERS = "/meta/n_params";

    @Option(
            names = "--benchmark",
            paramLabel = "NAME",
            description = "Asks the model, as a server serves it, the questions of mme, mmbench, textvqa, vqav2, gqa,"
                    + " pope, chartqa, docvqa or mathvista. Goes on where an earlier run stopped.")
    private String benchmark;

    @Option(
            names = "--data",
            paramLabel = "PATH",
            description = "Folder with the benchmark's published files, or one file of it.")
    private Path data;

    @Option(
            names = "--limit",
            paramLabel = "N",
            description = "The first N questions only; a picture of mme and a question of mmbench with its rotations"
                    + " count as one.")
    private Integer limit;

    @Option(
            names = "--prompt",
            paramLabel = "STYLE",
            defaultValue = "lmms-eval",
            description = "In whose words: lmms-eval or vlmevalkit (default: ${DEFAULT-VALUE}).")
    private String prompt;

    @Option(
            names = "--max-tokens",
            paramLabel = "N",
            description = "Longest answer (default: 16 to 512, by the benchmark).")
    private Integer maxTokens;

    @Option(
            names = "--concurrency",
            paramLabel = "N",
            description = "Questions asked at once (default: the model's slots).")
    private Integer concurrency;

    @Option(
            names = "--server",
            paramLabel = "URL",
            converter = ServerAddress.class,
            defaultValue = "http://127.0.0.1:8080",
            description = "Server to ask, with its key in $LUQ_API_KEY (default: ${DEFAULT-VALUE}). When none answers"
                    + " there, demo gets one of its own; a GGUF always does, and no other is asked.")
    private URI server;

    @Option(
            names = "--results",
            paramLabel = "DIR",
            description = "Answers, scores, table and plots (default: benchmarks in the data folder).")
    private Path results;

    @Option(
            names = "--judge",
            paramLabel = "URL",
            converter = ServerAddress.class,
            description = "Server of a model that reads answers to mathvista that the rules cannot; its key is"
                    + " LUQ_JUDGE_API_KEY.")
    private URI judge;

    @Option(
            names = "--judge-model",
            paramLabel = "NAME",
            description = "The judge's model (default: the first of its server).")
    private String judgeModel;

    /** Whether a benchmark is asked for. */
    boolean given() {
        return benchmark != null;
    }

    /**
     * Runs the benchmark and prints its scores.
     *
     * @param model an id at the server, demo, or a GGUF
     * @param mmproj of a GGUF; null otherwise
     * @param folder where results are kept
     * @throws CliException why it ended
     */
    void run(String model, Path mmproj, DataOptions folder) {
        Benchmark chosen = Benchmark.find(benchmark)
                .orElseThrow(() -> new CliException("There is no benchmark " + benchmark + "; take one of "
                        + Arrays.stream(Benchmark.values()).map(Benchmark::id).collect(Collectors.joining(", "))
                        + "."));
        PromptStyle style =
                PromptStyle.find(prompt).orElseThrow(() -> new CliException("--prompt is lmms-eval or vlmevalkit."));
        if (data == null) {
            throw new CliException("--benchmark needs --data: a folder with the files of " + chosen.title() + ".");
        }
        positive("--limit", limit);
        positive("--max-tokens", maxTokens);
        positive("--concurrency", concurrency);
        if (judge != null && chosen != Benchmark.MATHVISTA) {
            throw new CliException("--judge is for mathvista; the other benchmarks are scored by rules alone.");
        }
        if (judgeModel != null && judge == null) {
            throw new CliException("--judge-model needs --judge.");
        }
        Path target = results == null ? folder.folder().benchmarks() : results;
        try {
            BenchmarkFolder published = BenchmarkFolder.of(chosen, data);
            CompletionClient running = CompletionClient.withKeyOf(server, "LUQ_API_KEY");
            if (!Files.isRegularFile(Path.of(model)) && running.answers("/v1/models")) {
                ask(published, style, running, model.equals(DEMO) ? DemoModel.ID : model, target);
                return;
            }
            ModelOptions files = ownModel(model, mmproj);
            System.err.println("luq: starting a server for this benchmark");
            try (ServerProcess own = ServerProcess.ofModel(files)) {
                ask(published, style, own.client(), files.id(), target);
            }
        } catch (BenchmarkDataException | BenchmarkRunException | ScoringException e) {
            throw new CliException(e.getMessage(), e);
        } catch (IOException | UncheckedIOException e) {
            throw new CliException("The benchmark cannot be run: " + e.getMessage(), e);
        }
    }

    private static void positive(String option, Integer value) {
        if (value != null && value < 1) {
            throw new CliException(option + " must be at least 1.");
        }
    }

    /** For a server of its own. */
    private ModelOptions ownModel(String model, Path mmproj) {
        if (model.equals(DEMO)) {
            return ModelOptions.of(model, null);
        }
        if (!Files.isRegularFile(Path.of(model))) {
            throw new CliException("No server answers at " + server
                    + " and lists its models; start one with luq serve, or set LUQ_API_KEY where it wants a key.");
        }
        if (mmproj == null) {
            throw new CliException("--model needs --mmproj to see pictures.");
        }
        return ModelOptions.of(model, mmproj);
    }

    private void ask(BenchmarkFolder published, PromptStyle style, CompletionClient client, String model, Path target)
            throws IOException {
        ServedModel served = new ServedModel(client, model);
        JsonNode description = served.description();
        Benchmark chosen = published.benchmark();
        RunHeader header = header(published, style, description);
        Path answers = target.resolve(chosen.id()).resolve(fileName(header) + ".jsonl");
        ProgressBar bar = ProgressBar.forStandardError();
        bar.message(chosen.title() + " from " + published.form() + ": "
                + published.files().size() + " files");
        BenchmarkRun run = new BenchmarkRun(
                published,
                header,
                style,
                limit == null ? OptionalInt.empty() : OptionalInt.of(limit),
                concurrency == null
                        ? Math.max(1, description.path("luq").path("slots").asInt(1))
                        : concurrency,
                served,
                Optional.ofNullable(judge).map(this::judge));
        RunResult result;
        try {
            result = run.run(answers, progress(bar));
        } finally {
            bar.clear();
        }
        if (!header(published, style, served.description()).equals(header)) {
            throw new CliException("Another file of " + model
                    + " is served than when the run began, or with other settings; remove " + answers
                    + " and run again.");
        }
        BenchmarkReport.add(target, fileName(header), result);
        print(result, answers);
    }

    private RunHeader header(BenchmarkFolder published, PromptStyle style, JsonNode description) {
        JsonNode luq = description.path("luq");
        Optional<Long> bytes = number(luq.path("bytes"))
                .or(() -> number(description.at(META_BYTES)))
                .map(JsonNode::longValue);
        return new RunHeader(
                published.benchmark().id(),
                published.form(),
                description.path("id").asText(),
                luq.path("variant").textValue(),
                luq.path("identity").textValue(),
                bytes.orElse(null),
                number(luq.path("bits_per_weight"))
                        .map(JsonNode::doubleValue)
                        .or(() -> number(description.at(META_PARAMETERS))
                                .filter(count -> count.longValue() > 0)
                                .flatMap(count -> bytes.map(all -> all * 8.0 / count.longValue())))
                        .orElse(null),
                style.id(),
                maxTokens == null ? PromptStyle.maxTokens(published.benchmark()) : maxTokens);
    }

    private static Optional<JsonNode> number(JsonNode value) {
        return Optional.of(value).filter(JsonNode::isNumber);
    }

    /** Of the answers of a file that is served. */
    private static String fileName(RunHeader header) {
        String name = header.model() + (header.variant() == null ? "" : "@" + header.variant()) + "." + header.prompt();
        String plain = name.replaceAll("[^A-Za-z0-9@._-]", "_");
        return plain.substring(0, Math.min(plain.length(), LONGEST_NAME));
    }

    private Judge judge(URI address) {
        CompletionClient client = CompletionClient.withKeyOf(address, "LUQ_JUDGE_API_KEY");
        String name = judgeModel == null ? client.model() : judgeModel;
        return new Judge(name, new ServedModel(client, name));
    }

    /** The time left is that of the questions left at the pace of this run. */
    private static BenchmarkRun.Progress progress(ProgressBar bar) {
        long start = System.nanoTime();
        AtomicLong before = new AtomicLong(-1);
        return (answered, all) -> {
            before.compareAndSet(-1, answered);
            long now = answered - before.get();
            bar.progress(
                    all == 0 ? 1 : (double) answered / all,
                    now == 0
                            ? OptionalLong.empty()
                            : OptionalLong.of(
                                    Math.round((System.nanoTime() - start) / NANOS / now * (all - answered))));
        };
    }

    private static void print(RunResult result, Path answers) {
        System.out.printf("%-12s %s%n", "model", PlainText.of(result.header().model(), LONGEST_NAME));
        if (result.judge() != null) {
            System.out.printf("%-12s %s%n", "judge", PlainText.of(result.judge(), LONGEST_NAME));
        }
        System.out.printf("%-12s %s%n", "answers", answers);
        System.out.println();
        System.out.printf("%-44s %9s %10s%n", "metric", "of", "value");
        for (Scores.Metric metric : result.scores().metrics()) {
            System.out.printf(
                    Locale.ROOT, "%-44s %9d %10.2f%n", PlainText.of(metric.name(), 44), metric.count(), metric.value());
        }
        if (result.refused() > 0) {
            System.out.println(result.refused() + " questions were refused by the server and count as wrong; their"
                    + " lines in the file of answers say why.");
        }
        if (result.unread() > 0) {
            System.out.println(result.unread() + " answers could not be read by the rules"
                    + (result.judge() == null
                            ? " and count as wrong; --judge asks a model to read them."
                            : " or the judge and count as wrong."));
        }
        if (result.header().identity() == null) {
            System.out.println("The server tells no more of what it serves than name and size: give other files or"
                    + " settings under this name another --results.");
        }
    }
}
