package dev.luq.worker;

import dev.luq.llama.KernelTrials;
import dev.luq.llama.LlamaException;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * Main class of the process that tries kernels. Says on standard output what it is about to try before each trial, and
 * what came of it after: the parent learns from the last line what a process died of.
 */
public final class KernelTrialsMain {

    private KernelTrialsMain() {}

    /** @param arguments the number of the first trial, then names of sets that are left out */
    public static void main(String[] arguments) {
        PrintStream lines = new PrintStream(new FileOutputStream(FileDescriptor.out), true, StandardCharsets.US_ASCII);
        System.setOut(System.err);
        Thread parent = new Thread(KernelTrialsMain::endWithParent, "luq-parent");
        parent.setDaemon(true);
        parent.start();
        List<String> leftOut = List.of(arguments).subList(1, arguments.length);
        KernelTrials trials = new KernelTrials(line -> {});
        int index = Integer.parseInt(arguments[0]);
        for (Optional<String> name = trials.name(index); name.isPresent(); name = trials.name(++index)) {
            lines.println("trial " + index + " " + name.get());
            lines.println(leftOut.contains(name.get().split(" ")[1]) ? "left-out" : verdict(trials, index));
        }
        lines.println("end");
        Runtime.getRuntime().halt(0);
    }

    /** A kernel that hangs must not outlive the one who waits for it. */
    private static void endWithParent() {
        try {
            while (System.in.read() >= 0) {
                // nothing is said there
            }
        } catch (IOException e) {
            // the same as its end
        }
        Runtime.getRuntime().halt(1);
    }

    private static String verdict(KernelTrials trials, int index) {
        try {
            KernelTrials.Verdict verdict = trials.run(index);
            return String.format(
                    Locale.ROOT,
                    "verdict %s %.3g %.2f %.2f",
                    verdict.right() ? "right" : "wrong",
                    verdict.error(),
                    verdict.one(),
                    verdict.many());
        } catch (LlamaException.KernelsUnavailable e) {
            return "failed " + e.getMessage();
        }
    }
}
