package dev.luq.cli;

import dev.luq.serving.KernelCheck;

/** Comes before the first use of the native libraries in a command that computes. */
public final class MachineKernels {

    private MachineKernels() {}

    /** Has this machine's kernels tried, if they never were; says on standard error what is switched off. */
    public static void know() {
        try {
            KernelCheck.ofThisProcess().ensure().ifPresent(table -> table.switchedOff()
                    .forEach((set, why) -> System.err.println(
                            "luq: the kernels " + set + " are switched off on this machine: " + why)));
        } catch (InterruptedException e) {
            throw Waiting.interrupted(e);
        }
    }
}
