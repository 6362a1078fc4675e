package dev.luq.process;

import dev.luq.files.Folders;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import org.jboss.logging.Logger;

/** The crash reports of one kind of child process: one per run, a few of bounded size kept. */
final class CrashReports {

    private static final Logger LOG = Logger.getLogger(CrashReports.class);

    /** Reports kept of all processes of this kind, the latest ones. */
    static final int KEPT = 8;
    /** Bytes kept of each: what is at the end of a long one is the list of what was mapped. */
    static final long LONGEST = 1 << 18;

    private static final String SUFFIX = ".crash.log";

    private final Path folder;
    private final String prefix;

    /** @param role of the processes */
    CrashReports(Path folder, String role) {
        this.folder = folder;
        this.prefix = "luq-" + role + "-";
    }

    Path folder() {
        return folder;
    }

    /** @return the file as the JVM is told, which puts its process id in */
    String pattern(String name) {
        return folder.resolve(file(name, "%p")).toString();
    }

    private String file(String name, String pid) {
        return prefix + name.replaceAll("[^A-Za-z0-9._-]", "_") + "-" + pid + SUFFIX;
    }

    /**
     * What the process with this name and id left, now that it is gone.
     *
     * @param started a time before its start: process ids come again, in a container with every start of it
     */
    Optional<CrashReport> of(String name, long pid, Instant started) {
        Path report = folder.resolve(file(name, Long.toString(pid)));
        if (!Files.isRegularFile(report, LinkOption.NOFOLLOW_LINKS)) {
            return Optional.empty();
        }
        try {
            // Some file systems know seconds only.
            if (Files.getLastModifiedTime(report).toInstant().isBefore(started.truncatedTo(ChronoUnit.SECONDS))) {
                return Optional.empty();
            }
            bound(report);
            try (BufferedReader reader = new BufferedReader(
                    new InputStreamReader(Files.newInputStream(report), StandardCharsets.ISO_8859_1))) {
                return CrashReport.parse(reader, report);
            }
        } catch (IOException e) {
            LOG.warnf("The crash report %s cannot be read: %s", report, e.getMessage());
            return Optional.empty();
        }
    }

    private void bound(Path latest) throws IOException {
        try (FileChannel channel = FileChannel.open(latest, StandardOpenOption.WRITE)) {
            channel.truncate(LONGEST);
        }
        List<Path> reports = Folders.list(folder, file -> {
            String name = file.getFileName().toString();
            return name.startsWith(prefix) && name.endsWith(SUFFIX);
        });
        reports.sort(Comparator.comparingLong(CrashReports::modified).reversed());
        for (Path old : reports.subList(Math.min(KEPT, reports.size()), reports.size())) {
            try {
                Files.deleteIfExists(old);
            } catch (IOException e) {
                LOG.debugf("The crash report %s, perhaps of another account, stays: %s", old, e.getMessage());
            }
        }
    }

    private static long modified(Path file) {
        try {
            return Files.getLastModifiedTime(file).toMillis();
        } catch (IOException e) {
            return 0;
        }
    }
}
