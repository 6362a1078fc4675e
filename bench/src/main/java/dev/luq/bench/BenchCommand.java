package dev.luq.bench;

import dev.luq.cli.Main;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code luq bench}: measurements of this machine, each a command of its own. */
@Command(
        name = "luq bench",
        description = "Measures this server on this machine.",
        mixinStandardHelpOptions = true,
        subcommands = {
            AnswersBenchmark.class,
            DecodeBenchmark.class,
            FirstAnswerBenchmark.class,
            ImageBenchmark.class,
            ImageGrowthBenchmark.class,
            KernelBenchmark.class,
            LoadBenchmark.class,
            MemoryBenchmark.class,
            PrefillBenchmark.class,
            QuantizeCommand.class,
            RestartBenchmark.class,
            ServeBenchmark.class,
            SoakBenchmark.class,
            SpeedProbe.class,
            SwapBenchmark.class,
            SynthesizeCommand.class
        })
public final class BenchCommand implements Runnable {

    @Spec
    private CommandSpec spec;

    public static void main(String[] arguments) {
        System.exit(commandLine().execute(arguments));
    }

    static CommandLine commandLine() {
        return Main.commandLine(new BenchCommand());
    }

    @Override
    public void run() {
        throw new ParameterException(
                spec.commandLine(),
                "Name a measurement: answers, decode, first-answer, image, image-growth, kernel, load, memory,"
                        + " prefill, quantize, restart, serve, soak or swap.");
    }
}
