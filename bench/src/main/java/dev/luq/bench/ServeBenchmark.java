package dev.luq.bench;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.luq.cli.CliException;
import dev.luq.cli.CompletionClient;
import dev.luq.cli.ModelOptions;
import dev.luq.cli.ServerProcess;
import dev.luq.files.Units;
import dev.luq.llama.Llama;
import dev.luq.llama.Model;
import dev.luq.llama.Vocabulary;
import dev.luq.machine.Processors;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntFunction;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code luq bench serve}: this server against llama-server of the pinned llama.cpp as upstream has it. */
@Command(
        name = "serve",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = "Compares this server with llama.cpp's own server, unpatched, under the same clients.",
        footerHeading = "%nHow it is measured%n",
        footer = {
            "Both servers run all the time, with the same model and projector files, threads, slots and tokens of KV cache, and"
                    + " take turns: each pair of turns has the same clients at one server and then at the other, by turns ours"
                    + " first and llama-server first. A ratio is ours divided by llama-server's within a pair; the table has"
                    + " the medians over the pairs, and the smallest and largest ratio. The client runs on the same processors"
                    + " and is kept cheap.",
            "Every client sends a request, waits for the whole answer and sends the next one. Both servers get the same bytes:"
                    + " temperature 0, streamed, a bias of -100 for every token that ends an answer, so that every answer has"
                    + " all of its tokens; what usage counts is checked. A turn ends after --seconds, or when every client has"
                    + " had an answer; what is under way then is let end and does not count for tokens/s.",
            "text: a question that was never asked before. new-pictures: a question about a picture of noise that was never shown"
                    + " before. seen-pictures: a new question about one of 8 pictures that were shown before."
                    + " stream-beside-pictures, stream-beside-prompts: one client streams a long answer and is measured, while"
                    + " as many clients as there are other slots ask about new pictures, or with long prompts.",
            "Between tokens: the time between two events with text; both send every token as an event"
                    + " (luq.worker.stream-interval=0ms for ours, unless -D says something else).",
            "Each server has what it has by default otherwise, batch sizes, caches of prompts and pictures among it:"
                    + " llama-server keeps up to 8 GiB of prompts (--cache-ram), ours up to 128 MiB of pictures' embeddings"
                    + " (luq.worker.image-cache-bytes). Its slots share one KV cache (--kv-unified), as ours do and as it does"
                    + " by default. All prompts are new, so caches help with pictures seen before alone. Both encode pictures"
                    + " with --threads too.",
            "Memory: all processes of a server, when it is ready and after the last turn. Pages of the model that both have"
                    + " mapped count in full for RSS and half for each in PSS.",
            "Exit status 1 when a request failed."
        })
final class ServeBenchmark implements Callable<Integer> {

    private static final String EVERY_TOKEN = "luq.worker.stream-interval";
    private static final int SHORT_ANSWER = 4;
    private static final int WARM_UP = 4;

    @Mixin
    private ServedModel served;

    @Option(
            names = "--workloads",
            paramLabel = "NAME",
            split = ",",
            defaultValue = "text,new-pictures,seen-pictures,stream-beside-pictures,stream-beside-prompts",
            description = "Default: all of them, see below.")
    private List<String> workloads;

    @Option(
            names = "--clients",
            paramLabel = "N",
            split = ",",
            defaultValue = "1,4,8,32",
            description = "Clients at once, one comparison for each (default: ${DEFAULT-VALUE}).")
    private List<Integer> clients;

    @Option(
            names = "--seconds",
            paramLabel = "S",
            defaultValue = "5",
            description = "Length of a turn (default: ${DEFAULT-VALUE}).")
    private double seconds;

    @Option(
            names = "--turns",
            paramLabel = "R",
            defaultValue = "3",
            description = "Pairs of turns of each comparison (default: ${DEFAULT-VALUE}).")
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
            names = "--context",
            paramLabel = "TOKENS",
            defaultValue = "1024",
            description = "KV cache of a slot; the slots share all of it (default: ${DEFAULT-VALUE}).")
    private int context;

    @Option(
            names = "--prompt",
            paramLabel = "TOKENS",
            defaultValue = "64",
            description = "Of a question, about (default: ${DEFAULT-VALUE}).")
    private int prompt;

    @Option(
            names = "--long-prompt",
            paramLabel = "TOKENS",
            defaultValue = "768",
            description = "Of a long prompt, about (default: ${DEFAULT-VALUE}).")
    private int longPrompt;

    @Option(
            names = "--tokens",
            paramLabel = "N",
            defaultValue = "32",
            description = "Of an answer (default: ${DEFAULT-VALUE}).")
    private int tokens;

    @Option(
            names = "--stream-tokens",
            paramLabel = "N",
            defaultValue = "256",
            description = "Of the answers of the stream that others disturb (default: ${DEFAULT-VALUE}).")
    private int streamTokens;

    @Option(
            names = "--side",
            paramLabel = "PIXELS",
            defaultValue = "280",
            description = "Of a picture (default: ${DEFAULT-VALUE}).")
    private int side;

    @Option(
            names = "--peer-option",
            paramLabel = "OPTION",
            description = "An option of llama-server, such as --peer-option=--cache-ram=0; may be given again.")
    private List<String> peerOptions = List.of();

    @Option(
            names = "--output",
            paramLabel = "JSON",
            description = "Also writes the figures of every turn to this file.")
    private Path output;

    @Option(names = "--stock-tools", paramLabel = "FOLDER", hidden = true)
    private Path stockTools;

    /** One of the two servers, and how far it is with the requests of each workload. */
    private static final class Side {
        private final URI address;
        private final ProcessHandle process;
        private final Map<String, AtomicInteger> next = new LinkedHashMap<>();

        Side(URI address, ProcessHandle process) {
            this.address = address;
            this.process = process;
        }

        ServeLoad.Group group(String kind, int clients, IntFunction<ObjectNode> request, int tokens) {
            return new ServeLoad.Group(
                    clients, request, next.computeIfAbsent(kind, name -> new AtomicInteger()), tokens);
        }
    }

    @Override
    public Integer call() throws IOException {
        requireSensible();
        if (stockTools == null) {
            throw new CliException("Start this measurement with the launcher, which compiles llama-server.");
        }
        ModelOptions options = served.model();
        List<ServeWorkload> kinds = workloads(options.mmprojFile().isPresent());
        ServeRequests requests = requests(options);
        ObjectNode json = CompletionClient.JSON.createObjectNode();
        json.put("model", options.modelFile().getFileName().toString());
        json.put("threads", threads).put("slots", slots).put("context", slots * context);
        json.put("load_before", loadAverage());
        int failed;
        try (TemporaryFolder data = TemporaryFolder.create();
                ServerProcess ours = served.start(options, data.path(), ourSettings());
                ServerProcess peer = LlamaServer.start(
                        stockTools.resolve("llama-server"),
                        new LlamaServer.Options(
                                options.modelFile(),
                                options.mmprojFile(),
                                threads,
                                slots,
                                slots * context,
                                peerOptions),
                        ServedModel.START)) {
            System.out.printf(
                    "%s; %d threads, %d slots, %d tokens of KV cache; %d pairs of turns of %.0f s; load average %s%n",
                    options.modelFile().getFileName(), threads, slots, slots * context, turns, seconds, loadAverage());
            failed = compare(
                    new Side(ours.address(), ours.handle()),
                    new Side(peer.address(), peer.handle()),
                    kinds,
                    requests,
                    json);
        }
        json.put("load_after", loadAverage());
        System.out.println("load average " + loadAverage());
        if (output != null) {
            Files.writeString(output, json.toPrettyString() + "\n");
        }
        return failed == 0 ? 0 : 1;
    }

    private void requireSensible() {
        if (!(seconds > 0)
                || Stream.of(turns, threads, slots, prompt, longPrompt, side).anyMatch(number -> number < 1)
                || clients.stream().anyMatch(number -> number < 1 || number > 1000)
                || tokens < 2
                || streamTokens < 2) {
            throw new CliException("--seconds is above 0, --tokens and --stream-tokens 2 or more, --clients 1 to 1000,"
                    + " the other numbers 1 or more.");
        }
        if (context < Math.max(prompt + streamTokens, longPrompt + SHORT_ANSWER)) {
            throw new CliException("--context is too small for --prompt with --stream-tokens, or for --long-prompt.");
        }
    }

    /** @throws CliException when there is no such workload, or none for this model */
    private List<ServeWorkload> workloads(boolean withPictures) {
        List<ServeWorkload> asked = workloads.stream().map(ServeWorkload::named).toList();
        List<ServeWorkload> fitting = asked.stream()
                .filter(workload -> withPictures || !workload.hasPictures())
                .toList();
        if (fitting.isEmpty()) {
            throw new CliException("The model reads no pictures without --mmproj.");
        }
        if (fitting.size() < asked.size()) {
            System.out.println("without --mmproj nothing is asked about pictures");
        }
        return fitting;
    }

    private ServeRequests requests(ModelOptions options) {
        Llama.init(line -> {});
        try (Model loaded = Model.load(options.modelFiles().paths())) {
            Vocabulary vocabulary = loaded.vocabulary();
            String words = ServeRequests.vocabulary();
            double tokensOfWord = (double) vocabulary.tokenize(words, false, false).length
                    / words.strip().split(" ").length;
            return new ServeRequests(
                    new ServeRequests.Sizes(
                            (int) Math.ceil(prompt / tokensOfWord),
                            (int) Math.ceil(longPrompt / tokensOfWord),
                            side,
                            tokens,
                            streamTokens,
                            SHORT_ANSWER),
                    ServeRequests.endTokens(vocabulary));
        }
    }

    private Map<String, String> ourSettings() {
        return Map.of(
                "luq.worker.threads",
                Integer.toString(threads),
                "luq.worker.slots",
                Integer.toString(slots),
                "luq.worker.context-size",
                Integer.toString(slots * context),
                EVERY_TOKEN,
                "0ms");
    }

    /** @return how many requests failed */
    private int compare(Side ours, Side peer, List<ServeWorkload> kinds, ServeRequests requests, ObjectNode json) {
        Map<String, ServeMemory> memory = new LinkedHashMap<>();
        memory.put("ours, ready", ServeMemory.of(ours.process));
        memory.put("llama-server, ready", ServeMemory.of(peer.process));
        for (ServeWorkload workload : kinds) {
            warmUp(workload, requests, ours, peer);
        }
        System.out.printf("%n%s%n", ServeComparison.heading());
        List<String> failures = new ArrayList<>();
        for (ServeWorkload workload : kinds) {
            for (int count : workload.isOneStream() ? List.of(1) : clients) {
                ServeComparison comparison = new ServeComparison(workload, count);
                for (int i = 0; i < turns; i++) {
                    boolean oursFirst = i % 2 == 0;
                    Map<String, Double> first =
                            turn(oursFirst ? ours : peer, workload, count, requests, failures, oursFirst);
                    Map<String, Double> second =
                            turn(oursFirst ? peer : ours, workload, count, requests, failures, !oursFirst);
                    comparison.add(oursFirst ? first : second, oursFirst ? second : first);
                }
                comparison.lines().forEach(System.out::println);
                json.withArray("comparisons").add(comparison.json());
            }
        }
        memory.put("ours, at the end", ServeMemory.of(ours.process));
        memory.put("llama-server, at the end", ServeMemory.of(peer.process));
        report(memory, json.putObject("memory"));
        failures.stream().distinct().limit(5).forEach(reason -> System.out.println("failed: " + reason));
        json.put("failed", failures.size());
        return failures.size();
    }

    /** Compiles code, shows the pictures that will have been seen, and looks whether both count the same tokens. */
    private void warmUp(ServeWorkload workload, ServeRequests requests, Side ours, Side peer) {
        int count = workload == ServeWorkload.SEEN_PICTURES ? ServeRequests.SEEN : workload.isOneStream() ? 1 : WARM_UP;
        int ourPrompt = warmUp(workload, requests, ours, count);
        int peersPrompt = warmUp(workload, requests, peer, count);
        System.out.printf(
                "%-24s prompts of %d tokens%s%n",
                workload.label(),
                ourPrompt,
                ourPrompt == peersPrompt
                        ? ""
                        : ", " + peersPrompt + " as llama-server counts: the servers do not do the same");
    }

    /** @return tokens of the first prompt */
    private int warmUp(ServeWorkload workload, ServeRequests requests, Side side, int count) {
        EventClock clock = new EventClock(side.address);
        int promptTokens = 0;
        for (int i = 0; i < count; i++) {
            int number = side.next
                    .computeIfAbsent(workload.label(), name -> new AtomicInteger())
                    .getAndIncrement();
            EventClock.Answer answer =
                    ServeLoad.checked(clock.complete(workload.request(requests, number)), tokensOf(workload));
            promptTokens =
                    promptTokens == 0 ? answer.usage().path("prompt_tokens").asInt() : promptTokens;
        }
        return promptTokens;
    }

    private int tokensOf(ServeWorkload workload) {
        return workload.isOneStream() ? streamTokens : tokens;
    }

    private Map<String, Double> turn(
            Side side,
            ServeWorkload workload,
            int count,
            ServeRequests requests,
            List<String> failures,
            boolean isOurs) {
        List<ServeLoad.Group> groups = new ArrayList<>(List.of(
                side.group(workload.label(), count, number -> workload.request(requests, number), tokensOf(workload))));
        if (workload.isOneStream()) {
            groups.add(side.group(
                    workload.label() + ", others",
                    Math.max(1, slots - 1),
                    number -> workload.beside(requests, number).orElseThrow(),
                    SHORT_ANSWER));
        }
        List<ServeLoad.Turn> turns = ServeLoad.run(side.address, groups, seconds);
        turns.forEach(turn ->
                turn.failures().forEach(reason -> failures.add((isOurs ? "ours: " : "llama-server: ") + reason)));
        return ServeComparison.figures(turns);
    }

    private static void report(Map<String, ServeMemory> memory, ObjectNode json) {
        System.out.printf("%n%-24s %9s %9s %9s%n", "memory, MiB", "RSS", "PSS", "processes");
        memory.forEach((label, one) -> {
            System.out.printf(
                    Locale.ROOT,
                    "%-24s %9.1f %9.1f %9d%n",
                    label,
                    one.resident() / Units.MIB,
                    one.proportional() / Units.MIB,
                    one.processes());
            json.set(label, CompletionClient.JSON.valueToTree(one));
        });
    }

    /** The last 1, 5 and 15 minutes' numbers of threads that ran or wanted to, proc(5). */
    private static String loadAverage() throws IOException {
        String[] numbers = Files.readString(Path.of("/proc/loadavg")).split(" ");
        return String.join(" ", List.of(numbers).subList(0, 3));
    }
}
