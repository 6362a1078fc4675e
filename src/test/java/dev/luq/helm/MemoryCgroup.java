package dev.luq.helm;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** What the kernel counts of a control group's memory, by either version of control groups. */
record MemoryCgroup(Path folder, boolean isUnified) {

    private static final Path ROOT = Path.of("/sys/fs/cgroup");
    private static final String KILLS = "oom_kill ";

    /** @param path of the group, as {@code cgroupsPath} of an OCI bundle */
    static MemoryCgroup of(String path) {
        return of(ROOT, path);
    }

    static MemoryCgroup of(Path root, String path) {
        boolean unified = isUnified(root);
        return new MemoryCgroup((unified ? root : root.resolve("memory")).resolve(path.substring(1)), unified);
    }

    /** Whether this machine has version 2, with one tree for all controllers. */
    static boolean areUnified() {
        return isUnified(ROOT);
    }

    private static boolean isUnified(Path root) {
        return Files.exists(root.resolve("cgroup.controllers"));
    }

    /** The most bytes that it held at once, pages of files among them. Version 2 counts them from Linux 5.19 on. */
    long peakBytes() throws IOException {
        return Long.parseLong(read(isUnified ? "memory.peak" : "memory.max_usage_in_bytes"));
    }

    /** How many of its processes the system ended for want of memory. */
    long kills() throws IOException {
        return read(isUnified ? "memory.events" : "memory.oom_control")
                .lines()
                .filter(line -> line.startsWith(KILLS))
                .mapToLong(line -> Long.parseLong(line.substring(KILLS.length())))
                .sum();
    }

    private String read(String file) throws IOException {
        return Files.readString(folder.resolve(file)).strip();
    }
}
