package dev.luq.machine;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** The control groups (cgroups) around this process, of both versions, as far as it sees them. Linux; elsewhere none. */
public final class ControlGroups {

    private final Path proc;

    /** @param proc {@code /proc} */
    public ControlGroups(Path proc) {
        this.proc = proc;
    }

    /**
     * A group that may limit something.
     *
     * @param unified whether it is of version 2; the files of version 1 have other names
     * @param folder where its files are
     */
    public record Group(boolean unified, Path folder) {}

    /**
     * The process's own group and those around it, of each hierarchy.
     *
     * @param controller as version 1 calls it, such as {@code cpu} or {@code memory}
     */
    public Stream<Group> of(String controller) {
        List<String> groups = SystemFiles.lines(proc.resolve("self").resolve("cgroup"));
        return SystemFiles.lines(proc.resolve("self").resolve("mountinfo")).stream()
                .flatMap(line -> Mount.of(line, controller).stream())
                .flatMap(mount -> mount.around(groups));
    }

    /**
     * A hierarchy of control groups.
     *
     * @param root which of its groups is seen at the point: a container sees its own as the top
     */
    private record Mount(boolean unified, String controller, String root, Path point) {

        private static final int ROOT = 3;
        private static final int POINT = 4;

        /** @param line {@code id parent device root point options... - type source options} */
        static Optional<Mount> of(String line, String controller) {
            String[] sides = line.split(" - ", 2);
            String[] words = sides[0].split(" ");
            String[] type = sides[sides.length - 1].split(" ");
            boolean unified = type[0].equals("cgroup2");
            boolean legacy = type[0].equals("cgroup") && has(type[type.length - 1], controller);
            return words.length > POINT && (unified || legacy)
                    ? Optional.of(new Mount(unified, controller, words[ROOT], Path.of(words[POINT])))
                    : Optional.empty();
        }

        private static boolean has(String controllers, String controller) {
            return Arrays.asList(controllers.split(",")).contains(controller);
        }

        Stream<Group> around(List<String> groups) {
            Optional<Path> own =
                    groups.stream().flatMap(line -> folder(line).stream()).findFirst();
            return Stream.iterate(
                            own.filter(Files::isDirectory).orElse(point),
                            folder -> folder != null && folder.startsWith(point),
                            Path::getParent)
                    .map(folder -> new Group(unified, folder));
        }

        /**
         * @param group a line {@code id:controllers:path} of {@code /proc/self/cgroup}
         * @return the group's folder; empty when the line is of another hierarchy
         */
        private Optional<Path> folder(String group) {
            String[] parts = group.split(":", 3);
            if (parts.length < 3 || !(unified ? parts[1].isEmpty() : has(parts[1], controller))) {
                return Optional.empty();
            }
            String below =
                    root.equals("/") ? parts[2] : parts[2].startsWith(root) ? parts[2].substring(root.length()) : "";
            Path folder = point.resolve(below.replaceFirst("^/+", "")).normalize();
            return folder.startsWith(point) ? Optional.of(folder) : Optional.empty();
        }
    }
}
