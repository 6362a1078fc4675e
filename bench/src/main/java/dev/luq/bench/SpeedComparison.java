package dev.luq.bench;

import dev.luq.cli.CliException;
import dev.luq.files.Units;
import dev.luq.gguf.ModelFiles;
import dev.luq.machine.Kernels;
import dev.luq.memory.WeightMemory;
import dev.luq.serving.MachineMemory;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;

/**
 * Compares how fast models are, each with some kernels. A machine is not equally fast all the time: processors and memory
 * are shared, and on a virtual machine nothing says when. So the yardstick stays loaded, each other side in turn is loaded
 * beside it, and those two take turns that are as short as a measurement can be. The ratio of a round is that of two
 * neighbouring turns, and the median of all rounds counts.
 */
final class SpeedComparison {

    /** What a process takes beside the weights: JVM, compute buffers and KV cache of a prompt of 512 tokens. */
    private static final long PROCESS_BYTES = 512L << 20;

    private static final int LEAST_WIDTH = 14;

    /** What is measured: a model's file with some kernels, under a title. */
    record Side(String title, Path file, Kernels kernels) {}

    /**
     * How.
     *
     * @param tokens generated in each turn; 0 measures prompts instead
     * @param prompt tokens of the prompt
     * @param rounds of two turns, of a side and of the yardstick
     */
    record Turns(int tokens, int prompt, int rounds, int threads) {}

    private final Side yardstick;
    private final List<Side> others;
    private final Turns turns;
    private final int width;
    /** Tokens per second of each turn. */
    private final List<Double> yardstickRates = new ArrayList<>();

    SpeedComparison(Side yardstick, List<Side> others, Turns turns) {
        this.yardstick = yardstick;
        this.others = List.copyOf(others);
        this.turns = turns;
        width = others.stream()
                .mapToInt(side -> side.title().length())
                .reduce(Math.max(LEAST_WIDTH, yardstick.title().length()), Math::max);
    }

    /**
     * Measures and prints.
     *
     * @throws CliException there is too little memory for two sides at once, or a side cannot be loaded
     */
    void run() throws IOException {
        requireRoom(needed(), MachineMemory.ofThisMachine().available());
        System.out.printf(
                "%n%-" + width + "s %11s %7s  %-13s %7s %11s%n",
                "median",
                turns.tokens() > 0 ? "decode t/s" : "prefill t/s",
                "ratio",
                "quartiles",
                "load s",
                "memory");
        try (ProbeProcess process = start(yardstick)) {
            for (Side side : others) {
                compare(side, process);
            }
            print(yardstick, Spread.of(yardstickRates, rate -> rate).median(), "   1.00", process);
        }
        Spread rates = Spread.of(yardstickRates, rate -> rate);
        System.out.printf(
                "Ratios are to %s, median and quartiles of %d rounds. Half of the %d turns of %1$s%n"
                        + "came to %.2f to %.2f tokens/s, all to %.2f to %.2f: so much did the machine's speed vary.%n",
                yardstick.title(),
                turns.rounds(),
                yardstickRates.size(),
                rates.lower(),
                rates.upper(),
                rates.min(),
                rates.max());
    }

    private void compare(Side side, ProbeProcess ofYardstick) throws IOException {
        double[] rates = new double[turns.rounds()];
        double[] ratios = new double[turns.rounds()];
        try (ProbeProcess own = start(side)) {
            for (int round = 0; round < turns.rounds(); round++) {
                double other;
                if (round % 2 == 0) {
                    other = rate(ofYardstick);
                    rates[round] = rate(own);
                } else {
                    rates[round] = rate(own);
                    other = rate(ofYardstick);
                }
                yardstickRates.add(other);
                ratios[round] = rates[round] / other;
            }
            Spread ratio = Spread.of(ratios);
            print(
                    side,
                    Spread.of(rates).median(),
                    String.format("%7.2f  %.2f to %.2f", ratio.median(), ratio.lower(), ratio.upper()),
                    own);
        }
    }

    private void print(Side side, double rate, String ratio, ProbeProcess process) throws IOException {
        System.out.printf(
                "%-" + width + "s %11.2f %-22s %7.1f %7.2f GiB%n",
                side.title(),
                rate,
                ratio,
                process.load(),
                process.resident() / Units.GIB);
    }

    private ProbeProcess start(Side side) throws IOException {
        ProbeProcess process =
                new ProbeProcess(side.file(), side.kernels(), turns.threads(), turns.prompt(), turns.tokens());
        try {
            if (turns.tokens() > 0) {
                process.prefill();
            }
            return process;
        } catch (IOException | CliException e) {
            process.close();
            throw e;
        }
    }

    private double rate(ProbeProcess process) throws IOException {
        return turns.tokens() > 0 ? 1 / process.decode(turns.tokens()) : turns.prompt() / process.prefill();
    }

    /** Bytes of the yardstick and the largest of the others. */
    private long needed() throws IOException {
        long largest = 0;
        for (Side side : others) {
            largest = Math.max(largest, bytes(side));
        }
        return bytes(yardstick) + largest;
    }

    private static long bytes(Side side) throws IOException {
        return new WeightMemory(side.kernels()).of(ModelFiles.read(side.file())).total() + PROCESS_BYTES;
    }

    /**
     * @param needed bytes
     * @param available bytes; empty when the system does not say
     * @throws CliException they are more than is available
     */
    static void requireRoom(long needed, OptionalLong available) {
        if (needed > available.orElse(Long.MAX_VALUE)) {
            throw new CliException(String.format(
                    "Two of the models are loaded at a time, which takes %.1f GiB; %.1f GiB are"
                            + " available. End what else runs, or measure smaller models (a shape's with --layers).",
                    needed / Units.GIB, available.getAsLong() / Units.GIB));
        }
    }
}
