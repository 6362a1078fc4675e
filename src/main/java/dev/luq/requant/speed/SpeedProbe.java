package dev.luq.requant.speed;

import dev.luq.llama.Context;
import dev.luq.llama.ContextOptions;
import dev.luq.llama.Llama;
import dev.luq.llama.LlamaException;
import dev.luq.llama.Model;
import dev.luq.llama.TokenBatch;
import dev.luq.machine.Kernels;
import dev.luq.machine.KvType;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/**
 * The process behind {@link Speedometer}, because kernels are chosen once in a process:
 *
 * <pre>
 * SpeedProbe memory THREADS                 prints bytes per second that the threads read
 * SpeedProbe tokens KERNELS THREADS GGUF... prints tokens per second of the model, its split files in order
 * </pre>
 *
 * <p>Exits with 1 and a line on standard error where a model cannot be loaded.
 */
public final class SpeedProbe {

    /** More than the caches of most processors. */
    private static final int LONGS = 1 << 24;

    private static final int PASSES = 6;

    private static final int PROMPT = 64;
    /** Steps before the clock runs: they bring the weights into memory. */
    private static final int WARM_UP = 2;

    private static final int LEAST_STEPS = 8;
    /** Before the context is cut back to the prompt. */
    private static final int MOST_STEPS = 128;
    /** Of all steps together, at least. */
    private static final double SECONDS = 3;

    private static final double NANOS = 1e9;

    private SpeedProbe() {}

    /** @param arguments as above */
    public static void main(String[] arguments) throws InterruptedException {
        List<String> words = Arrays.asList(arguments);
        if (words.get(0).equals("memory")) {
            System.out.println(bytesPerSecond(Integer.parseInt(words.get(1))));
            return;
        }
        Llama.init(line -> {});
        Llama.enableKernels(Kernels.valueOf(words.get(1)));
        try (Model model =
                Model.load(words.subList(3, words.size()).stream().map(Path::of).toList())) {
            System.out.println(1 / secondsOfToken(model, Integer.parseInt(words.get(2))));
        } catch (LlamaException e) {
            System.err.println(e.getMessage());
            System.exit(1);
        }
    }

    /** The fastest of some passes: what disturbs only ever slows. */
    static double bytesPerSecond(int threads) throws InterruptedException {
        long[][] blocks = new long[threads][LONGS / threads];
        long[] sums = new long[threads];
        long bytes = (long) blocks[0].length * threads * Long.BYTES;
        double best = 0;
        for (int pass = 0; pass < PASSES; pass++) {
            Thread[] readers = new Thread[threads];
            long begun = System.nanoTime();
            for (int i = 0; i < threads; i++) {
                int own = i;
                readers[i] = new Thread(() -> sums[own] += sum(blocks[own]), "reader");
                readers[i].start();
            }
            for (Thread reader : readers) {
                reader.join();
            }
            best = Math.max(best, bytes / since(begun));
        }
        // What nobody uses would not be computed.
        return sums[0] == 1 ? 0 : best;
    }

    private static long sum(long[] block) {
        long sum = 0;
        for (long value : block) {
            sum += value;
        }
        return sum;
    }

    private static double secondsOfToken(Model model, int threads) {
        ContextOptions options =
                new ContextOptions(PROMPT + WARM_UP + MOST_STEPS, PROMPT, 1, threads, KvType.F16, true);
        int vocabulary = model.vocabulary().size();
        try (Context context = Context.create(model, options);
                TokenBatch prompt = TokenBatch.create(PROMPT);
                TokenBatch step = TokenBatch.create(1)) {
            for (int position = 0; position < PROMPT; position++) {
                prompt.add(position % vocabulary, position, 0, position == PROMPT - 1);
            }
            context.decode(prompt);
            double best = Double.MAX_VALUE;
            long begun = System.nanoTime();
            do {
                best = Math.min(best, burst(context, step, vocabulary, begun));
                context.remove(0, PROMPT, -1);
            } while (since(begun) < SECONDS);
            return best;
        }
    }

    /** The median of some steps after the prompt: fewer where the time is over. */
    private static double burst(Context context, TokenBatch step, int vocabulary, long begun) {
        double[] seconds = new double[MOST_STEPS];
        int steps = 0;
        for (int i = 0; steps < MOST_STEPS && (steps < LEAST_STEPS || since(begun) < SECONDS); i++) {
            step.clear();
            step.add(i % vocabulary, PROMPT + i, 0, true);
            long before = System.nanoTime();
            context.decode(step);
            if (i >= WARM_UP) {
                seconds[steps++] = since(before);
            }
        }
        Arrays.sort(seconds, 0, steps);
        return seconds[steps / 2];
    }

    private static double since(long begun) {
        return (System.nanoTime() - begun) / NANOS;
    }
}
