package dev.luq.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.luq.llama.Context;
import dev.luq.llama.ContextOptions;
import dev.luq.llama.KernelLayout;
import dev.luq.llama.KvType;
import dev.luq.llama.Llama;
import dev.luq.llama.Model;
import dev.luq.llama.ModelOptions;
import dev.luq.llama.TokenBatch;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/**
 * One measurement of a model in a process of its own, printed as a line of JSON: kernels are chosen once per process.
 * Started by {@link ShapeBenchmark}.
 */
@Command(name = "probe", hidden = true, mixinStandardHelpOptions = true)
final class SpeedProbe implements Callable<Integer> {

    /** Steps before the clock runs: the first ones find caches and pages cold. */
    private static final int WARM_UP = 2;

    @Parameters(paramLabel = "GGUF")
    private Path model;

    @Option(names = "--fast", description = "With our kernels instead of llama.cpp's.")
    private boolean fast;

    @Option(names = "--threads", required = true)
    private int threads;

    @Option(names = "--tokens", required = true, description = "Tokens to generate; 0: none.")
    private int tokens;

    @Option(names = "--prompt", required = true, description = "Tokens of the prompt.")
    private int prompt;

    /**
     * @param load seconds
     * @param prefill tokens per second
     * @param decode tokens per second of one sequence, by the median of its steps; 0 when none were generated
     * @param resident bytes after decoding, the KV cache and the JVM included
     */
    record Speed(double load, double prefill, double decode, long resident) {

        /** Measures in a process of its own. */
        static Speed measure(Path model, boolean fast, int threads, int tokens, int prompt) throws IOException {
            String java = ProcessHandle.current().info().command().orElse("java");
            ProcessBuilder builder = new ProcessBuilder(java, "-XX:+UseSerialGC", "-Xmx256m", "-cp",
                    System.getProperty("java.class.path"), Main.class.getName(), "bench", "probe", model.toString(),
                    "--threads=" + threads, "--tokens=" + tokens, "--prompt=" + prompt);
            if (fast) {
                builder.command().add("--fast");
            }
            JsonNode speed = CompletionClient.JSON.readTree(Waiting.run(builder.redirectError(ProcessBuilder.Redirect.INHERIT)));
            return new Speed(speed.path("load").doubleValue(), speed.path("prefill").doubleValue(),
                    speed.path("decode").doubleValue(), speed.path("resident").longValue());
        }
    }

    @Override
    public Integer call() {
        Llama.init(line -> { });
        if (fast) {
            Llama.enableKernels(KernelLayout.FAST);
        }
        long start = System.nanoTime();
        try (Model loaded = Model.load(List.of(model), ModelOptions.DEFAULT)) {
            double load = seconds(start);
            int length = prompt + tokens + 2 * WARM_UP;
            try (Context context = Context.create(loaded,
                    new ContextOptions(length, prompt, prompt, 1, threads, threads, KvType.F16, true))) {
                decode(context, 0, WARM_UP);
                context.remove(0, 0, -1);
                start = System.nanoTime();
                prefill(context);
                double prefill = prompt / seconds(start);
                decode(context, prompt, WARM_UP);
                double[] steps = decode(context, prompt + WARM_UP, tokens);
                double decode = tokens == 0 ? 0 : 1 / Spread.of(steps).median();
                ObjectNode speed = CompletionClient.JSON.createObjectNode();
                speed.put("load", load).put("prefill", prefill).put("decode", decode)
                        .put("resident", ProcessMemory.of(ProcessHandle.current().pid()).resident());
                System.out.println(speed);
            }
        }
        return 0;
    }

    private void prefill(Context context) {
        try (TokenBatch batch = TokenBatch.create(prompt)) {
            for (int position = 0; position < prompt; position++) {
                batch.add(token(position), position, 0, position == prompt - 1);
            }
            context.decode(batch);
        }
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
