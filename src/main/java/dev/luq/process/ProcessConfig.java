package dev.luq.process;

import io.smallrye.config.WithDefault;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** How child processes are run, {@code luq.worker.process.*}. */
public interface ProcessConfig {

    /** Java heap limit of a worker, as in {@code -Xmx}. The model lives outside the heap; images pass through it. */
    @WithDefault("384m")
    String heap();

    /** Further options of the worker's JVM, separated by commas. */
    Optional<List<String>> jvmOptions();

    /** Class path of a worker; found by itself unless set. */
    Optional<String> classPath();

    /** Where native libraries are unpacked, beside what trials of kernels found; {@code ~/.javacpp/cache} unless set. */
    Optional<Path> nativeCacheDir();

    /** Where a crashing worker writes its report; the system's temporary directory unless set. */
    Optional<Path> crashDir();
}
