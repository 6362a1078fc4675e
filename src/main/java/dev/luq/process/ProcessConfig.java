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

    /**
     * Folder of class data archives, one for each kind of process ({@code worker.jsa}), with which they start sooner. One
     * that is missing is written by the first such process when it ends, where the folder can be written. Those of another
     * Java or another build are not used.
     */
    Optional<Path> classArchives();

    /** Where native libraries are unpacked, beside what trials of kernels found; {@code ~/.javacpp/cache} unless set. */
    Optional<Path> nativeCacheDir();

    /** Where a crashing worker writes its report; the system's temporary directory unless set. */
    Optional<Path> crashDir();
}
