package dev.luq.serving;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.stream.Stream;

/**
 * How much memory this machine, or the control group (cgroup v2) that the server is in, has left. File pages that no
 * process needs count as left. Linux; elsewhere nothing is known.
 */
public final class MachineMemory {

    private static final long KIB = 1024;

    private final Path proc;
    private final Path cgroups;

    /**
     * @param proc {@code /proc}
     * @param cgroups {@code /sys/fs/cgroup}
     */
    MachineMemory(Path proc, Path cgroups) {
        this.proc = proc;
        this.cgroups = cgroups;
    }

    public static MachineMemory ofThisMachine() {
        return new MachineMemory(Path.of("/proc"), Path.of("/sys/fs/cgroup"));
    }

    /** Bytes that can be allocated without slowing down or ending a process; empty when the system does not say. */
    public OptionalLong available() {
        OptionalLong physical = field(proc.resolve("meminfo"), "MemAvailable:", KIB);
        OptionalLong group = group();
        if (physical.isEmpty() || group.isEmpty()) {
            return physical.isPresent() ? physical : group;
        }
        return OptionalLong.of(Math.min(physical.getAsLong(), group.getAsLong()));
    }

    /** The least of what the server's group and those around it have left. */
    private OptionalLong group() {
        Optional<String> line = lines(proc.resolve("self").resolve("cgroup"))
                .filter(l -> l.startsWith("0::/"))
                .findFirst();
        if (line.isEmpty()) {
            return OptionalLong.empty();
        }
        OptionalLong least = OptionalLong.empty();
        Path group = cgroups.resolve(line.get().substring("0::/".length())).normalize();
        for (; group != null && group.startsWith(cgroups); group = group.getParent()) {
            OptionalLong limit = number(group.resolve("memory.max"));
            OptionalLong current = number(group.resolve("memory.current"));
            if (limit.isPresent() && current.isPresent()) {
                long reclaimable =
                        field(group.resolve("memory.stat"), "inactive_file ", 1).orElse(0);
                long left = Math.max(0, limit.getAsLong() - current.getAsLong() + reclaimable);
                least = OptionalLong.of(Math.min(left, least.orElse(Long.MAX_VALUE)));
            }
        }
        return least;
    }

    /** Memory of a process that is no page of a file: heap, KV cache, compute buffers; empty when it is gone. */
    OptionalLong anonymous(long pid) {
        return field(proc.resolve(Long.toString(pid)).resolve("status"), "RssAnon:", KIB);
    }

    private static OptionalLong field(Path file, String name, long unit) {
        return lines(file)
                .filter(line -> line.startsWith(name))
                .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) * unit)
                .findFirst();
    }

    private static OptionalLong number(Path file) {
        return lines(file)
                .filter(line -> line.matches("\\d{1,18}"))
                .mapToLong(Long::parseLong)
                .findFirst();
    }

    private static Stream<String> lines(Path file) {
        try {
            return Files.readAllLines(file).stream();
        } catch (IOException e) {
            return Stream.empty();
        }
    }
}
