package dev.luq.process;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.CodeSource;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** How a child process is started that runs native code: its command line and environment. */
public final class ChildCommand {

    /** Of the process that serves a model. */
    public static final String WORKER_MAIN = "dev.luq.worker.WorkerMain";

    /**
     * How often a compute thread looks whether the others are done before it sleeps. With OpenMP's own 300,000, processes
     * that share the cores take them from each other at every barrier: {@code luq bench swap} saw requests wait for 4.7 s
     * while a second worker started, and 1.0 s with this; 1,000 gave 0.1 s, but slower decoding.
     */
    private static final String SPIN_COUNT = "20000";

    /** Class libraries that every worker uses first; the rest follows, so that few archives are opened at the start. */
    private static final List<String> FIRST = List.of("com.fasterxml.jackson", "dev.luq", "org.bytedeco");

    /** Quick to start and small; what is hot in a worker is native. */
    private static final List<String> SMALL_COMPILER =
            List.of("-XX:TieredStopAtLevel=1", "-XX:ReservedCodeCacheSize=24m");

    /** Native memory is closed by its owners and bounded by the model, not by the heap. */
    private static final List<String> UNMANAGED_POINTERS = List.of(
            "-Dorg.bytedeco.javacpp.noPointerGC=true",
            "-Dorg.bytedeco.javacpp.maxBytes=0",
            "-Dorg.bytedeco.javacpp.maxPhysicalBytes=0");

    /** Where JavaCPP unpacks libraries. */
    private static final String CACHE_DIR = "org.bytedeco.javacpp.cachedir";

    /** A class of each library that child processes need. */
    private static final List<String> ANCHORS = List.of(
            "com.fasterxml.jackson.databind.ObjectMapper",
            "com.fasterxml.jackson.core.JsonFactory",
            "com.fasterxml.jackson.annotation.JsonTypeInfo",
            "com.fasterxml.jackson.dataformat.cbor.CBORFactory",
            "com.fasterxml.jackson.datatype.jdk8.Jdk8Module",
            "com.fasterxml.jackson.datatype.jsr310.JavaTimeModule",
            "org.bytedeco.javacpp.Pointer",
            "dev.luq.preset.llama",
            "org.hipparchus.stat.correlation.KendallsCorrelation",
            "org.hipparchus.util.FastMath",
            "com.twelvemonkeys.imageio.plugins.webp.WebPImageReaderSpi",
            "com.twelvemonkeys.imageio.plugins.jpeg.JPEGImageReaderSpi",
            "com.twelvemonkeys.imageio.ImageReaderBase",
            "com.twelvemonkeys.imageio.metadata.Entry",
            "com.twelvemonkeys.lang.StringUtil",
            "com.twelvemonkeys.io.FileUtil",
            "com.twelvemonkeys.image.ImageUtil");

    /** Variables of the server's environment that child processes get: where things lie, language, and how natives run. */
    private static final Pattern PASSED_ON = Pattern.compile(
            "PATH|HOME|USER|LOGNAME|LANG|LANGUAGE|LC_\\w+|TZ|TMPDIR"
                    + "|JAVA_HOME|LD_LIBRARY_PATH|LD_PRELOAD|GLIBC_TUNABLES|MALLOC_\\w+|OMP_\\w+|GOMP_\\w+|GGML_\\w+|[A-Z]+SAN_OPTIONS");

    private final ProcessConfig config;
    private final String mainClass;
    private final String role;
    private final String heap;
    private final List<String> tuning;
    private final CrashReports reports;
    private final List<String> libraries;
    /** What runs the main class: known from the beginning, as later a folder may not be listed for want of files. */
    private final String program;
    /** Empty where the program is a native one. */
    private final String classPath;

    /** A process with the heap and the compiler of a worker. */
    public ChildCommand(ProcessConfig config, String mainClass) {
        this(config, mainClass, "worker", config.heap(), SMALL_COMPILER);
    }

    /**
     * @param role names crash reports, and turns the server's own native executable into such a process as its first
     *     argument
     * @param heap as in {@code -Xmx}
     * @param tuning further options of its JVM
     */
    public ChildCommand(ProcessConfig config, String mainClass, String role, String heap, List<String> tuning) {
        this(config, mainClass, role, heap, tuning, List.of(""));
    }

    /** @param libraries how the names of those begin that are on its class path beside the application */
    public ChildCommand(
            ProcessConfig config,
            String mainClass,
            String role,
            String heap,
            List<String> tuning,
            List<String> libraries) {
        this.config = config;
        this.mainClass = mainClass;
        this.role = role;
        this.heap = heap;
        this.tuning = tuning;
        this.libraries = libraries;
        this.reports = new CrashReports(config.crashDir().orElse(Path.of(System.getProperty("java.io.tmpdir"))), role);
        this.program = program();
        this.classPath = isNative() ? "" : config.classPath().orElseGet(this::classPath);
    }

    private static String program() {
        return isNative()
                ? ProcessHandle.current()
                        .info()
                        .command()
                        .orElseThrow(() -> new IllegalStateException("The path of this executable is unknown"))
                : Path.of(System.getProperty("java.home"), "bin", "java").toString();
    }

    /**
     * The command line of a short process of a process that has no configuration: of its own program, class path and
     * folder of unpacked libraries.
     *
     * @param role as of the constructors
     * @param heap as in {@code -Xmx}
     * @param tuning further options of its JVM
     */
    public static List<String> ofThisProcess(
            String mainClass, String role, String heap, List<String> tuning, List<String> arguments) {
        List<String> line = new ArrayList<>(List.of(program()));
        if (isNative()) {
            line.addAll(List.of(role, "-Xmx" + heap));
        } else {
            line.addAll(List.of("-Xmx" + heap, "-XX:+UseSerialGC", "-XX:-UsePerfData", "-Djava.awt.headless=true"));
            line.addAll(tuning);
        }
        Optional.ofNullable(System.getProperty(CACHE_DIR))
                .ifPresent(folder -> line.add("-D" + CACHE_DIR + "=" + folder));
        if (!isNative()) {
            line.addAll(List.of("-cp", System.getProperty("java.class.path"), mainClass));
        }
        line.addAll(arguments);
        return line;
    }

    private static boolean isNative() {
        return "runtime".equals(System.getProperty("org.graalvm.nativeimage.imagecode"));
    }

    /**
     * The crash report of such a process.
     *
     * @param name as in {@link #line}
     * @param pid its process id
     * @param started a time before its start
     */
    public Optional<CrashReport> crashReport(String name, long pid, Instant started) {
        return reports.of(name, pid, started);
    }

    /** The folder of crash reports. */
    public Path crashFolder() {
        return reports.folder();
    }

    /**
     * @param name names the crash reports, of which there is one per run
     * @param arguments of the main class
     */
    public List<String> line(String name, String... arguments) {
        String cacheDir = config.nativeCacheDir()
                .map(dir -> "-D" + CACHE_DIR + "=" + dir.toAbsolutePath())
                .orElse(null);
        if (isNative()) {
            List<String> line = new ArrayList<>(List.of(program, role, "-Xmx" + heap));
            line.addAll(UNMANAGED_POINTERS);
            if (cacheDir != null) {
                line.add(cacheDir);
            }
            line.addAll(List.of(arguments));
            return line;
        }
        List<String> line = new ArrayList<>(List.of(
                program,
                "-Xmx" + heap,
                "-Xms16m",
                "-XX:+UseSerialGC",
                // give memory of big images back: keep at most half of the heap in use free
                "-XX:MinHeapFreeRatio=10",
                "-XX:MaxHeapFreeRatio=50",
                "-Xshare:auto",
                "-XX:-UsePerfData",
                // standard output is for frames
                "-XX:+ExitOnOutOfMemoryError",
                "-XX:+DisplayVMOutputToStderr",
                // a core would hold prompts and weights
                "-XX:-CreateCoredumpOnCrash",
                "-XX:ErrorFile=" + reports.pattern(name),
                "-Djava.awt.headless=true",
                // one line per record, its level first, as the log relay expects
                "-Djava.util.logging.SimpleFormatter.format=%4$s %5$s%6$s%n",
                "-Duser.language=en"));
        line.addAll(UNMANAGED_POINTERS);
        if (cacheDir != null) {
            line.add(cacheDir);
        }
        config.classArchives()
                .flatMap(folder -> archive(folder.toAbsolutePath().resolve(role + ".jsa")))
                .ifPresent(line::add);
        line.addAll(tuning);
        config.jvmOptions().ifPresent(line::addAll);
        line.add("-cp");
        line.add(classPath);
        line.add(mainClass);
        line.addAll(List.of(arguments));
        return line;
    }

    /** How the JVM uses an archive of its classes, or makes it where there is none. */
    private static Optional<String> archive(Path file) {
        if (Files.exists(file)) {
            return Optional.of("-XX:SharedArchiveFile=" + file);
        }
        return Files.isWritable(file.getParent()) ? Optional.of("-XX:ArchiveClassesAtExit=" + file) : Optional.empty();
    }

    /** Turns the server's environment into that of a child process. */
    public static void environment(Map<String, String> environment) {
        // Native code there handles foreign images and files: no secret is where it could read it, and the server's
        // environment may hold any under any name.
        environment.keySet().removeIf(name -> !PASSED_ON.matcher(name).matches());
        // ggml would start a debugger to print a stack before it aborts.
        environment.put("GGML_NO_BACKTRACE", "1");
        environment.putIfAbsent("GOMP_SPINCOUNT", SPIN_COUNT);
        // Where the engine's and the image encoder's threads are more than the processors, OpenMP then looks 1,000
        // times instead of 100 before it sleeps, also when one team has nothing to do. With 100, tokens of the demo
        // model took 12.7 ms each after its first picture, 1.5 ms before.
        environment.putIfAbsent("OMP_WAIT_POLICY", "ACTIVE");
    }

    private String classPath() {
        Path own = source(ChildCommand.class);
        if (own != null
                && own.getParent() != null
                && Files.exists(own.resolveSibling("../quarkus-run.jar").normalize())) {
            return packaged(own.getParent().getParent());
        }
        if (ClassLoader.getSystemResource(ChildCommand.class.getName().replace('.', '/') + ".class") != null) {
            return System.getProperty("java.class.path");
        }
        return live(own);
    }

    /** @param root the folder of quarkus-run.jar */
    private String packaged(Path root) {
        List<Path> jars = new ArrayList<>();
        // Classes that the build rewrote are missing in app.
        jars.add(root.resolve("quarkus").resolve("transformed-bytecode.jar"));
        jars.addAll(jarsOf(root.resolve("app")));
        List<Path> wanted = jarsOf(root.resolve("lib").resolve("main")).stream()
                .filter(jar -> begins(jar, libraries))
                .toList();
        wanted.stream().filter(jar -> begins(jar, FIRST)).forEach(jars::add);
        wanted.stream().filter(jar -> !jars.contains(jar)).forEach(jars::add);
        return join(jars.stream().filter(Files::exists).toList());
    }

    private static boolean begins(Path jar, List<String> names) {
        return names.stream().anyMatch(jar.getFileName().toString()::startsWith);
    }

    private static List<Path> jarsOf(Path folder) {
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(file -> file.toString().endsWith(".jar"))
                    .sorted()
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Live reload: the application's classes and libraries are known only to its class loader. */
    private String live(Path own) {
        Set<Path> entries = new LinkedHashSet<>();
        entries.add(own);
        for (String anchor : ANCHORS) {
            if (libraries.stream().noneMatch(anchor::startsWith)) {
                continue;
            }
            try {
                entries.add(source(Class.forName(anchor, false, ChildCommand.class.getClassLoader())));
            } catch (ClassNotFoundException e) {
                throw new IllegalStateException(
                        "The class path of workers is incomplete; set luq.worker.process.class-path", e);
            }
        }
        return join(entries.stream().toList());
    }

    private static Path source(Class<?> type) {
        CodeSource source = type.getProtectionDomain().getCodeSource();
        try {
            return source == null ? null : Path.of(source.getLocation().toURI());
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }

    private static String join(List<Path> entries) {
        return String.join(
                java.io.File.pathSeparator, entries.stream().map(Path::toString).toList());
    }
}
