package dev.luq.datasets;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;

/** Calibration and evaluation sets. */
@ConfigMapping(prefix = "luq.sets")
public interface SetsConfig {

    /**
     * Folder of the machine's own sets: a folder in it that holds *.jsonl files is a set by its own name, and any below it
     * may be named as a set. Only uploaded sets exist without it.
     */
    Optional<Path> root();

    /** Largest archive that may be uploaded, in bytes. */
    @WithDefault("1073741824")
    long maxUploadBytes();

    /** An archive has arrived within this time, or is refused with 408. */
    @WithDefault("1H")
    Duration uploadDeadline();

    /** Most bytes that an archive may unpack to. */
    @WithDefault("4294967296")
    long maxUnpackedBytes();

    /** Most files and folders in an archive. */
    @WithDefault("100000")
    int maxFiles();

    /** Sets that may exist. */
    @WithDefault("100")
    int maxSets();
}
