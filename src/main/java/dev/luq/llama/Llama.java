package dev.luq.llama;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.luq.machine.KernelTable;
import dev.luq.machine.Kernels;
import dev.luq.machine.NativeBuild;
import dev.luq.machine.Processors;
import dev.luq.preset.global.llama;
import dev.luq.preset.luq_log_callback;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.Objects;
import java.util.Optional;
import java.util.Properties;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.Loader;

/** The native libraries of this process. */
public final class Llama {

    private static volatile Consumer<LogLine> sink = line -> {};
    /** Called from C for the life of the process: must never be collected. */
    private static LogCallback callback;
    /** Which kernels are right on this machine, and how fast; null where they were not tried, or while they are tried. */
    private static KernelTable table;
    /** The instruction sets of our kernels; null while they are not enabled. */
    private static String kernels;

    private static Kernels layout;

    private Llama() {}

    /**
     * Loads the libraries and CPU backends, once per process; called again it only replaces the sink. llama.cpp's kernels
     * that were wrong or slower than others on this machine ({@link KernelTable}) are not used.
     *
     * @param logSink gets llama.cpp's log from INFO up, on whatever thread logs; what it throws is ignored
     * @throws UnsatisfiedLinkError the libraries do not fit this machine; the message names no path
     */
    public static void init(Consumer<LogLine> logSink) {
        init(logSink, false);
    }

    /** @param untried whether all kernels are used, whatever the kernel table says */
    static synchronized void init(Consumer<LogLine> logSink, boolean untried) {
        sink = Objects.requireNonNull(logSink, "logSink is null");
        if (callback != null) {
            return;
        }
        // Native memory is closed explicitly. Otherwise JavaCPP counts it against 4 x Xmx and stalls in System.gc().
        System.setProperty("org.bytedeco.javacpp.noPointerGC", "true");
        Path folder = NativeBuild.folder(Optional.empty());
        if (!untried) {
            table = KernelTable.read(KernelTable.file(Optional.empty())).orElse(null);
        }
        System.setProperty(NativeBuild.CACHE_PROPERTY, folder.toString());
        loadLibraries();
        callback = new LogCallback();
        llama.luq_log_init(callback, llama.GGML_LOG_LEVEL_INFO);
        loadBackends();
        if (table != null) {
            table.restrictions().forEach(Llama::restrict);
        }
        llama.llama_backend_init();
    }

    private static void loadLibraries() {
        try {
            Loader.load(llama.class);
        } catch (UnsatisfiedLinkError e) {
            UnsatisfiedLinkError plain = new UnsatisfiedLinkError(Native.linkReason(e));
            plain.initCause(e);
            throw plain;
        }
    }

    private static void restrict(String set, Set<String> types) {
        try (BytePointer name = Native.utf8(set);
                BytePointer list = Native.utf8(String.join(",", types))) {
            if (!llama.luq_kernels_restrict(name, list)) {
                sink.accept(new LogLine(
                        LogLine.Level.WARN,
                        "llama.cpp's kernels " + set + " cannot be left out: " + Native.lastError()));
            }
        }
    }

    /**
     * From now on models are loaded so that our own kernels multiply weights of the types that they know
     * (native/KERNELS.md): for each the fastest that is right on this machine, or by rule where that was not tried or
     * cannot be used. After {@link #init} and before the first model; called again it changes nothing.
     *
     * @param wanted for all models of this process; STOCK changes nothing
     * @return the instruction sets that our kernels use, such as {@code avx512vbmi, avx512vnni}; {@code none} where
     *         llama.cpp's kernels stay: with STOCK, and on a processor where ours would not be faster
     * @throws LlamaException.KernelsUnavailable llama.cpp's CPU backend cannot be extended
     * @throws IllegalStateException others are enabled
     */
    public static synchronized String enableKernels(Kernels wanted) {
        if (kernels == null) {
            if (wanted == Kernels.STOCK) {
                return "none";
            }
            kernels = table == null ? enable(wanted, null) : enableTried(wanted);
            layout = wanted;
        }
        if (layout != wanted) {
            throw new IllegalStateException("the kernels " + layout.configName() + " are enabled");
        }
        return kernels;
    }

    /** What was tried may be missing where it is used: a sandbox or an older system does not let a process use AMX. */
    private static String enableTried(Kernels wanted) {
        try (BytePointer choice = Native.utf8(choice(wanted))) {
            return enable(wanted, choice);
        } catch (LlamaException.KernelsUnavailable e) {
            sink.accept(new LogLine(
                    LogLine.Level.WARN,
                    "The fastest of the kernels that were tried cannot be used, others are taken by rule: "
                            + e.getMessage()));
            return enable(wanted, null);
        }
    }

    /** @param choice null for the rule */
    private static String enable(Kernels wanted, BytePointer choice) {
        BytePointer names = llama.luq_kernels_enable(
                wanted == Kernels.FAST ? llama.LUQ_LAYOUT_FAST : llama.LUQ_LAYOUT_COMPACT,
                choice,
                Processors.available());
        if (names == null || names.isNull()) {
            throw new LlamaException.KernelsUnavailable(llama.luq_last_error().getString(UTF_8));
        }
        return names.getString(UTF_8);
    }

    private static String choice(Kernels wanted) {
        Stream<String> few =
                table.ours(wanted).entrySet().stream().map(choice -> choice.getKey() + "=" + choice.getValue());
        Stream<String> many = table.types().stream().flatMap(type -> table.manyColumns(type, wanted).stream()
                .map(choice -> type + "*" + choice.columns() + "=" + choice.gemm()));
        return Stream.concat(few, many).collect(Collectors.joining(","));
    }

    /** llama.cpp's description of the CPU features in use, such as {@code CPU : AVX2 = 1 | ...}. */
    public static String systemInfo() {
        return llama.llama_print_system_info().getString(UTF_8);
    }

    /** llama.cpp's version, such as {@code 0.5.0}. */
    public static String version() {
        return llama.llama_version().getString(UTF_8);
    }

    /** What the libraries were built from and with: key, variant, compiler, CPU flags. A copy. */
    public static Properties build() {
        return NativeBuild.properties();
    }

    /**
     * Digest of all code that computes what a model says, compilers and processors left out: numbers of two builds with the
     * same one differ by rounding at most.
     */
    public static String arithmetic() {
        return NativeBuild.properties().getProperty("arithmetic");
    }

    /** Extracts the CPU backends, from which ggml takes the best for this machine. */
    private static void loadBackends() {
        String backends = NativeBuild.properties().getProperty("backends", "");
        if (backends.isEmpty()) {
            return;
        }
        File directory = null;
        for (String backend : backends.split(",")) {
            String resource = "/dev/luq/preset/" + Loader.getPlatform() + "/" + backend;
            try {
                File file = Loader.cacheResource(llama.class, resource);
                if (file == null) {
                    throw new UnsatisfiedLinkError("the jar lacks " + backend);
                }
                directory = file.getParentFile();
            } catch (IOException e) {
                throw new UncheckedIOException("cannot extract " + backend, e);
            }
        }
        try (BytePointer path = new BytePointer(directory.getPath(), UTF_8)) {
            llama.ggml_backend_load_all_from_path(path);
        }
        if (llama.ggml_backend_dev_count() == 0) {
            throw new UnsatisfiedLinkError("none of the CPU backends fits this machine: " + backends);
        }
    }

    private static final class LogCallback extends luq_log_callback {
        @Override
        public void call(int level, BytePointer line) {
            try {
                sink.accept(new LogLine(LogLine.Level.of(level), line.getString(UTF_8)));
            } catch (Throwable ignored) {
                // An exception would unwind through C frames.
            }
        }
    }
}
