package dev.luq.serving;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
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

    /** Bytes that the machine has, or that the control groups allow; empty when the system does not say. */
    public OptionalLong total() {
        OptionalLong physical = field(proc.resolve("meminfo"), "MemTotal:", KIB);
        return Stream.concat(
                        physical.stream().boxed(),
                        groups().map(group -> number(group.resolve("memory.max")))
                                .flatMap(limit -> limit.stream().boxed()))
                .mapToLong(Long::longValue)
                .min();
    }

    /** The least of what the server's group and those around it have left. */
    private OptionalLong group() {
        return groups().map(this::left)
                .flatMap(left -> left.stream().boxed())
                .mapToLong(Long::longValue)
                .min();
    }

    private OptionalLong left(Path group) {
        OptionalLong limit = number(group.resolve("memory.max"));
        OptionalLong current = number(group.resolve("memory.current"));
        if (limit.isEmpty() || current.isEmpty()) {
            return OptionalLong.empty();
        }
        long reclaimable =
                field(group.resolve("memory.stat"), "inactive_file ", 1).orElse(0);
        return OptionalLong.of(Math.max(0, limit.getAsLong() - current.getAsLong() + reclaimable));
    }

    /** The server's group and those around it. */
    private Stream<Path> groups() {
        return lines(proc.resolve("self").resolve("cgroup"))
                .filter(line -> line.startsWith("0::/"))
                .limit(1)
                .flatMap(line -> Stream.iterate(
                        cgroups.resolve(line.substring("0::/".length())).normalize(),
                        group -> group != null && group.startsWith(cgroups),
                        Path::getParent));
    }

    /** Memory of a process that is no page of a file: heap, KV cache, compute buffers; empty when it is gone. */
    OptionalLong anonymous(long pid) {
        return field(proc.resolve(Long.toString(pid)).resolve("status"), "RssAnon:", KIB);
    }

    /** All memory of a process, pages of files included as far as they are in memory; empty when it is gone. */
    public OptionalLong resident(long pid) {
        return field(proc.resolve(Long.toString(pid)).resolve("status"), "VmRSS:", KIB);
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
