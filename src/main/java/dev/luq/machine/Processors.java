package dev.luq.machine;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
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
        Optional<BitSet> allowed = lines(proc.resolve("self").resolve("status")).stream()
                .filter(line -> line.startsWith("Cpus_allowed_list:"))
                .findFirst()
                .flatMap(line -> list(line.substring(line.indexOf(':') + 1)));
        if (allowed.isEmpty()) {
            return otherwise;
        }
        lines(online).stream().findFirst().flatMap(Processors::list).ifPresent(allowed.get()::and);
        return allowed.get().isEmpty() ? otherwise : allowed.get().cardinality();
    }

    /** Processors that the tightest of the control groups around this process grants. */
    private OptionalDouble quota() {
        OptionalDouble least = OptionalDouble.empty();
        List<String> groups = lines(proc.resolve("self").resolve("cgroup"));
        for (Mount mount : Mount.of(lines(proc.resolve("self").resolve("mountinfo")))) {
            Optional<Path> own =
                    groups.stream().flatMap(line -> mount.folder(line).stream()).findFirst();
            Path group = own.filter(Files::isDirectory).orElse(mount.point);
            for (; group != null && group.startsWith(mount.point); group = group.getParent()) {
                OptionalDouble quota = mount.unified ? unifiedQuota(group) : legacyQuota(group);
                if (quota.isPresent()) {
                    least = OptionalDouble.of(Math.min(quota.getAsDouble(), least.orElse(Double.MAX_VALUE)));
                }
            }
        }
        return least;
    }

    /** Version 2: {@code cpu.max} is the microseconds of a period or {@code max}, and the period. */
    private static OptionalDouble unifiedQuota(Path group) {
        return lines(group.resolve("cpu.max")).stream()
                .filter(line -> line.matches("\\d{1,18} \\d{1,18}"))
                .map(line -> line.split(" "))
                .mapToDouble(words -> share(words[0], words[1]))
                .findFirst();
    }

    /** Version 1: the quota is -1 where there is none. */
    private static OptionalDouble legacyQuota(Path group) {
        List<String> quota = lines(group.resolve("cpu.cfs_quota_us"));
        List<String> period = lines(group.resolve("cpu.cfs_period_us"));
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

    private static List<String> lines(Path file) {
        try {
            return Files.readAllLines(file);
        } catch (IOException e) {
            return List.of();
        }
    }

    /**
     * A hierarchy of control groups that may limit processors.
     *
     * @param unified version 2
     * @param root which of its groups is seen at the point: a container sees its own as the top
     */
    private record Mount(boolean unified, String root, Path point) {

        private static final int ROOT = 3;
        private static final int POINT = 4;

        /** @param mountinfo lines {@code id parent device root point options... - type source options} */
        static List<Mount> of(List<String> mountinfo) {
            return mountinfo.stream().flatMap(line -> of(line).stream()).toList();
        }

        private static Optional<Mount> of(String line) {
            String[] sides = line.split(" - ", 2);
            String[] words = sides[0].split(" ");
            String[] type = sides[sides.length - 1].split(" ");
            boolean unified = type[0].equals("cgroup2");
            boolean legacy = type[0].equals("cgroup") && hasCpu(type[type.length - 1]);
            return words.length > POINT && (unified || legacy)
                    ? Optional.of(new Mount(unified, words[ROOT], Path.of(words[POINT])))
                    : Optional.empty();
        }

        private static boolean hasCpu(String controllers) {
            return Arrays.asList(controllers.split(",")).contains("cpu");
        }

        /**
         * @param group a line {@code id:controllers:path} of {@code /proc/self/cgroup}
         * @return the group's folder; empty when the line is of another hierarchy
         */
        Optional<Path> folder(String group) {
            String[] parts = group.split(":", 3);
            if (parts.length < 3 || !(unified ? parts[1].isEmpty() : hasCpu(parts[1]))) {
                return Optional.empty();
            }
            String below =
                    root.equals("/") ? parts[2] : parts[2].startsWith(root) ? parts[2].substring(root.length()) : "";
            Path folder = point.resolve(below.replaceFirst("^/+", "")).normalize();
            return folder.startsWith(point) ? Optional.of(folder) : Optional.empty();
        }
    }
}
