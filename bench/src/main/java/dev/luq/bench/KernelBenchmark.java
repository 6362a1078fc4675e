package dev.luq.bench;

import dev.luq.cli.Waiting;
import dev.luq.machine.Processors;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code luq bench kernel}: runs the kernels' own benchmarks, which the launcher has compiled. */
@Command(
        name = "kernel",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = "Compares our kernels with llama.cpp's, type by type.",
        footerHeading = "%nHow it is measured%n",
        footer = {
            "First one matrix-vector product on one core, in cache and from memory, for every instruction set of this"
                    + " processor: billions of weights and of bytes per second, beside plain reading of the same memory and"
                    + " llama.cpp's row dot product.",
            "Then whole products of 1 to 512 columns as llama.cpp runs them on all threads, with our panels and with"
                    + " the layout that llama.cpp itself chooses.",
            "The candidates of a comparison take turns, and the best round of each counts."
        })
final class KernelBenchmark implements Callable<Integer> {

    @Option(
            names = "--threads",
            paramLabel = "T",
            description = "Of the whole products. Default: the processors available.")
    private int threads = Processors.available();

    @Option(
            names = "--seconds",
            paramLabel = "S",
            defaultValue = "2",
            description = "For each comparison (default: ${DEFAULT-VALUE}).")
    private double seconds;

    @Option(
            names = "--layout",
            paramLabel = "NAME",
            defaultValue = "fast",
            description = "Of our panels in the whole products: fast or compact (default: ${DEFAULT-VALUE}).")
    private String layout;

    @Option(
            names = "--instruction-set",
            paramLabel = "NAME",
            description = "Of our kernels in the whole products: avx512vbmi, avx512vnni, avxvnni, avx2, neon or scalar."
                    + " Default: the fastest.")
    private String instructionSet;

    @Option(names = "--kernel-bench", paramLabel = "FOLDER", hidden = true, required = true)
    private Path folder;

    @Override
    public Integer call() throws IOException {
        run("luq-kernel-bench", List.of(Double.toString(seconds)));
        List<String> arguments = new ArrayList<>(List.of(Integer.toString(threads), Double.toString(seconds), layout));
        if (instructionSet != null) {
            arguments.add(instructionSet);
        }
        run("luq-product-bench", arguments);
        return 0;
    }

    private void run(String program, List<String> arguments) throws IOException {
        ProcessBuilder builder = new ProcessBuilder(folder.resolve(program).toString());
        builder.command().addAll(arguments);
        builder.environment().put("LD_LIBRARY_PATH", folder.toAbsolutePath().toString());
        Waiting.run(builder.inheritIO());
    }
}
