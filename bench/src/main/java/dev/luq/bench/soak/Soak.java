package dev.luq.bench.soak;

import dev.luq.bench.soak.Outcome.Sort;
import java.io.IOException;
import java.io.PrintStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.stream.IntStream;

/**
 * Many clients of every kind on one server for a while, and a worker killed every minute. The server has the demo model, and
 * nobody else uses it.
 */
public final class Soak {

    private static final Duration SAMPLE = Duration.ofSeconds(5);
    private static final int SAMPLES_A_LINE = 6;
    private static final Duration KILLS = Duration.ofMinutes(1);
    /** Until a killed worker's successor serves, the queue is empty, the descriptors are closed: with all processors busy. */
    private static final Duration PATIENCE = Duration.ofMinutes(2);

    private static final Duration LAST_ANSWERS = Duration.ofMinutes(3);
    /** Below, warming up is part of what was seen. */
    private static final int SAMPLES_TO_JUDGE = 120;
    /** More than the slots, fewer than may wait. */
    private static final int PROBES = 16;

    private static final double GROWTH = 0.05;
    /** What libraries open or start when they are first needed. */
    private static final int SLACK_DESCRIPTORS = 32;

    private static final int SLACK_PROCESSES = 4;
    private static final String WORKER = "dev.luq.worker.WorkerMain";
    private static final double MIB = 1 << 20;

    private final URI address;
    private final ProcessHandle server;
    private final Load load;
    private final PrintStream out;
    private final HttpClient http = HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(Duration.ofSeconds(20))
            .build();
    private final Deaths deaths = new Deaths();
    private final Judge judge = new Judge(deaths);
    private final Tally tally;
    private final List<Vitals> samples = new ArrayList<>();
    private final Set<Connection> open = ConcurrentHashMap.newKeySet();
    private volatile boolean over;

    /**
     * What is asked.
     *
     * @param time from the first request to the last
     * @param connections clients, each with one connection at a time
     * @param rate requests a second of all clients together, as far as answers come in time
     * @param seed of what they ask
     */
    public record Load(Duration time, int connections, double rate, long seed) {}

    /**
     * @param address scheme, host and port
     * @param server its process, the parent of its workers
     * @param out gets a line each half minute and the result
     */
    public Soak(URI address, ProcessHandle server, Load load, PrintStream out) {
        this.address = address;
        this.server = server;
        this.load = load;
        this.out = out;
        this.tally = new Tally(out);
    }

    /** @return whether the server stood it */
    public boolean run() throws InterruptedException {
        check("the server answers before anything is asked of it", () -> isAnswered("Hello"));
        Vitals before = Vitals.of(server).orElseThrow(() -> new IllegalStateException("The server is gone"));
        long start = System.nanoTime();
        List<Thread> clients = startClients();
        try {
            watch(start);
        } finally {
            over = true;
            end(clients);
        }
        afterwards(before);
        report();
        return tally.problems().isEmpty();
    }

    private List<Thread> startClients() {
        Pictures pictures = new Pictures(load.seed());
        List<Thread> clients = new ArrayList<>();
        for (int i = 0; i < load.connections(); i++) {
            int client = i;
            Thread thread = new Thread(
                    () -> beClient(client, new RandomAsks(load.seed() * 1_000_003 + client, pictures)),
                    "client-" + client);
            thread.setDaemon(true);
            thread.start();
            clients.add(thread);
        }
        return clients;
    }

    private void beClient(int client, RandomAsks asks) {
        int longestPause = (int) (2_000 * load.connections() / load.rate());
        try {
            while (!over) {
                Thread.sleep(asks.pause(longestPause));
                ask(client, asks.next(), asks.pause(1_000));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void ask(int client, Ask ask, int idle) throws InterruptedException {
        long sent = System.nanoTime();
        Outcome outcome;
        try (Connection connection = new Connection(address, client, ask)) {
            open.add(connection);
            try {
                Thread.sleep(idle);
                Reply reply = connection.exchange();
                outcome = judge.of(ask, reply, sent, System.nanoTime());
            } finally {
                open.remove(connection);
            }
        } catch (IOException e) {
            outcome = ask.kind().leaves()
                    ? Outcome.of(Sort.LEFT)
                    : ask.kind().mayBeCut()
                            ? Outcome.of(Sort.REFUSED)
                            : Outcome.wrong(
                                    "a connection that broke", ask.kind().label() + ": " + e);
        }
        if (server.isAlive()) {
            tally.add(ask.kind(), outcome);
        }
    }

    /** Looks at the server, kills its workers, says how it goes, until the time is over or the server is. */
    private void watch(long start) throws InterruptedException {
        out.printf(
                "%d connections, %.0f requests/s, seed %d, %d minutes%n",
                load.connections(), load.rate(), load.seed(), load.time().toMinutes());
        out.println(
                "   time  requests  answered   refused      busy    killed      left  wrong      MiB  files  threads  kills");
        int zombiesInARow = 0;
        long nextKill = start + KILLS.toNanos();
        while (System.nanoTime() < start + load.time().toNanos()) {
            Thread.sleep(SAMPLE.toMillis());
            Optional<Vitals> now = Vitals.of(server);
            if (now.isEmpty()) {
                tally.wrong("the server ended", "after " + clock(System.nanoTime() - start));
                return;
            }
            samples.add(now.get());
            zombiesInARow = now.get().zombies() > 0 ? zombiesInARow + 1 : 0;
            if (zombiesInARow == 2) {
                tally.wrong(
                        "children that ended and were not taken notice of",
                        now.get().toString());
            }
            if (samples.size() % SAMPLES_A_LINE == 0) {
                line(System.nanoTime() - start, now.get());
            }
            if (System.nanoTime() >= nextKill) {
                kill();
                nextKill = System.nanoTime() + KILLS.toNanos();
            }
        }
    }

    private void line(long elapsed, Vitals now) {
        out.printf(
                Locale.ROOT,
                "%7s %9d %9d %9d %9d %9d %9d %6d %8.1f %6d %8d %6d%n",
                clock(elapsed),
                tally.all(),
                tally.of(Sort.ANSWERED),
                tally.of(Sort.REFUSED),
                tally.of(Sort.BUSY),
                tally.of(Sort.DEAD),
                tally.of(Sort.LEFT),
                tally.of(Sort.WRONG),
                now.resident() / MIB,
                now.descriptors(),
                now.threads(),
                deaths.count());
        out.flush();
    }

    private static String clock(long nanos) {
        long seconds = TimeUnit.NANOSECONDS.toSeconds(nanos);
        return String.format("%d:%02d", seconds / 60, seconds % 60);
    }

    /** SIGKILL and SIGSEGV by turns; waits for the successor. */
    private void kill() throws InterruptedException {
        Optional<ProcessHandle> worker =
                server.children().filter(Soak::isWorker).findFirst();
        if (worker.isEmpty()) {
            tally.wrong("no worker", "a minute after the last one died");
            return;
        }
        String signal = deaths.count() % 2 == 0 ? "KILL" : "SEGV";
        deaths.killed(System.nanoTime());
        try {
            new ProcessBuilder(
                            "sh", "-c", "kill -" + signal + " " + worker.get().pid())
                    .inheritIO()
                    .start()
                    .waitFor();
        } catch (IOException e) {
            throw new IllegalStateException("No shell to send a signal with", e);
        }
        check("a killed worker ends", () -> !worker.get().isAlive());
        check("after SIG" + signal + " the model comes back", () -> isGood("/q/health/ready"));
        deaths.back(System.nanoTime());
    }

    private static boolean isWorker(ProcessHandle process) {
        try {
            return Files.readString(
                            Path.of("/proc", Long.toString(process.pid()), "cmdline"), StandardCharsets.ISO_8859_1)
                    .contains(WORKER);
        } catch (IOException e) {
            return false;
        }
    }

    /** Waits for what has to come; that it does not is noted. */
    private void check(String what, BooleanSupplier condition) throws InterruptedException {
        long limit = System.nanoTime() + PATIENCE.toNanos();
        while (!condition.getAsBoolean()) {
            if (!server.isAlive() || System.nanoTime() > limit) {
                tally.wrong(
                        "not so: " + what,
                        server.isAlive() ? "within " + PATIENCE.toSeconds() + " s" : "the server ended");
                return;
            }
            Thread.sleep(250);
        }
    }

    private void end(List<Thread> clients) throws InterruptedException {
        long limit = System.nanoTime() + LAST_ANSWERS.toNanos();
        // Whoever only waits has no answer to lose.
        clients.stream()
                .filter(client -> client.getState() == Thread.State.TIMED_WAITING)
                .forEach(Thread::interrupt);
        for (Thread client : clients) {
            client.join(Math.max(1, TimeUnit.NANOSECONDS.toMillis(limit - System.nanoTime())));
        }
        open.forEach(Connection::close);
    }

    private void afterwards(Vitals before) throws InterruptedException {
        if (!server.isAlive()) {
            tally.wrong("the server ended", "before the last answers came");
            return;
        }
        check(
                "no request runs when nobody asks",
                () -> sum("luq_requests_running") == 0 && sum("luq_requests_waiting") == 0);
        if (!probes().stream().allMatch(CompletableFuture::join)) {
            tally.wrong("not so: every slot answers when all is over", "of " + PROBES + " questions at once");
        }
        check(
                "a question that everybody asks is answered, though it was there whenever a worker died",
                () -> isAnswered(RandomAsks.COMMON_QUESTION));
        check("descriptors are closed when clients are gone", () -> Vitals.of(server)
                .map(now -> now.descriptors() <= before.descriptors() + SLACK_DESCRIPTORS)
                .orElse(false));
        check(
                "one worker is there",
                () -> server.children().filter(Soak::isWorker).count() == 1);
        double died = sum("luq_worker_restarts_total");
        if (died != deaths.count()) {
            tally.wrong(
                    "workers that died by themselves",
                    String.format("%.0f died, %d were killed", died, deaths.count()));
        }
        if (samples.size() < SAMPLES_TO_JUDGE) {
            return;
        }
        flat("memory", Trend.of(samples.stream().map(Vitals::resident).toList()), 0);
        flat("descriptors", Trend.of(samples.stream().map(Vitals::descriptors).toList()), SLACK_DESCRIPTORS);
        flat("threads", Trend.of(samples.stream().map(Vitals::threads).toList()), SLACK_PROCESSES);
        flat("children", Trend.of(samples.stream().map(Vitals::children).toList()), SLACK_PROCESSES);
    }

    private void flat(String what, Trend trend, double slack) {
        if (!trend.isFlat(GROWTH, slack)) {
            tally.wrong(what + " grow", trend.toString());
        }
    }

    private void report() {
        out.printf(
                "%n%-28s %9s %9s %9s %9s %9s %9s %9s%n",
                "requests", "sent", "answered", "refused", "busy", "killed", "left", "wrong");
        for (Kind kind : Kind.values()) {
            out.printf(
                    "%-28s %9d %9d %9d %9d %9d %9d %9d%n",
                    kind.label(),
                    tally.of(kind),
                    tally.of(kind, Sort.ANSWERED),
                    tally.of(kind, Sort.REFUSED),
                    tally.of(kind, Sort.BUSY),
                    tally.of(kind, Sort.DEAD),
                    tally.of(kind, Sort.LEFT),
                    tally.of(kind, Sort.WRONG));
        }
        if (samples.size() >= 4) {
            out.println();
            trend(
                    "resident memory, MiB",
                    Trend.of(samples.stream()
                            .map(sample -> sample.resident() / MIB)
                            .toList()));
            trend(
                    "descriptors",
                    Trend.of(samples.stream().map(Vitals::descriptors).toList()));
            trend("threads", Trend.of(samples.stream().map(Vitals::threads).toList()));
            if (samples.size() < SAMPLES_TO_JUDGE) {
                out.println("too short a time to say whether they grow: they are not judged");
            }
        }
        out.println();
        for (Map.Entry<String, Tally.Problem> problem : tally.problems().entrySet()) {
            out.printf(
                    "WRONG %d times: %s (%s)%n",
                    problem.getValue().times(),
                    problem.getKey(),
                    problem.getValue().example());
        }
        out.println(tally.problems().isEmpty() ? "It held." : "It did not hold.");
        out.flush();
    }

    private void trend(String what, Trend trend) {
        out.printf(
                Locale.ROOT,
                "%-28s %9.1f in the second quarter, %.1f in the last, %+.1f %%%n",
                what,
                trend.before(),
                trend.after(),
                100 * trend.growth());
    }

    private boolean isAnswered(String question) {
        return send(HttpRequest.newBuilder(address.resolve("/v1/chat/completions"))
                        .header("Content-Type", "application/json")
                        .POST(HttpRequest.BodyPublishers.ofString(
                                "{\"max_tokens\":4,\"messages\":[{\"role\":\"user\",\"content\":\"" + question
                                        + "\"}]}")))
                .filter(answer -> answer.statusCode() == 200)
                .isPresent();
    }

    /** Questions at once. */
    private List<CompletableFuture<Boolean>> probes() {
        return IntStream.range(0, PROBES)
                .mapToObj(i -> CompletableFuture.supplyAsync(
                        () -> isAnswered("Is slot " + i + " there?"), probe -> new Thread(probe).start()))
                .toList();
    }

    private boolean isGood(String path) {
        return send(HttpRequest.newBuilder(address.resolve(path)))
                .filter(answer -> answer.statusCode() == 200)
                .isPresent();
    }

    /** A metric over all models; NaN when it cannot be had. */
    private double sum(String metric) {
        return send(HttpRequest.newBuilder(address.resolve("/metrics")))
                .map(answer -> answer.body()
                        .lines()
                        .filter(line -> line.startsWith(metric + "{"))
                        .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' '))))
                        .sum())
                .orElse(Double.NaN);
    }

    private Optional<HttpResponse<String>> send(HttpRequest.Builder request) {
        try {
            return Optional.of(
                    http.send(request.timeout(Duration.ofSeconds(60)).build(), HttpResponse.BodyHandlers.ofString()));
        } catch (IOException e) {
            return Optional.empty();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return Optional.empty();
        }
    }
}
