package dev.luq.datasets;

import io.quarkus.runtime.annotations.RegisterForReflection;
import java.time.Instant;
import java.util.Map;

/**
 * A set that jobs may use for calibration or evaluation. Of one that was uploaded or named, {@code set.json} in its folder.
 *
 * @param name 1 to 64 letters, digits, dots, dashes and underscores
 * @param uploaded whether its files are the server's own; otherwise they lie below the configured root
 * @param folder of its files, absolute
 * @param created when it was added
 * @param examples number of examples
 * @param withImages how many of them show a picture
 * @param categories number of examples by category; those without one are left out
 * @param digest of its content, {@link dev.luq.requant.data.Dataset#digest}
 */
@RegisterForReflection
public record CalibrationSet(
        String name,
        boolean uploaded,
        String folder,
        Instant created,
        int examples,
        int withImages,
        Map<String, Integer> categories,
        String digest) {}
