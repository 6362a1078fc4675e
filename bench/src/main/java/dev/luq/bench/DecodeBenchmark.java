package dev.luq.bench;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.luq.cli.CliException;
import dev.luq.cli.CompletionClient;
import dev.luq.cli.ModelOptions;
import dev.luq.cli.ServerProcess;
import dev.luq.cli.Waiting;
import dev.luq.files.Units;
import dev.luq.gguf.GgmlType;
import dev.luq.gguf.ModelFiles;
import dev.luq.machine.Kernels;
import dev.luq.machine.Processors;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.function.ToDoubleFunction;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code luq bench decode}: what HTTP, processes and the engine cost beside llama.cpp alone. */
@Command(
        name = "decode",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = "Compares the decoding speed of one stream through HTTP with llama.cpp alone.",
        footerHeading = "%nHow it is measured%n",
        footer = {
            "Both sides decode the same model with the same threads, one sequence, at the same depth: if the server's"
                    + " prompt takes D tokens, llama-bench first fills its cache with D tokens (-d).",
            "Server: greedy sampling, --tokens N tokens over server-sent events. The clock runs in the client, from"
                    + " the arrival of the first token to that of the last one: N-1 decoding steps, with sampling, text"
                    + " conversion, both processes and HTTP. The prompt is outside.",
            "The client runs on the same processors and is kept cheap: it reads a socket and notes the time of each"
                    + " event; what the events say is looked at after the last one.",
            "Direct: llama-bench of the same patched source and the same compiler options, N-1 decoding steps without"
                    + " sampling (-n N-1 -p 0). Both sides multiply with llama.cpp's kernels.",
            "Before the first repetition the server answers --warm-up W times, which is not counted: its code is"
                    + " compiled by then, as in a server that has run for a few seconds.",
            "Tokens that come in quick succession share an event (luq.worker.stream-interval): the first event is the"
                    + " first token's, the last one tells of the last, and N is what usage counts. --every-token sends an"
                    + " event for each.",
            "Each repetition measures both, one after the other, in alternating order; the overhead is the median over"
                    + " the repetitions of direct / HTTP - 1.",
            "With --shape and --compare: Q4_K_M, or the first model, with stock kernels stays loaded in a process of its own; each other side in turn is loaded"
                    + " beside it, which takes room for two models. Both read the prompt once. A round is one turn of each,"
                    + " one right after the other, in alternating order: a step that does not count, since the other's turn"
                    + " has emptied the caches, then --tokens N steps, whose median counts and whose tokens leave the KV"
                    + " cache again. The ratio is the median over the --repetitions R rounds of tokens/s divided by the"
                    + " yardstick's in the same round: processors and memory that are not equally fast all the time cancel"
                    + " out. The quartiles of the ratio say how well they did."
        })
final class DecodeBenchmark implements Callable<Integer> {

    @Option(names = "--model", paramLabel = "GGUF", description = "Model to measure; random weights unless given.")
    private Path model;

    @Option(
            names = "--type",
            defaultValue = "F16",
            description = "Type of the random weights: F16, Q8_0 or Q4_K (default: ${DEFAULT-VALUE}).")
    private GgmlType type;

    @Option(
            names = "--tokens",
            paramLabel = "N",
            description = "Tokens generated in each repetition (default: 129; with --shape or --compare 8).")
    private Integer tokensAsked;

    private int tokens;

    @Option(
            names = "--depth",
            paramLabel = "D",
            defaultValue = "128",
            description = "Words in the prompt, two tokens each (default: ${DEFAULT-VALUE}).")
    private int depth;

    @Option(names = "--threads", paramLabel = "T", description = "Default: the processors available.")
    private int threads = Processors.available();

    @Option(
            names = "--repetitions",
            paramLabel = "R",
            description = "Pairs of measurements (default: 7; with --shape or --compare 20).")
    private Integer repetitionsAsked;

    private int repetitions;

    @Option(
            names = "--warm-up",
            paramLabel = "W",
            defaultValue = "5",
            description = "Answers before the first pair (default: ${DEFAULT-VALUE}).")
    private int warmUp;

    @Option(names = "--every-token", description = "Every token is an event of its own.")
    private boolean everyToken;

    @Option(
            names = "--shape",
            paramLabel = "NAME",
            description = "Measure what low layers and our kernels gain instead: random weights in the shapes of"
                    + " qwen2.5-vl-7b, qwen2.5-vl-3b or llava-1.5-7b, Q4_K_M against LUQ, stock kernels against ours.")
    private String shape;

    @Option(
            names = "--compare",
            paramLabel = "GGUF",
            arity = "1..*",
            description =
                    "Measure how fast these models are instead, stock kernels and ours, against the first one with"
                            + " stock kernels.")
    private List<Path> compared = List.of();

    @Mixin
    private ShapeOptions shapeOptions;

    @Option(names = "--llama-bench", paramLabel = "PROGRAM", hidden = true)
    private Path llamaBench;

    /** Tokens per second of both sides, measured one right after the other. */
    private record Pair(double http, double direct) {
        double overhead() {
            return direct / http - 1;
        }
    }

    @Override
    public Integer call() throws IOException {
        boolean speeds = shape != null || !compared.isEmpty();
        tokens = Objects.requireNonNullElse(tokensAsked, speeds ? 8 : 129);
        repetitions = Objects.requireNonNullElse(repetitionsAsked, speeds ? 20 : 7);
        if (tokens < 2 || repetitions < 1 || threads < 1 || depth < 1 || warmUp < 1) {
            throw new CliException("--tokens must be 2 or more, the other numbers 1 or more.");
        }
        if (shape != null) {
            new ShapeBenchmark(shapeOptions.of(shape, tokens, repetitions, threads)).run();
            return 0;
        }
        if (!compared.isEmpty()) {
            compare();
            return 0;
        }
        if (llamaBench == null) {
            throw new CliException("Start this measurement with the launcher, which compiles llama-bench.");
        }
        if (model != null) {
            measure(model.toAbsolutePath());
            return 0;
        }
        try (TemporaryFolder folder = TemporaryFolder.create()) {
            Path synthesized = folder.resolve("random.gguf");
            new ModelSynthesizer(ModelSynthesizer.Shape.benchmark(type), 1).write(synthesized);
            measure(synthesized);
        }
        return 0;
    }

    private void compare() throws IOException {
        List<SpeedComparison.Side> sides = new ArrayList<>();
        for (Path file : compared) {
            String name = file.getFileName().toString().replaceFirst("\\.gguf$", "");
            sides.add(new SpeedComparison.Side(name + ", stock", file.toAbsolutePath(), Kernels.STOCK));
            sides.add(new SpeedComparison.Side(name + ", ours", file.toAbsolutePath(), shapeOptions.layout()));
        }
        new SpeedComparison(
                        sides.get(0),
                        sides.subList(1, sides.size()),
                        new SpeedComparison.Turns(tokens, shapeOptions.prompt(), repetitions, threads))
                .run();
    }

    private void measure(Path file) throws IOException {
        ModelFiles files = ModelFiles.read(file);
        System.out.printf(
                "model: %.1f million weights, %.1f MiB; %d threads%n",
                files.parameters() / 1e6, files.tensorBytes() / Units.MIB, threads);
        try (TemporaryFolder data = TemporaryFolder.create();
                ServerProcess server =
                        ServerProcess.ofModel(ModelOptions.of(file.toString(), null), options(data.path()))) {
            String id = server.client().model();
            EventClock clock = new EventClock(server.address());
            // Fills the prompt cache and warms up the code on both sides of the connection.
            int promptTokens = 0;
            for (int i = 0; i < warmUp; i++) {
                promptTokens = complete(clock, id).promptTokens();
            }
            direct(file, promptTokens);
            System.out.printf(
                    "%d prompt tokens, %d generated; %d answers before the first pair are not counted%n%n",
                    promptTokens, tokens, warmUp);
            System.out.println("           HTTP      llama.cpp   overhead");
            report(pairs(clock, id, file, promptTokens));
        }
    }

    private List<String> options(Path data) {
        List<String> options = new ArrayList<>(
                List.of("-Dluq.data-dir=" + data, "-Dluq.worker.threads=" + threads, "-Dluq.worker.kernels=stock"));
        if (everyToken) {
            options.add("-Dluq.worker.stream-interval=0");
        }
        return options;
    }

    private List<Pair> pairs(EventClock clock, String id, Path file, int promptTokens) throws IOException {
        List<Pair> pairs = new ArrayList<>();
        for (int i = 0; i < repetitions; i++) {
            boolean httpFirst = i % 2 == 0;
            double http = httpFirst ? complete(clock, id).rate() : 0;
            double direct = direct(file, promptTokens);
            pairs.add(new Pair(httpFirst ? http : complete(clock, id).rate(), direct));
            print(
                    Integer.toString(i + 1),
                    pairs.get(i).http(),
                    direct,
                    pairs.get(i).overhead());
        }
        return pairs;
    }

    private void report(List<Pair> pairs) {
        print("median", median(pairs, Pair::http), median(pairs, Pair::direct), median(pairs, Pair::overhead));
        double ratio = 1 / (1 + median(pairs, Pair::overhead));
        System.out.printf(
                "%nHTTP reaches %.3f of llama.cpp's speed: overhead %.1f %%%n",
                ratio, 100 * median(pairs, Pair::overhead));
    }

    private static void print(String label, double http, double direct, double overhead) {
        System.out.printf("%-7s %7.2f t/s   %7.2f t/s   %6.1f %%%n", label, http, direct, 100 * overhead);
    }

    private static double median(List<Pair> pairs, ToDoubleFunction<Pair> value) {
        return Spread.of(pairs, value).median();
    }

    /** @param rate decoding steps per second after the first token */
    private record Completion(double rate, int promptTokens) {}

    private Completion complete(EventClock clock, String id) {
        ObjectNode request = CompletionClient.JSON.createObjectNode();
        request.put("model", id).put("stream", true).put("temperature", 0).put("max_completion_tokens", tokens);
        request.putObject("stream_options").put("include_usage", true);
        request.putArray("messages")
                .addObject()
                .put("role", "user")
                .put("content", "abc ".repeat(depth).strip());
        EventClock.Answer answer = clock.complete(request);
        long[] arrivals = answer.texts();
        int generated = answer.usage().path("completion_tokens").asInt();
        if (generated != tokens || arrivals.length < 2 || answer.characters() < tokens * 9 / 10) {
            throw new CliException("The model generated " + generated + " tokens with " + answer.characters()
                    + " characters where " + tokens + " visible tokens were asked for: measure with another model.");
        }
        return new Completion(
                (generated - 1) * 1e9 / (arrivals[arrivals.length - 1] - arrivals[0]),
                answer.usage().path("prompt_tokens").asInt());
    }

    /** @return tokens per second of llama.cpp alone */
    private double direct(Path file, int promptTokens) throws IOException {
        ProcessBuilder builder = new ProcessBuilder(
                llamaBench.toString(),
                "-m",
                file.toString(),
                "-p",
                "0",
                "-n",
                Integer.toString(tokens - 1),
                "-d",
                Integer.toString(promptTokens),
                "-t",
                Integer.toString(threads),
                "-r",
                "1",
                "-o",
                "json");
        builder.environment()
                .put("LD_LIBRARY_PATH", llamaBench.toAbsolutePath().getParent().toString());
        byte[] output = Waiting.run(builder.redirectError(ProcessBuilder.Redirect.DISCARD));
        return CompletionClient.JSON.readTree(output).path(0).path("avg_ts").asDouble();
    }
}
