package dev.luq.bench;

import dev.luq.llama.Llama;
import dev.luq.llama.Model;
import dev.luq.machine.Kernels;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A process with our kernels that loads models and prints how many MiB of each llama.cpp put into panels. */
public final class PanelProbe {

    private static final Pattern PANELS = Pattern.compile(".*LUQ_PANELS model buffer size = +([0-9.]+) MiB.*");

    private PanelProbe() {}

    /** @param args the layout, then the models' files */
    public static void main(String[] args) {
        AtomicReference<String> mebibytes = new AtomicReference<>();
        Llama.init(line -> {
            Matcher panels = PANELS.matcher(line.text());
            if (panels.matches()) {
                mebibytes.set(panels.group(1));
            }
        });
        if (Llama.enableKernels(Kernels.valueOf(args[0])).equals("none")) {
            return;
        }
        for (String file : Arrays.asList(args).subList(1, args.length)) {
            mebibytes.set("0");
            Model.load(List.of(Path.of(file))).close();
            System.out.println(mebibytes.get());
        }
    }
}
