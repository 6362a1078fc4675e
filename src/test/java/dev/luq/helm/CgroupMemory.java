package dev.luq.helm;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * The memory of a control group, by either version of the kernel's interface: memory.txt and cgroup-v2.rst of its
 * documentation name the files. All sizes in bytes.
 */
final class CgroupMemory {

    private static final Path ROOT = Path.of("/sys/fs/cgroup");

    private final boolean unified;
    private final Path folder;

    /** @param path of the group, as a container's configuration names it */
    CgroupMemory(String path) {
        this(ROOT, path);
    }

    CgroupMemory(Path root, String path) {
        this.unified = isUnified(root);
        this.folder = (unified ? root : root.resolve("memory")).resolve(path.substring(1));
    }

    /** Whether this machine has version 2, with one tree for all controllers. */
    static boolean isUnified() {
        return isUnified(ROOT);
    }

    private static boolean isUnified(Path root) {
        return Files.exists(root.resolve("cgroup.controllers"));
    }

    /**
     * What its processes hold, what they share counted once: pages of files too that the kernel charged to another
     * group, which read them before.
     */
    long held() throws IOException {
        long kibibytes = 0;
        for (String process : read("cgroup.procs").lines().toList()) {
            try {
                kibibytes += field(Path.of("/proc", process, "smaps_rollup"), "Pss:");
            } catch (IOException e) {
                // It ended meanwhile.
            }
        }
        return kibibytes << 10;
    }

    /** What it holds without pages of files that nobody needs any more: what a kubelet judges pods by. */
    long workingSet() throws IOException {
        long usage = Long.parseLong(read(unified ? "memory.current" : "memory.usage_in_bytes"));
        return usage - field(folder.resolve("memory.stat"), unified ? "inactive_file" : "total_inactive_file");
    }

    /** How many of its processes the system ended for want of memory. */
    long killed() throws IOException {
        return field(folder.resolve(unified ? "memory.events" : "memory.oom_control"), "oom_kill");
    }

    long limit() throws IOException {
        return Long.parseLong(read(limitFile()));
    }

    void limit(long bytes) throws IOException {
        Files.writeString(folder.resolve(limitFile()), Long.toString(bytes));
    }

    /** Lowers its limit to what it needs now, so that it gets nothing more. */
    void shrink() {
        try {
            limit(workingSet());
        } catch (IOException e) {
            // It took more meanwhile, which the limit of before allows.
        }
    }

    private String limitFile() {
        return unified ? "memory.max" : "memory.limit_in_bytes";
    }

    /** The number after a name at the beginning of a line. */
    private static long field(Path file, String name) throws IOException {
        return Files.readString(file)
                .lines()
                .filter(line -> line.startsWith(name + " "))
                .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")))
                .findFirst()
                .orElseThrow(() -> new AssertionError("no " + name + " in " + file));
    }

    private String read(String file) throws IOException {
        return Files.readString(folder.resolve(file)).strip();
    }
}
