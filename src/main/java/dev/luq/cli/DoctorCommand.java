package dev.luq.cli;

import dev.luq.llama.Llama;
import dev.luq.machine.KernelTable;
import dev.luq.machine.Kernels;
import dev.luq.machine.Processors;
import dev.luq.serving.KernelCheck;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;

/** The part of {@code luq doctor} that asks the native libraries; the launcher prints the rest. */
@Command(name = "doctor", hidden = true, mixinStandardHelpOptions = true)
final class DoctorCommand implements Callable<Integer> {

    @Override
    public Integer call() throws InterruptedException {
        Optional<KernelTable> kernels = KernelCheck.ofThisProcess().ensure();
        Llama.init(line -> {});
        System.out.println("threads            " + Processors.available());
        System.out.println("llama.cpp          " + Llama.version());
        System.out.println("CPU backend        " + Llama.systemInfo());
        System.out.println("fast kernels       " + Llama.enableKernels(Kernels.FAST));
        if (kernels.isEmpty()) {
            System.out.println("kernels            not tried, taken by rule: the reason is above");
            return 1;
        }
        new KernelReport(kernels.get()).lines().forEach(System.out::println);
        return 0;
    }
}
