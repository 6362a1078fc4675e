package dev.luq.bench;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.luq.cli.CliException;
import dev.luq.cli.CompletionClient;
import dev.luq.llama.Context;
import dev.luq.llama.ContextOptions;
import dev.luq.llama.Llama;
import dev.luq.llama.LlamaException;
import dev.luq.llama.Model;
import dev.luq.llama.TokenBatch;
import dev.luq.machine.Kernels;
import dev.luq.machine.KvType;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/**
 * The child process behind {@link ProbeProcess}: loads a model, prints a line, then answers each line of standard input
 * with a line of JSON, until the input ends. Kernels are chosen once per process.
 *
 * <pre>
 *             {"load": seconds}
 * prefill     {"seconds": of the prompt in one batch}; it stays in the KV cache
 * decode N    {"seconds": of a step, the median of N after the prompt}; their tokens leave the KV cache
 * memory      {"resident": bytes}
 * </pre>
 *
 * A step before the clock runs brings back into the caches what another process took from them.
 */
@Command(name = "probe", hidden = true, mixinStandardHelpOptions = true)
final class SpeedProbe implements Callable<Integer> {

    /** Steps before the clock runs. */
    private static final int WARM_UP = 1;

    @Parameters(paramLabel = "GGUF")
    private Path model;

    @Option(names = "--kernels", required = true)
    private Kernels kernels;

    @Option(names = "--threads", required = true)
    private int threads;

    @Option(names = "--prompt", required = true, description = "Tokens of the prompt.")
    private int prompt;

    @Option(names = "--tokens", required = true, description = "The most that decode is asked for.")
    private int tokens;

    @Override
    public Integer call() throws IOException {
        Llama.init(line -> {});
        Llama.enableKernels(kernels);
        long start = System.nanoTime();
        try (Model loaded = Model.load(List.of(model))) {
            answer("load", seconds(start));
            ContextOptions options =
                    new ContextOptions(prompt + WARM_UP + tokens, prompt, 1, threads, KvType.F16, true);
            try (Context context = Context.create(loaded, options)) {
                obey(context);
            }
        } catch (LlamaException e) {
            throw new CliException(model.getFileName() + ": " + e.getMessage(), e);
        }
        return 0;
    }

    private void obey(Context context) throws IOException {
        BufferedReader commands = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.US_ASCII));
        for (String line = commands.readLine(); line != null; line = commands.readLine()) {
            String[] words = line.split(" ");
            switch (words[0]) {
                case "prefill" -> answer("seconds", prefill(context));
                case "decode" -> answer("seconds", burst(context, Integer.parseInt(words[1])));
                case "memory" ->
                    answer(
                            "resident",
                            ProcessMemory.of(ProcessHandle.current().pid()).resident());
                default -> throw new CliException("There is no command " + line + ".");
            }
        }
    }

    private static void answer(String name, double value) {
        ObjectNode answer = CompletionClient.JSON.createObjectNode();
        System.out.println(answer.put(name, value));
    }

    private double prefill(Context context) {
        context.remove(0, 0, -1);
        decode(context, 0, WARM_UP);
        context.remove(0, 0, -1);
        try (TokenBatch batch = TokenBatch.create(prompt)) {
            for (int position = 0; position < prompt; position++) {
                batch.add(token(position), position, 0, position == prompt - 1);
            }
            long start = System.nanoTime();
            context.decode(batch);
            return seconds(start);
        }
    }

    private double burst(Context context, int count) {
        decode(context, prompt, WARM_UP);
        double[] steps = decode(context, prompt + WARM_UP, count);
        context.remove(0, prompt, -1);
        return Spread.of(steps).median();
    }

    /** @return the seconds of each step */
    private static double[] decode(Context context, int position, int count) {
        double[] steps = new double[count];
        try (TokenBatch batch = TokenBatch.create(1)) {
            for (int i = 0; i < count; i++) {
                batch.clear();
                batch.add(token(position + i), position + i, 0, true);
                long start = System.nanoTime();
                context.decode(batch);
                steps[i] = seconds(start);
            }
        }
        return steps;
    }

    /** Which token it is does not matter for the speed. */
    private static int token(int position) {
        return 256 + position % 1000;
    }

    private static double seconds(long start) {
        return (System.nanoTime() - start) / 1e9;
    }
}
