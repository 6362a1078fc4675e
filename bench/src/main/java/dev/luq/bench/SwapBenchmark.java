package dev.luq.bench;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.luq.cli.CliException;
import dev.luq.cli.CompletionClient;
import dev.luq.cli.ModelOptions;
import dev.luq.cli.ServerProcess;
import dev.luq.cli.Waiting;
import dev.luq.gguf.LayeredModel;
import dev.luq.gguf.ModelFacts;
import dev.luq.gguf.ModelFiles;
import dev.luq.llama.Llama;
import dev.luq.machine.Processors;
import dev.luq.requant.plan.Plan;
import dev.luq.requant.plan.Precision;
import dev.luq.requant.quantize.AssembledModel;
import dev.luq.requant.quantize.QuantizeListener;
import dev.luq.requant.quantize.Requantizer;
import dev.luq.requant.store.LayerStore;
import dev.luq.requant.store.Manifest;
import dev.luq.requant.store.StoreLease;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code luq bench swap}: how long requests wait while another variant of their model takes over. */
@Command(
        name = "swap",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = "Changes the variant that is served again and again while clients stream.",
        footerHeading = "%nHow it is measured%n",
        footer = {
            "Two variants of the demo model, all layers Q8_0 and all layers Q4_K_M, are made in a data folder of their own and"
                    + " served by a server of its own.",
            "A worker start: unload, then the time of load until the model is ready, on an otherwise idle server, the median"
                    + " of three.",
            "Clients ask a question and stream 24 tokens, without a pause, first for as long as nothing changes, then under the"
                    + " changes. The next change is asked for when each client got a whole answer since the one before. Waiting is"
                    + " the time from sending a request to its first text. A request fails when it is refused or its stream ends"
                    + " early."
        })
final class SwapBenchmark implements Callable<Integer> {

    private static final List<String> VARIANTS = List.of("bench-a", "bench-b");
    private static final Duration POLL = Duration.ofMillis(5);
    private static final int STARTS = 3;
    private static final int ANSWERS_BEFORE = 5;
    private static final int TOKENS = 24;

    @Option(names = "--changes", paramLabel = "N", defaultValue = "10", description = "Default: ${DEFAULT-VALUE}.")
    private int changes;

    @Option(names = "--clients", paramLabel = "N", defaultValue = "4", description = "Default: ${DEFAULT-VALUE}.")
    private int clients;

    @Option(
            names = "--swap",
            paramLabel = "MODE",
            defaultValue = "auto",
            description = "overlap, pause or auto (default: ${DEFAULT-VALUE}).")
    private String mode;

    private final AtomicBoolean stop = new AtomicBoolean();
    private final AtomicInteger failures = new AtomicInteger();
    private final List<String> reasons = Collections.synchronizedList(new ArrayList<>());
    private final List<AtomicInteger> answers = new ArrayList<>();
    /** Seconds to the first text of each request since the list was emptied. */
    private final List<Double> waits = Collections.synchronizedList(new ArrayList<>());
    /** What auto came to. */
    private final Set<String> modes = new TreeSet<>();

    private CompletionClient client;
    private String model;

    @Override
    public Integer call() throws IOException {
        if (changes < 1 || clients < 1) {
            throw new CliException("--changes and --clients are 1 or more.");
        }
        try (TemporaryFolder data = TemporaryFolder.create()) {
            publish(data.path());
            try (ServerProcess server =
                    ServerProcess.start(List.of("-Dluq.data-dir=" + data.path()), Duration.ofMinutes(5))) {
                client = new CompletionClient(server.address(), Optional.empty());
                model = client.model();
                measure();
            }
        }
        return failures.get() == 0 ? 0 : 1;
    }

    /** Makes the variants; their precisions need no importances. */
    private static void publish(Path data) throws IOException {
        Llama.init(line -> {});
        ModelOptions demo = ModelOptions.of("demo", null);
        ModelFiles base = demo.modelFiles();
        LayerStore store = LayerStore.open(data.resolve("store"));
        int layers = LayeredModel.of(base).layers().size();
        try (Requantizer requantizer =
                        new Requantizer(store, base, demo.mmprojFiles(), Optional.empty(), Processors.available());
                StoreLease building = store.build()) {
            List<Precision> precisions = List.of(Precision.Q8_0, Precision.Q4_K_M);
            for (int i = 0; i < precisions.size(); i++) {
                Plan plan = Plan.uniform(layers, precisions.get(i), precisions.get(i), Precision.F16);
                AssembledModel made = requantizer.assemble(plan, QuantizeListener.NONE);
                store.publish(new Manifest(
                        Manifest.VERSION,
                        VARIANTS.get(i),
                        ModelFacts.of(base).name().orElse(demo.id()),
                        requantizer.fingerprint(QuantizeListener.NONE).id(),
                        Instant.EPOCH,
                        plan,
                        Optional.empty(),
                        made.entries(),
                        made.mmprojEntry(),
                        Map.of(),
                        Map.of()));
            }
        }
    }

    private void measure() {
        double start = workerStart();
        System.out.printf(Locale.ROOT, "worker start, idle server    %6.2f s (median of %d)%n", start, STARTS);
        ExecutorService threads = Executors.newFixedThreadPool(clients);
        try {
            for (int i = 0; i < clients; i++) {
                AtomicInteger count = new AtomicInteger();
                answers.add(count);
                threads.submit(() -> ask(count));
            }
            awaitAnswers(1);
            waits.clear();
            awaitAnswers(ANSWERS_BEFORE);
            print("nothing changes");
            waits.clear();
            double longest = 0;
            for (int i = 0; i < changes; i++) {
                longest = Math.max(longest, activate(VARIANTS.get(i % 2)));
                awaitAnswers(1);
            }
            print(changes + " changes, " + String.join(" and ", modes));
            System.out.printf(
                    Locale.ROOT, "longest change under load    %6.2f s, the new worker's start included%n", longest);
        } finally {
            stop.set(true);
            threads.shutdown();
        }
        awaitEnd(threads);
        System.out.printf(
                "failed requests              %6d of %d%n",
                failures.get(),
                failures.get() + answers.stream().mapToInt(AtomicInteger::get).sum());
        reasons.stream().distinct().limit(3).forEach(reason -> System.out.println("  " + reason));
    }

    private double workerStart() {
        double[] seconds = new double[STARTS];
        for (int i = 0; i < STARTS; i++) {
            client.post("/admin/v1/models/" + model + "/unload", CompletionClient.JSON.createObjectNode());
            long start = System.nanoTime();
            client.post("/admin/v1/models/" + model + "/load", CompletionClient.JSON.createObjectNode());
            seconds[i] = (System.nanoTime() - start) / 1e9;
        }
        return Spread.of(seconds).median();
    }

    /** @return seconds until it was served */
    private double activate(String variant) {
        JsonNode done = client.post(
                "/admin/v1/models/" + model + "/activation",
                CompletionClient.JSON.createObjectNode().put("variant", variant).put("swap", mode));
        modes.add(done.path("swap").asText());
        return done.path("seconds").asDouble();
    }

    private void ask(AtomicInteger count) {
        ObjectNode request = CompletionClient.JSON.createObjectNode();
        request.put("model", model).put("stream", true).put("temperature", 0).put("max_completion_tokens", TOKENS);
        request.putArray("messages").addObject().put("role", "user").put("content", "What color is grass?");
        while (!stop.get()) {
            long sent = System.nanoTime();
            long[] first = {0};
            try {
                client.stream(request, text -> first[0] = first[0] == 0 ? System.nanoTime() : first[0]);
                waits.add(((first[0] == 0 ? System.nanoTime() : first[0]) - sent) / 1e9);
                count.incrementAndGet();
            } catch (CliException e) {
                failures.incrementAndGet();
                reasons.add(e.getMessage());
            }
        }
    }

    /** Until each client got so many more answers, or one gets none but refusals. */
    private void awaitAnswers(int more) {
        List<Integer> goals = answers.stream().map(count -> count.get() + more).toList();
        int failed = failures.get();
        for (int i = 0; i < goals.size(); i++) {
            while (answers.get(i).get() < goals.get(i) && failures.get() < failed + 100) {
                Waiting.sleep(POLL);
            }
        }
    }

    private static void awaitEnd(ExecutorService threads) {
        try {
            threads.awaitTermination(1, TimeUnit.MINUTES);
        } catch (InterruptedException e) {
            throw Waiting.interrupted(e);
        }
    }

    private void print(String label) {
        List<Double> counted = List.copyOf(waits);
        Spread spread = Spread.of(counted, Double::doubleValue);
        System.out.printf(
                Locale.ROOT,
                "wait, %-22s %6.2f s longest, %.2f s median, %d requests of %d clients%n",
                label,
                spread.max(),
                spread.median(),
                counted.size(),
                clients);
    }
}
