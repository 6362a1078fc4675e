package dev.luq.serving;

import dev.luq.files.Folders;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Collection;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What can be seen of files without reading them, to tell later whether they are still the same.
 *
 * @param files those that there are; of a split model every part
 */
record FileStamps(Map<Path, Stamp> files) {

    /**
     * @param modified milliseconds
     * @param key tells a file from another one that took its name; null where the file system has no such thing
     */
    record Stamp(long size, long modified, Object key) {}

    private static final Pattern PART = Pattern.compile("(.+)-\\d{5}-of-\\d{5}\\.gguf");

    static FileStamps of(Collection<Path> paths) {
        Map<Path, Stamp> stamps = new TreeMap<>();
        for (Path file : withParts(paths)) {
            try {
                BasicFileAttributes now = Files.readAttributes(file, BasicFileAttributes.class);
                stamps.put(file, new Stamp(now.size(), now.lastModifiedTime().toMillis(), now.fileKey()));
            } catch (IOException e) {
                // it is not there
            }
        }
        return new FileStamps(stamps);
    }

    /** Parts that were missing may be what comes next. */
    private static Set<Path> withParts(Collection<Path> paths) {
        Set<Path> all = new TreeSet<>(paths);
        Set<Path> listed = new HashSet<>();
        for (Path path : paths) {
            Matcher name = PART.matcher(path.getFileName().toString());
            if (name.matches() && listed.add(path.resolveSibling(name.group(1)))) {
                String prefix = name.group(1) + "-";
                try {
                    all.addAll(Folders.list(
                            path.toAbsolutePath().getParent(),
                            file -> file.getFileName().toString().startsWith(prefix)));
                } catch (IOException e) {
                    // nothing is there
                }
            }
        }
        return all;
    }

    /** What happened to the files since then, for people, such as {@code was truncated}; empty when nothing did. */
    Optional<String> changeSince(FileStamps then) {
        for (Map.Entry<Path, Stamp> file : then.files.entrySet()) {
            Stamp now = files.get(file.getKey());
            if (now == null) {
                return Optional.of("was removed");
            } else if (now.size() < file.getValue().size()) {
                return Optional.of("was truncated");
            } else if (!now.equals(file.getValue())) {
                return Optional.of("was replaced or written to");
            }
        }
        return Optional.empty();
    }
}
