package dev.luq.serving;

import dev.luq.machine.ControlGroups;
import dev.luq.machine.ControlGroups.Group;
import dev.luq.machine.SystemFiles;
import java.nio.file.Path;
import java.util.OptionalLong;
import java.util.stream.Stream;

/**
 * How much memory this machine, or the control groups that the server is in, have left. File pages that no process needs
 * count as left. Linux; elsewhere nothing is known.
 */
public final class MachineMemory {

    private static final long KIB = 1024;

    private final Path proc;

    /** @param proc {@code /proc} */
    MachineMemory(Path proc) {
        this.proc = proc;
    }

    public static MachineMemory ofThisMachine() {
        return new MachineMemory(Path.of("/proc"));
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
                        groups().map(MachineMemory::limit)
                                .flatMap(limit -> limit.stream().boxed()))
                .mapToLong(Long::longValue)
                .min();
    }

    /** The least of what the server's group and those around it have left. */
    private OptionalLong group() {
        return groups().map(MachineMemory::left)
                .flatMap(left -> left.stream().boxed())
                .mapToLong(Long::longValue)
                .min();
    }

    private Stream<Group> groups() {
        return new ControlGroups(proc).of("memory");
    }

    private static OptionalLong limit(Group group) {
        return number(group.folder().resolve(group.unified() ? "memory.max" : "memory.limit_in_bytes"));
    }

    private static OptionalLong left(Group group) {
        OptionalLong limit = limit(group);
        OptionalLong current =
                number(group.folder().resolve(group.unified() ? "memory.current" : "memory.usage_in_bytes"));
        if (limit.isEmpty() || current.isEmpty()) {
            return OptionalLong.empty();
        }
        String name = group.unified() ? "inactive_file " : "total_inactive_file ";
        long reclaimable = field(group.folder().resolve("memory.stat"), name, 1).orElse(0);
        return OptionalLong.of(Math.max(0, limit.getAsLong() - current.getAsLong() + reclaimable));
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
        return SystemFiles.lines(file).stream()
                .filter(line -> line.startsWith(name))
                .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) * unit)
                .findFirst();
    }

    /** Without a limit version 2 says {@code max}, and version 1 a number of 19 digits. */
    private static OptionalLong number(Path file) {
        return SystemFiles.lines(file).stream()
                .filter(line -> line.matches("\\d{1,18}"))
                .mapToLong(Long::parseLong)
                .findFirst();
    }
}
