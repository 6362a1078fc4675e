package dev.luq.bench;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.luq.cli.CliException;
import dev.luq.cli.ModelOptions;
import dev.luq.cli.ServerProcess;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.stream.IntStream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code luq bench restart}: how long a picture takes that was seen before the server was restarted. */
@Command(
        name = "restart",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = "Measures the time to the first token about pictures, before and after a restart of the server.",
        footerHeading = "%nHow it is measured%n",
        footer = {
            "A server with a data folder of its own is asked about pictures of noise, one after the other, each for the first"
                    + " time. It ends, and another one with the same folder is asked the same. Before, each is asked about"
                    + " one more picture, which does not count: the code is warm then.",
            "Time to first token: from the request's first byte to the first event with text.",
            "With --shape: random weights in the shapes of a published model, language model at Q4_K and vision encoder"
                    + " at F16, of which as large a part is there as of the language model.",
            "What is kept is set with luq.worker.image-files-bytes and luq.worker.prompt-files-bytes."
        })
final class RestartBenchmark implements Callable<Integer> {

    private static final int TOKENS = 4;

    @Mixin
    private ServedModel served;

    @Option(names = "--shape", paramLabel = "NAME", description = "qwen2.5-vl-7b or llava-1.5-7b in place of a model.")
    private String shape;

    @Option(
            names = "--layers",
            paramLabel = "LAYERS",
            defaultValue = "0",
            description = "With --shape: layers of the language model that stand for all, to save time and memory;"
                    + " 0: all (default: ${DEFAULT-VALUE}).")
    private int layers;

    @Option(
            names = "--pictures",
            paramLabel = "N",
            defaultValue = "5",
            description = "Pictures that count (default: ${DEFAULT-VALUE}).")
    private int pictures;

    @Option(
            names = "--side",
            paramLabel = "PIXELS",
            defaultValue = "1008",
            description = "Of a picture (default: ${DEFAULT-VALUE}).")
    private int side;

    @Option(
            names = "--words",
            paramLabel = "N",
            defaultValue = "12",
            description = "Of the question after it (default: ${DEFAULT-VALUE}).")
    private int words;

    @Override
    public Integer call() throws IOException {
        if (pictures < 1 || side < 1 || words < 1) {
            throw new CliException("--pictures, --side and --words must be 1 or more.");
        }
        ServeRequests requests = new ServeRequests(new ServeRequests.Sizes(words, 0, side, TOKENS, 0, 0), Set.of());
        try (TemporaryFolder data = TemporaryFolder.create();
                TemporaryFolder files = TemporaryFolder.create()) {
            ModelOptions model = options(files.path());
            double[] before = ask(model, data.path(), requests, pictures);
            double[] after = ask(model, data.path(), requests, pictures + 1);
            print(before, after);
        }
        return 0;
    }

    /** @param folder for the files of a shape */
    private ModelOptions options(Path folder) throws IOException {
        if (shape == null) {
            return served.model();
        }
        ShapeFiles files = new ShapeFiles(shape, layers);
        System.out.println(files);
        return files.write(folder);
    }

    /**
     * @param warmUp number of the picture that does not count
     * @return seconds to the first token of each that does
     */
    private double[] ask(ModelOptions model, Path data, ServeRequests requests, int warmUp) {
        try (ServerProcess server = served.start(model, data, Map.of())) {
            EventClock clock = new EventClock(server.address());
            firstToken(clock, requests.newPicture(warmUp));
            return IntStream.range(0, pictures)
                    .mapToDouble(picture -> firstToken(clock, requests.newPicture(picture)))
                    .toArray();
        }
    }

    private static double firstToken(EventClock clock, ObjectNode request) {
        EventClock.Answer answer = clock.complete(request);
        if (answer.texts().length == 0) {
            throw new CliException("The model answered nothing; ask about pictures of another size.");
        }
        return (answer.texts()[0] - answer.sent()) / 1e9;
    }

    private static void print(double[] before, double[] after) {
        System.out.printf(
                "time to first token, seconds%n%-12s %10s  %13s  %6s%n",
                "picture", "first time", "after restart", "share");
        for (int i = 0; i < before.length; i++) {
            print(Integer.toString(i + 1), before[i], after[i]);
        }
        print("median", Spread.of(before).median(), Spread.of(after).median());
    }

    private static void print(String label, double before, double after) {
        System.out.printf("%-12s %10.3f  %13.3f  %4.1f %%%n", label, before, after, 100 * after / before);
    }
}
