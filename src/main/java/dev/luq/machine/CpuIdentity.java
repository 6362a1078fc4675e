package dev.luq.machine;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.luq.files.Sha256;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/**
 * The processor, as far as it tells two apart on which kernels may behave differently.
 *
 * @param lines of Linux's description of its first processor
 */
record CpuIdentity(List<String> lines) {

    /** Names of x86-64 and of arm64. What is left out changes by itself: frequencies, sizes of caches, numbers. */
    private static final Set<String> NAMES = Set.of(
            "vendor_id",
            "cpu family",
            "model",
            "model name",
            "stepping",
            "flags",
            "Features",
            "CPU implementer",
            "CPU architecture",
            "CPU variant",
            "CPU part",
            "CPU revision");

    private static final int KEY_DIGITS = 16;

    static CpuIdentity ofThisMachine() {
        return read(Path.of("/proc/cpuinfo"));
    }

    static CpuIdentity read(Path cpuinfo) {
        Set<String> lines = new TreeSet<>();
        try (BufferedReader reader = Files.newBufferedReader(cpuinfo, UTF_8)) {
            // A blank line comes before the next processor.
            for (String line = reader.readLine(); line != null && !line.isBlank(); line = reader.readLine()) {
                String[] sides = line.split(":", 2);
                if (NAMES.contains(sides[0].strip())) {
                    Set<String> words = new TreeSet<>(
                            List.of(sides[sides.length - 1].strip().split("\\s+")));
                    lines.add(sides[0].strip() + " " + String.join(" ", words));
                }
            }
        } catch (IOException e) {
            // one that is not described: all are the same then
        }
        return new CpuIdentity(List.copyOf(lines));
    }

    /** For names of files. */
    String key() {
        return Sha256.hex((System.getProperty("os.arch") + lines).getBytes(UTF_8))
                .substring(0, KEY_DIGITS);
    }
}
