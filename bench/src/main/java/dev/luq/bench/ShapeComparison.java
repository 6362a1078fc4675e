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
 * Compares a Q4_K_M and a LUQ model, with stock kernels and ours. A machine is not equally fast all the time: processors
 * and memory are shared, and on a virtual machine nothing says when. So the yardstick, Q4_K_M with stock kernels, stays
 * loaded, each other side in turn is loaded beside it, and those two take turns that are as short as a measurement can be.
 * The ratio of a round is that of two neighbouring turns, and the median of all rounds counts.
 */
final class ShapeComparison {

    /** What a process takes beside the weights: JVM, compute buffers and KV cache of a prompt of 512 tokens. */
    private static final long PROCESS_BYTES = 512L << 20;

    private enum Side {
        STOCK_Q4("Q4_K_M, stock", false, false),
        OUR_Q4("Q4_K_M, ours", false, true),
        STOCK_LUQ("LUQ, stock", true, false),
        OUR_LUQ("LUQ, ours", true, true);

        private static final Side YARDSTICK = STOCK_Q4;

        private final String title;
        private final boolean low;
        private final boolean ours;

        Side(String title, boolean low, boolean ours) {
            this.title = title;
            this.low = low;
            this.ours = ours;
        }
    }

    private final Path base;
    private final Path luq;
    private final ShapeBenchmark.Options options;
    /** Tokens per second of each turn. */
    private final List<Double> yardstickRates = new ArrayList<>();

    ShapeComparison(Path base, Path luq, ShapeBenchmark.Options options) {
        this.base = base;
        this.luq = luq;
        this.options = options;
    }

    /**
     * Measures and prints.
     *
     * @throws CliException there is too little memory for two sides at once, or a side cannot be loaded
     */
    void run() throws IOException {
        requireRoom(needed(), MachineMemory.ofThisMachine().available());
        System.out.printf(
                "%n%-14s %11s %7s  %-13s %7s %11s%n",
                "median",
                options.tokens() > 0 ? "decode t/s" : "prefill t/s",
                "ratio",
                "quartiles",
                "load s",
                "memory");
        try (ProbeProcess yardstick = start(Side.YARDSTICK)) {
            for (Side side : Side.values()) {
                if (side != Side.YARDSTICK) {
                    compare(side, yardstick);
                }
            }
            print(Side.YARDSTICK, Spread.of(yardstickRates, rate -> rate).median(), "   1.00", yardstick);
        }
        Spread rates = Spread.of(yardstickRates, rate -> rate);
        System.out.printf(
                "Ratios are to %s, median and quartiles of %d rounds. Half of the %d turns of %1$s%n"
                        + "came to %.2f to %.2f tokens/s, all to %.2f to %.2f: so much did the machine's speed vary.%n",
                Side.YARDSTICK.title,
                options.rounds(),
                yardstickRates.size(),
                rates.lower(),
                rates.upper(),
                rates.min(),
                rates.max());
    }

    private void compare(Side side, ProbeProcess yardstick) throws IOException {
        double[] rates = new double[options.rounds()];
        double[] ratios = new double[options.rounds()];
        try (ProbeProcess own = start(side)) {
            for (int round = 0; round < options.rounds(); round++) {
                double other;
                if (round % 2 == 0) {
                    other = rate(yardstick);
                    rates[round] = rate(own);
                } else {
                    rates[round] = rate(own);
                    other = rate(yardstick);
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

    private static void print(Side side, double rate, String ratio, ProbeProcess process) throws IOException {
        System.out.printf(
                "%-14s %11.2f %-22s %7.1f %7.2f GiB%n",
                side.title, rate, ratio, process.load(), process.resident() / Units.GIB);
    }

    private ProbeProcess start(Side side) throws IOException {
        ProbeProcess process =
                new ProbeProcess(file(side), kernels(side), options.threads(), options.prompt(), options.tokens());
        try {
            if (options.tokens() > 0) {
                process.prefill();
            }
            return process;
        } catch (IOException | CliException e) {
            process.close();
            throw e;
        }
    }

    private double rate(ProbeProcess process) throws IOException {
        return options.tokens() > 0 ? 1 / process.decode(options.tokens()) : options.prompt() / process.prefill();
    }

    private Path file(Side side) {
        return side.low ? luq : base;
    }

    private Kernels kernels(Side side) {
        return side.ours ? options.layout() : Kernels.STOCK;
    }

    /** Bytes of the yardstick and the largest of the others. */
    private long needed() throws IOException {
        long largest = 0;
        for (Side side : Side.values()) {
            largest = side == Side.YARDSTICK ? largest : Math.max(largest, bytes(side));
        }
        return bytes(Side.YARDSTICK) + largest;
    }

    private long bytes(Side side) throws IOException {
        return new WeightMemory(kernels(side)).of(ModelFiles.read(file(side))).total() + PROCESS_BYTES;
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
                            + " available. End what else runs, or measure fewer layers with --layers.",
                    needed / Units.GIB, available.getAsLong() / Units.GIB));
        }
    }
}
