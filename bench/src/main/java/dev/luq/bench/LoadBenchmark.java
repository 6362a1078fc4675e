package dev.luq.bench;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.luq.cli.CliException;
import dev.luq.cli.CompletionClient;
import dev.luq.cli.ModelOptions;
import dev.luq.cli.ServerProcess;
import dev.luq.llama.Llama;
import dev.luq.llama.Model;
import dev.luq.machine.Processors;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntFunction;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code luq bench load}: this server alone, and what each request took under several numbers of clients. */
@Command(
        name = "load",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = "Measures every request to this server while clients ask about texts and pictures.",
        footerHeading = "%nHow it is measured%n",
        footer = {
            "A server with a data folder of its own is asked in turns, one for each share of pictures and number of"
                    + " clients. Every client sends a request, waits for the whole answer and sends the next one, until"
                    + " --seconds are over; what is under way then is let end and counts too, as does the time that it"
                    + " takes. The client runs on the same processors.",
            "Lengths of questions and answers are drawn evenly from a quarter to seven quarters of --prompt and"
                    + " --tokens. Answers have all of their tokens, as in bench serve. Pictures are of noise and new to"
                    + " the server; with --questions, a client asks so many about a picture before the next one.",
            "Time to first token: from sending a request to the first event with text.",
            "What --output writes is what bench scale calibrates its simulation by.",
            "Exit status 1 when a request failed."
        })
final class LoadBenchmark implements Callable<Integer> {

    /** Requests of each kind before the first turn: the code is compiled then. */
    private static final int WARM_UP = 60;

    @Mixin
    private ServedModel served;

    @Option(
            names = "--clients",
            paramLabel = "N",
            split = ",",
            defaultValue = "1,4",
            description = "Clients at once (default: ${DEFAULT-VALUE}).")
    private List<Integer> clients;

    @Option(
            names = "--pictures",
            paramLabel = "PERCENT",
            split = ",",
            defaultValue = "0,100",
            description = "Of questions about a picture (default: ${DEFAULT-VALUE}).")
    private List<Integer> pictures;

    @Option(
            names = "--questions",
            paramLabel = "N",
            defaultValue = "1",
            description = "About each picture (default: ${DEFAULT-VALUE}).")
    private int questions;

    @Option(
            names = "--seconds",
            paramLabel = "S",
            defaultValue = "5",
            description = "Length of a turn (default: ${DEFAULT-VALUE}).")
    private double seconds;

    @Option(
            names = "--turns",
            paramLabel = "R",
            defaultValue = "1",
            description = "Of each kind, after one of each other kind (default: ${DEFAULT-VALUE}).")
    private int turns;

    @Option(names = "--threads", paramLabel = "N", description = "Compute threads (default: all processors).")
    private int threads = Processors.available();

    @Option(
            names = "--slots",
            paramLabel = "N",
            defaultValue = "4",
            description = "Sequences at once (default: ${DEFAULT-VALUE}).")
    private int slots;

    @Option(
            names = "--prompt",
            paramLabel = "WORDS",
            defaultValue = "64",
            description = "Of a question on average (default: ${DEFAULT-VALUE}).")
    private int prompt;

    @Option(
            names = "--tokens",
            paramLabel = "N",
            defaultValue = "32",
            description = "Of an answer on average (default: ${DEFAULT-VALUE}).")
    private int tokens;

    @Option(
            names = "--side",
            paramLabel = "PIXELS",
            defaultValue = "280",
            description = "Of a picture (default: ${DEFAULT-VALUE}).")
    private int side;

    @Option(names = "--output", paramLabel = "JSON", description = "Also writes every request to this file.")
    private Path output;

    @Override
    public Integer call() throws IOException {
        requireSensible();
        ModelOptions options = served.model();
        if (options.mmprojFile().isEmpty() && pictures.stream().anyMatch(percent -> percent > 0)) {
            throw new CliException("The model reads no pictures without --mmproj. Ask with --pictures=0.");
        }
        IntFunction<MixedRequests> requests = requests(options);
        ObjectNode json = CompletionClient.JSON.createObjectNode();
        json.put("model", options.modelFile().getFileName().toString());
        json.put("threads", threads)
                .put("slots", slots)
                .put("side", side)
                .put("questions", questions)
                .put("seconds", seconds);
        List<ClosedLoop.Turn> measured;
        try (TemporaryFolder data = TemporaryFolder.create();
                ServerProcess server = served.start(
                        options,
                        data.path(),
                        Map.of(
                                "luq.worker.threads", Integer.toString(threads),
                                "luq.worker.slots", Integer.toString(slots)))) {
            measured = measure(server, requests);
        }
        if (output != null) {
            ArrayNode array = json.putArray("turns");
            measured.forEach(turn -> array.add(turn.json()));
            Files.writeString(output, json + "\n");
        }
        List<String> failures =
                measured.stream().flatMap(turn -> turn.failures().stream()).toList();
        failures.stream().distinct().limit(5).forEach(reason -> System.out.println("failed: " + reason));
        return failures.isEmpty() ? 0 : 1;
    }

    private void requireSensible() {
        if (!(seconds > 0)
                || Stream.of(turns, threads, slots, side, questions).anyMatch(number -> number < 1)
                || clients.stream().anyMatch(number -> number < 1 || number > 1000)
                || pictures.stream().anyMatch(percent -> percent < 0 || percent > 100)
                || prompt < 4
                || tokens < 8) {
            throw new CliException("--seconds is above 0, --clients 1 to 1000, --pictures 0 to 100, --prompt 4 or more,"
                    + " --tokens 8 or more, the other numbers 1 or more.");
        }
    }

    /** @return what is asked, by the share of pictures in percent */
    private IntFunction<MixedRequests> requests(ModelOptions options) {
        Llama.init(line -> {});
        try (Model loaded = Model.load(options.modelFiles().paths())) {
            Set<Integer> endTokens = ServeRequests.endTokens(loaded.vocabulary());
            return percent -> new MixedRequests(prompt, tokens, side, questions, percent, endTokens);
        }
    }

    private List<ClosedLoop.Turn> measure(ServerProcess server, IntFunction<MixedRequests> requests) {
        AtomicInteger next = new AtomicInteger();
        for (int percent : pictures) {
            ClosedLoop.run(server.address(), 1, requests.apply(percent), next, 0, WARM_UP);
        }
        System.out.printf(
                "%8s %9s %8s %10s %15s %15s%n",
                "clients", "pictures", "answers", "tokens/s", "first token, ms", "its p95, ms");
        List<ClosedLoop.Turn> measured = new ArrayList<>();
        for (int i = 0; i < turns; i++) {
            for (int percent : pictures) {
                for (int count : clients) {
                    ClosedLoop.Turn turn =
                            ClosedLoop.run(server.address(), count, requests.apply(percent), next, seconds, 1);
                    print(turn);
                    measured.add(turn);
                }
            }
        }
        return measured;
    }

    private static void print(ClosedLoop.Turn turn) {
        if (turn.answered().isEmpty()) {
            return;
        }
        double[] firsts = turn.firsts();
        System.out.printf(
                "%8d %7d %% %8d %10.1f %15.1f %15.1f%n",
                turn.clients(),
                turn.percent(),
                firsts.length,
                turn.throughput(),
                1000 * Arrays.stream(firsts).average().orElse(0),
                1000 * Spread.quantile(0.95, firsts));
    }
}
