package dev.luq.bench;

import com.fasterxml.jackson.databind.JsonNode;
import dev.luq.cli.ChatSession;
import dev.luq.cli.CliException;
import dev.luq.cli.CompletionClient;
import dev.luq.cli.ServerProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code luq bench first-answer}: how long a newcomer waits for the demo model's first answer about a picture. */
@Command(
        name = "first-answer",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = "Measures the time from the server's start to ready and from there to the first answer.",
        footerHeading = "%nHow it is measured%n",
        footer = {
            "Each repetition starts a server on the demo model with luq serve, asks the first question of the model's"
                    + " examples, then the others, each about a picture of its own, and ends the server. It has a data folder of"
                    + " its own, in which no picture was seen.",
            "Ready: from the start of luq serve until the server, asked every 50 ms, says that its model is loaded.",
            "First answer: from there to the end of the streamed answer. Later answers: the same of the other"
                    + " questions; the code is warm then, the pictures are new.",
            "One server before the first repetition is not counted: after a build it writes the archive of classes"
                    + " that later ones start with, and it brings the files into memory."
        })
final class FirstAnswerBenchmark implements Callable<Integer> {

    private static final int LONGEST_ANSWER = 64;

    @Option(
            names = "--repetitions",
            paramLabel = "R",
            defaultValue = "5",
            description = "Servers started and counted (default: ${DEFAULT-VALUE}).")
    private int repetitions;

    /** A question about a picture. */
    private record Example(Path picture, String question) {}

    /**
     * Seconds.
     *
     * @param later of each further answer
     */
    private record Repetition(double ready, double first, double[] later) {}

    @Override
    public Integer call() throws IOException {
        if (repetitions < 1) {
            throw new CliException("--repetitions must be 1 or more.");
        }
        List<Example> examples = examples(Path.of(System.getProperty("luq.demo-dir", "models/demo"), "examples"));
        repetition(examples);
        System.out.println("seconds             ready  first answer  later answers");
        List<Repetition> done = new ArrayList<>();
        for (int i = 1; i <= repetitions; i++) {
            Repetition one = repetition(examples);
            done.add(one);
            System.out.printf(
                    "%-18s %6.2f  %12.2f  %13.2f%n",
                    i, one.ready(), one.first(), Spread.of(one.later()).median());
        }
        System.out.printf("%nseconds               min  median     max%n");
        print("ready", Spread.of(done, Repetition::ready));
        print("first answer", Spread.of(done, Repetition::first));
        print("both", Spread.of(done, one -> one.ready() + one.first()));
        print(
                "later answers",
                Spread.of(done.stream()
                        .flatMapToDouble(one -> Arrays.stream(one.later()))
                        .toArray()));
        return 0;
    }

    /** The first question about each picture. */
    private static List<Example> examples(Path folder) throws IOException {
        Map<String, Example> examples = new LinkedHashMap<>();
        for (String line : Files.readAllLines(folder.resolve("examples.jsonl"))) {
            JsonNode example = CompletionClient.parse(line);
            if (example.path("image").isTextual()) {
                String name = example.path("image").textValue();
                examples.putIfAbsent(
                        name,
                        new Example(
                                folder.resolve(name), example.path("question").asText()));
            }
        }
        return List.copyOf(examples.values());
    }

    /** In a data folder of its own, in which no picture was seen. */
    private static Repetition repetition(List<Example> examples) throws IOException {
        long start = System.nanoTime();
        try (TemporaryFolder data = TemporaryFolder.create();
                ServerProcess server =
                        ServerProcess.start(List.of("-Dluq.data-dir=" + data.path()), Duration.ofMinutes(5))) {
            double ready = secondsSince(start);
            CompletionClient client = new CompletionClient(server.address(), Optional.empty());
            double[] answers = examples.stream()
                    .mapToDouble(example -> answer(client, example))
                    .toArray();
            return new Repetition(ready, answers[0], Arrays.copyOfRange(answers, 1, answers.length));
        }
    }

    private static double answer(CompletionClient client, Example example) {
        ChatSession session = new ChatSession(ChatSession.read(List.of(example.picture())), LONGEST_ANSWER, 0);
        long start = System.nanoTime();
        session.ask(client, example.question(), text -> {});
        return secondsSince(start);
    }

    private static double secondsSince(long nanoTime) {
        return (System.nanoTime() - nanoTime) / 1e9;
    }

    private static void print(String label, Spread spread) {
        System.out.printf("%-18s %6.2f  %6.2f  %6.2f%n", label, spread.min(), spread.median(), spread.max());
    }
}
