package dev.luq.machine;

import java.nio.file.Path;
import java.util.BitSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.stream.Stream;

/**
 * How many processors this process may keep busy: those that it may run on (affinity and cpuset), and no more than the
 * quotas of its control groups allow, of both versions and up the hierarchy. A part of a processor does not count: a
 * thread more than the quota stops all of them for the rest of each period. Linux; elsewhere what the JVM says.
 */
public final class Processors {

    private final Path proc;
    private final Path online;
    private final int otherwise;

    /**
     * @param proc {@code /proc}
     * @param online {@code /sys/devices/system/cpu/online}
     * @param otherwise where the system does not say
     */
    Processors(Path proc, Path online, int otherwise) {
        this.proc = proc;
        this.online = online;
        this.otherwise = otherwise;
    }

    /** Those of this process now, at least 1. Reads some small files. */
    public static int available() {
        return new Processors(
                        Path.of("/proc"),
                        Path.of("/sys/devices/system/cpu/online"),
                        Runtime.getRuntime().availableProcessors())
                .count();
    }

    /** @param wanted threads as configured; 0: as many as there are processors */
    public static int threads(int wanted) {
        return wanted > 0 ? wanted : available();
    }

    int count() {
        int allowed = allowed();
        return (int) Math.max(1, Math.min(allowed, Math.floor(quota().orElse(allowed))));
    }

    /** The affinity of an unrestricted process names processors that the machine does not have. */
    private int allowed() {
        Optional<BitSet> allowed = SystemFiles.lines(proc.resolve("self").resolve("status")).stream()
                .filter(line -> line.startsWith("Cpus_allowed_list:"))
                .findFirst()
                .flatMap(line -> list(line.substring(line.indexOf(':') + 1)));
        if (allowed.isEmpty()) {
            return otherwise;
        }
        SystemFiles.lines(online).stream().findFirst().flatMap(Processors::list).ifPresent(allowed.get()::and);
        return allowed.get().isEmpty() ? otherwise : allowed.get().cardinality();
    }

    /** Processors that the tightest of the control groups around this process grants. */
    private OptionalDouble quota() {
        return new ControlGroups(proc)
                .of("cpu")
                .map(group -> group.unified() ? unifiedQuota(group.folder()) : legacyQuota(group.folder()))
                .flatMapToDouble(OptionalDouble::stream)
                .min();
    }

    /** Version 2: {@code cpu.max} is the microseconds of a period or {@code max}, and the period. */
    private static OptionalDouble unifiedQuota(Path group) {
        return SystemFiles.lines(group.resolve("cpu.max")).stream()
                .filter(line -> line.matches("\\d{1,18} \\d{1,18}"))
                .map(line -> line.split(" "))
                .mapToDouble(words -> share(words[0], words[1]))
                .findFirst();
    }

    /** Version 1: the quota is -1 where there is none. */
    private static OptionalDouble legacyQuota(Path group) {
        List<String> quota = SystemFiles.lines(group.resolve("cpu.cfs_quota_us"));
        List<String> period = SystemFiles.lines(group.resolve("cpu.cfs_period_us"));
        boolean both = Stream.of(quota, period)
                .allMatch(file -> !file.isEmpty() && file.get(0).matches("\\d{1,18}"));
        return both ? OptionalDouble.of(share(quota.get(0), period.get(0))) : OptionalDouble.empty();
    }

    private static double share(String quota, String period) {
        return Double.parseDouble(quota) / Math.max(1, Double.parseDouble(period));
    }

    /** @param text such as {@code 0-3,8,10-11} */
    private static Optional<BitSet> list(String text) {
        BitSet processors = new BitSet();
        for (String range : text.strip().split(",")) {
            if (!range.matches("\\d{1,6}(-\\d{1,6})?")) {
                return Optional.empty();
            }
            String[] ends = range.split("-");
            processors.set(Integer.parseInt(ends[0]), Integer.parseInt(ends[ends.length - 1]) + 1);
        }
        return Optional.of(processors);
    }
}
