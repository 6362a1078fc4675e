package dev.luq.llama;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.luq.preset.global.llama;
import dev.luq.preset.luq_log_callback;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Objects;
import java.util.Properties;
import java.util.function.Consumer;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.Loader;

/** The native libraries of this process. */
public final class Llama {

    private static final Properties BUILD = readBuild();

    private static volatile Consumer<LogLine> sink = line -> { };
    /** Called from C for the life of the process: must never be collected. */
    private static LogCallback callback;
    /** The instruction set of our kernels; null while they are not enabled. */
    private static String kernels;
    private static KernelLayout kernelLayout;

    private Llama() {
    }

    /**
     * Loads the libraries and CPU backends, once per process; called again it only replaces the sink.
     *
     * @param logSink gets llama.cpp's log from INFO up, on whatever thread logs; what it throws is ignored
     * @throws UnsatisfiedLinkError the libraries do not fit this machine
     */
    public static synchronized void init(Consumer<LogLine> logSink) {
        sink = Objects.requireNonNull(logSink, "logSink is null");
        if (callback != null) {
            return;
        }
        // Native memory is closed explicitly. Otherwise JavaCPP counts it against 4 x Xmx and stalls in System.gc().
        System.setProperty("org.bytedeco.javacpp.noPointerGC", "true");
        useOwnCacheDirectory();
        Loader.load(llama.class);
        callback = new LogCallback();
        llama.luq_log_init(callback, llama.GGML_LOG_LEVEL_INFO);
        loadBackends();
        llama.llama_backend_init();
    }

    /**
     * From now on models are loaded so that our own kernels multiply weights of the types that they know
     * (native/KERNELS.md). After {@link #init} and before the first model; called again it changes nothing.
     *
     * @param layout of the weights, for all models of this process
     * @return the instruction set that the kernels use, such as {@code avx512vbmi}; {@code none} on a processor where
     *         they would not be faster, which keeps llama.cpp's
     * @throws LlamaException.Kernels llama.cpp's CPU backend cannot be extended
     * @throws IllegalStateException they are enabled with another layout
     */
    public static synchronized String enableKernels(KernelLayout layout) {
        if (kernels == null) {
            BytePointer name = llama.luq_kernels_enable(layout.value, (BytePointer) null);
            if (name == null || name.isNull()) {
                throw new LlamaException.Kernels(llama.luq_last_error().getString(UTF_8));
            }
            kernels = name.getString(UTF_8);
            kernelLayout = layout;
        }
        if (kernelLayout != layout) {
            throw new IllegalStateException("the kernels are enabled with the layout " + kernelLayout);
        }
        return kernels;
    }

    /** llama.cpp's description of the CPU features in use, such as {@code CPU : AVX2 = 1 | ...}. */
    public static String systemInfo() {
        return llama.llama_print_system_info().getString(UTF_8);
    }

    /** llama.cpp's version, such as {@code 0.5.0}. */
    public static String version() {
        return llama.llama_version().getString(UTF_8);
    }

    /** {@code native} for this machine's CPU only, {@code all} for every CPU of the architecture. */
    public static String variant() {
        return BUILD.getProperty("variant");
    }

    /** What the libraries were built from and with: key, variant, compiler, CPU flags. A copy. */
    public static Properties build() {
        Properties copy = new Properties();
        copy.putAll(BUILD);
        return copy;
    }

    /**
     * JavaCPP compares an extracted library with the jar's by size and time only and names the directory after the
     * jar, so two builds must not share one.
     */
    private static void useOwnCacheDirectory() {
        String property = "org.bytedeco.javacpp.cachedir";
        String parent = System.getProperty(property,
                System.getProperty("user.home") + File.separator + ".javacpp" + File.separator + "cache");
        System.setProperty(property, new File(parent, "luq-" + BUILD.getProperty("key")).getPath());
    }

    /** Extracts the CPU backends, from which ggml takes the best for this machine. */
    private static void loadBackends() {
        String backends = BUILD.getProperty("backends", "");
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

    private static Properties readBuild() {
        Properties build = new Properties();
        try (InputStream in = Llama.class.getResourceAsStream("/META-INF/luq-native.properties")) {
            if (in == null) {
                throw new IllegalStateException("luq-native.jar is not on the class path: run native/build");
            }
            build.load(in);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return build;
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
