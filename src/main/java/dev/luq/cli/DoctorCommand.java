package dev.luq.cli;

import dev.luq.llama.KernelLayout;
import dev.luq.llama.Llama;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;

/** The part of {@code luq doctor} that asks the native libraries; the launcher prints the rest. */
@Command(name = "doctor", hidden = true, mixinStandardHelpOptions = true)
final class DoctorCommand implements Callable<Integer> {

    @Override
    public Integer call() {
        Llama.init(line -> { });
        System.out.println("llama.cpp          " + Llama.version());
        System.out.println("CPU backend        " + Llama.systemInfo());
        System.out.println("fast kernels       " + Llama.enableKernels(KernelLayout.FAST));
        return 0;
    }
}
