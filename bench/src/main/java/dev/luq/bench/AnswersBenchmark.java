package dev.luq.bench;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.luq.catalog.DemoModel;
import dev.luq.cli.ChatSession;
import dev.luq.cli.CliException;
import dev.luq.cli.CompletionClient;
import dev.luq.cli.ModelOptions;
import dev.luq.cli.ProgressBar;
import dev.luq.cli.ServerProcess;
import dev.luq.files.Units;
import dev.luq.machine.Kernels;
import dev.luq.machine.Processors;
import dev.luq.protocol.WorkerFrame.TokenLogprob;
import dev.luq.requant.data.DataException;
import dev.luq.requant.data.Dataset;
import dev.luq.requant.data.Example;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.Callable;
import java.util.stream.IntStream;
import java.util.stream.StreamSupport;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code luq bench answers}: whether a model answers the same with our kernels as with llama.cpp's. */
@Command(
        name = "answers",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = "Compares a model's answers with llama.cpp's kernels and with ours, token by token.",
        footerHeading = "%nHow it is measured%n",
        footer = {
            "Two servers have the same model, one with llama.cpp's kernels and one with ours, and are asked the same questions"
                    + " in the same order, one at a time; each token is the likeliest one. The first token that differs is"
                    + " listed, with the nats by which llama.cpp held its own likelier than ours. Both kernels add in different"
                    + " orders, so tokens that are as good as equally likely, within 0.1 nats, may change places; a larger gap"
                    + " makes the exit status 1.",
            "--layout stock has llama.cpp's kernels on both sides, but one server evaluates prompts in other steps: what adding"
                    + " in another order alone does to the answers.",
            "Without --model it is the demo model with Q4_K, Q6_K and the ladder's low types: Q4_K_M, and every second layer"
                    + " by turns at IQ1_M, IQ2_XXS, IQ2_S, IQ3_XXS and IQ3_S, calibrated on the demo model's calibration set."
        })
final class AnswersBenchmark implements Callable<Integer> {

    private static final int LONGEST_ANSWER = 64;
    /** Tokens: llama.cpp multiplies four at a time and the rest alone. */
    private static final int OTHER_STEPS = 7;
    /** As many as a server tells. */
    private static final int ALTERNATIVES = 20;

    @Option(names = "--model", paramLabel = "MODEL", description = "demo or a GGUF, as it is.")
    private String model;

    @Option(names = "--mmproj", paramLabel = "GGUF", description = "Its vision projector.")
    private Path mmproj;

    @Option(
            names = "--evaluation",
            paramLabel = "DIR",
            description = "Set of questions (default: the demo model's evaluation set).")
    private Path evaluation;

    @Option(
            names = "--every",
            paramLabel = "N",
            defaultValue = "1",
            description = "Of the questions one in N is asked (default: ${DEFAULT-VALUE}).")
    private int every;

    @Option(
            names = "--layout",
            paramLabel = "NAME",
            defaultValue = "fast",
            description = "Of our kernels: fast or compact; stock for a comparison (default: ${DEFAULT-VALUE}).")
    private Kernels layout;

    @Option(
            names = "--threads",
            paramLabel = "T",
            description = "Compute threads of each server. Default: the processors available.")
    private int threads = Processors.available();

    private final List<Row> different = new ArrayList<>();
    /** Of equal tokens, by how many nats their log probabilities differ. */
    private final List<Double> shifts = new ArrayList<>();

    /** A question whose answers differ. */
    private record Row(Example question, AnswerDifference difference) {}

    @Override
    public Integer call() throws IOException {
        if (every < 1 || threads < 1) {
            throw new CliException("--every and --threads must be 1 or more.");
        }
        ModelOptions named = ModelOptions.of(model == null ? "demo" : model, mmproj);
        List<Example> questions = questions(named.set("--evaluation", evaluation, DemoModel::evaluation));
        try (TemporaryFolder folder = TemporaryFolder.create()) {
            Path file = model == null ? LadderMix.ofDemo(folder.path(), threads) : named.modelFile();
            ModelOptions served =
                    ModelOptions.of(file.toString(), named.mmprojFile().orElse(null));
            System.out.printf(
                    Locale.ROOT,
                    "%s, %.1f MiB; llama.cpp's kernels against %s, %d threads%n",
                    file.getFileName(),
                    served.modelFiles().tensorBytes() / Units.MIB,
                    layout == Kernels.STOCK
                            ? "themselves in steps of " + OTHER_STEPS + " tokens"
                            : "ours, layout " + layout.configName(),
                    threads);
            long start = System.nanoTime();
            compare(served, folder.resolve("data"), questions);
            report(questions.size(), (System.nanoTime() - start) / 1e9);
            return different.stream().allMatch(row -> row.difference.isTie()) ? 0 : 1;
        }
    }

    private List<Example> questions(Path set) {
        try {
            List<Example> all = Dataset.read(set).examples();
            return IntStream.range(0, all.size())
                    .filter(i -> i % every == 0)
                    .mapToObj(all::get)
                    .toList();
        } catch (DataException e) {
            throw new CliException(e.getMessage(), e);
        }
    }

    /** @param data folder that the servers may write to */
    private void compare(ModelOptions served, Path data, List<Example> questions) {
        ProgressBar bar = ProgressBar.forStandardError();
        List<String> ourOptions =
                layout == Kernels.STOCK ? List.of("-Dluq.worker.batch-size=" + OTHER_STEPS) : List.of();
        try (ServerProcess stock = server(served, data.resolve("stock"), Kernels.STOCK, List.of());
                ServerProcess ours = server(served, data.resolve("ours"), layout, ourOptions)) {
            CompletionClient stockClient = stock.client();
            CompletionClient ourClient = ours.client();
            long start = System.nanoTime();
            for (int i = 0; i < questions.size(); i++) {
                Example question = questions.get(i);
                List<TokenLogprob> expected = answer(stockClient, question);
                List<TokenLogprob> answer = answer(ourClient, question);
                AnswerDifference.between(expected, answer)
                        .ifPresent(difference -> different.add(new Row(question, difference)));
                Arrays.stream(AnswerDifference.shifts(expected, answer)).forEach(shifts::add);
                double each = (System.nanoTime() - start) / 1e9 / (i + 1);
                bar.progress(
                        (i + 1.0) / questions.size(), OptionalLong.of(Math.round(each * (questions.size() - i - 1))));
            }
        } finally {
            bar.clear();
        }
    }

    private ServerProcess server(ModelOptions served, Path data, Kernels kernels, List<String> more) {
        List<String> options = new ArrayList<>(List.of(
                "-Dluq.data-dir=" + data, "-Dluq.worker.threads=" + threads, "-Dluq.worker.kernels=" + kernels));
        options.addAll(more);
        return ServerProcess.ofModel(served, options);
    }

    private static List<TokenLogprob> answer(CompletionClient client, Example question) {
        ObjectNode request = CompletionClient.JSON.createObjectNode();
        request.put("model", client.model())
                .put("temperature", 0)
                .put("max_completion_tokens", LONGEST_ANSWER)
                .put("logprobs", true)
                .put("top_logprobs", ALTERNATIVES);
        request.putArray("messages").add(ChatSession.message(ChatSession.read(question.images()), question.question()));
        return tokens(client.post("/v1/chat/completions", request)
                .path("choices")
                .path(0)
                .path("logprobs")
                .path("content"));
    }

    private static List<TokenLogprob> tokens(JsonNode array) {
        return StreamSupport.stream(array.spliterator(), false)
                .map(token -> new TokenLogprob(
                        -1, // chat completions do not tell it
                        token.path("token").asText(),
                        token.path("logprob").doubleValue(),
                        StreamSupport.stream(token.path("bytes").spliterator(), false)
                                .map(JsonNode::intValue)
                                .toList(),
                        tokens(token.path("top_logprobs"))))
                .toList();
    }

    private void report(int questions, double seconds) {
        System.out.printf(
                Locale.ROOT,
                "%d questions, %d with identical answers, %d more up to a tie; %.0f s%n",
                questions,
                questions - different.size(),
                different.stream().filter(row -> row.difference.isTie()).count(),
                seconds);
        if (!shifts.isEmpty()) {
            Spread spread = Spread.of(shifts, Double::doubleValue);
            System.out.printf(
                    Locale.ROOT,
                    "log probabilities of %d equal tokens differ by %.4f nats (median), %.4f at most%n",
                    shifts.size(),
                    spread.median(),
                    spread.max());
        }
        if (!different.isEmpty()) {
            System.out.printf("%n%-24s %5s  %-16s %-16s %s%n", "question", "token", "llama.cpp", "ours", "gap, nats");
        }
        for (Row row : different) {
            System.out.printf(
                    Locale.ROOT,
                    "%-24s %5d  %-16s %-16s %.4f%n",
                    row.question.id(),
                    row.difference.position(),
                    text(row.difference.stock()),
                    text(row.difference.ours()),
                    row.difference.gap());
        }
    }

    private static String text(Optional<String> token) {
        return token.map(text -> CompletionClient.JSON.valueToTree(text).toString())
                .orElse("(end)");
    }
}
