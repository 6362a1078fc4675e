package dev.luq.fuzz;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Where Jazzer enters; {@code ./luq fuzz} starts it. */
public final class Fuzzer {

    private static FuzzTarget target;

    private Fuzzer() {}

    /**
     * Called by Jazzer once.
     *
     * @param args the target's name
     */
    public static void fuzzerInitialize(String[] args) {
        target = FuzzTargets.named(args[0]);
    }

    /** Called by Jazzer for every input. */
    public static void fuzzerTestOneInput(byte[] input) throws Throwable {
        target.run(input);
    }

    /**
     * Writes what a target starts from into a folder, one input a file; without arguments prints the targets' names.
     *
     * @param args the target's name and the folder
     */
    public static void main(String[] args) throws IOException {
        if (args.length < 2) {
            FuzzTargets.all().forEach(any -> System.out.println(any.name()));
            return;
        }
        FuzzTarget named = FuzzTargets.named(args[0]);
        Path folder = Files.createDirectories(Path.of(args[1]));
        int number = 0;
        for (byte[] seed : named.seeds()) {
            Files.write(folder.resolve("seed-" + number++), seed);
        }
        for (Path kept : FuzzTargets.kept(named)) {
            Files.write(folder.resolve(kept.getFileName()), Files.readAllBytes(kept));
        }
    }
}
