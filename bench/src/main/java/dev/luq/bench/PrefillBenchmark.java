package dev.luq.bench;

import dev.luq.machine.Processors;
import java.io.IOException;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code luq bench prefill}: how fast prompts are read, with low layers and without, by our kernels and llama.cpp's. */
@Command(
        name = "prefill",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description =
                "Measures how fast a prompt is read at the size of a real model: Q4_K_M against LUQ, stock kernels"
                        + " against ours.",
        footerHeading = "%nHow it is measured%n",
        footer = {
            "Random weights in the shape of a published model. Q4_K_M with stock kernels stays loaded in a process of its"
                    + " own; each other side in turn is loaded beside it, which takes room for two models.",
            "A round is one prompt on each side of the two, one right after the other, in alternating order, each in one"
                    + " batch after a single token. The ratio is the median over the rounds of tokens/s divided by the"
                    + " yardstick's in the same round: processors and memory that are not equally fast all the time cancel"
                    + " out. The quartiles of the ratio say how well they did."
        })
final class PrefillBenchmark implements Callable<Integer> {

    @Option(
            names = "--shape",
            paramLabel = "NAME",
            defaultValue = "qwen2.5-vl-7b",
            description = "qwen2.5-vl-7b, qwen2.5-vl-3b or llava-1.5-7b (default: ${DEFAULT-VALUE}).")
    private String shape;

    @Mixin
    private ShapeOptions models;

    @Option(
            names = "--repetitions",
            paramLabel = "R",
            defaultValue = "3",
            description = "Rounds of each comparison (default: ${DEFAULT-VALUE}).")
    private int repetitions;

    @Option(names = "--threads", paramLabel = "N", description = "Compute threads (default: all processors).")
    private int threads = Processors.available();

    @Override
    public Integer call() throws IOException {
        new ShapeBenchmark(models.of(shape, 0, repetitions, threads)).run();
        return 0;
    }
}
