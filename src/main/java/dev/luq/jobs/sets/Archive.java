package dev.luq.jobs.sets;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.zip.ZipException;
import org.apache.commons.compress.archivers.zip.ZipArchiveEntry;
import org.apache.commons.compress.archivers.zip.ZipFile;

/**
 * Unpacks an uploaded zip into an empty folder. Only what a set consists of is taken: plain files with the endings of
 * examples and pictures. Refused as a whole: names that lead elsewhere, links, devices, files twice, encrypted entries,
 * more bytes or files than allowed, counted as they are written and not as the archive announces them.
 */
final class Archive {

    private static final Set<String> ENDINGS = Set.of("jsonl", "png", "jpg", "jpeg", "webp");
    /** Bytes: what disks take. */
    private static final int LONGEST_NAME = 255;
    private static final int DEEPEST = 8;

    private final long maxBytes;
    private final int maxFiles;
    private final Set<String> names = new HashSet<>();
    private long bytes;

    /**
     * @param maxBytes unpacked, of all files together
     * @param maxFiles most entries
     */
    Archive(long maxBytes, int maxFiles) {
        this.maxBytes = maxBytes;
        this.maxFiles = maxFiles;
    }

    /**
     * @param target an empty folder; what is left in it after a failure is of no use
     * @return the folder of the set: target, or the one folder that everything lies in
     * @throws SetException.Invalid when the archive is none, or holds what it must not
     * @throws SetException.TooLarge when there is more than allowed
     * @throws IOException when the disk does not take it
     */
    Path unpack(Path archive, Path target) throws IOException {
        try (ZipFile zip = open(archive)) {
            List<ZipArchiveEntry> entries = Collections.list(zip.getEntries());
            if (entries.size() > maxFiles) {
                throw new SetException.TooLarge("The archive has more than " + maxFiles + " files");
            }
            for (ZipArchiveEntry entry : entries) {
                if (!isLeftOut(entry)) {
                    unpack(zip, entry, target);
                }
            }
        }
        List<Path> top = new ArrayList<>();
        try (var files = Files.list(target)) {
            files.forEach(top::add);
        }
        return top.size() == 1 && Files.isDirectory(top.get(0)) ? top.get(0) : target;
    }

    private static ZipFile open(Path archive) throws IOException {
        try {
            return ZipFile.builder().setPath(archive).setIgnoreLocalFileHeader(true).get();
        } catch (ZipException | IllegalArgumentException e) {
            throw notAnArchive();
        } catch (IOException e) {
            // A directory that cannot be parsed is an IOException too; one that can be opened is not the disk's fault.
            if (Files.isReadable(archive)) {
                throw notAnArchive();
            }
            throw e;
        }
    }

    private static SetException.Invalid notAnArchive() {
        return new SetException.Invalid("The body is no zip archive, or a damaged one");
    }

    /** What archivers of some systems add by themselves. */
    private static boolean isLeftOut(ZipArchiveEntry entry) {
        String name = entry.getName();
        return name.startsWith("__MACOSX/") || name.endsWith(".DS_Store") || name.endsWith("Thumbs.db");
    }

    private void unpack(ZipFile zip, ZipArchiveEntry entry, Path target) throws IOException {
        String name = entry.getName();
        Path file = target.resolve(checkedName(name)).normalize();
        if (!file.startsWith(target)) {
            throw invalid(name, "leads out of the archive");
        }
        if (entry.isUnixSymlink() || entry.getUnixMode() != 0 && !isPlain(entry)) {
            throw invalid(name, "is a link or device; put plain files into the archive");
        }
        if (entry.isDirectory()) {
            createFolders(name, file);
            return;
        }
        String ending = name.substring(name.lastIndexOf('.') + 1).toLowerCase(Locale.ROOT);
        if (!name.contains(".") || !ENDINGS.contains(ending)) {
            throw invalid(name, "is neither .jsonl nor a PNG, JPEG or WEBP picture");
        }
        if (entry.getGeneralPurposeBit().usesEncryption() || !zip.canReadEntryData(entry)) {
            throw invalid(name, "is encrypted or compressed in an unusual way; use a plain zip");
        }
        // Some disks do not tell upper from lower case.
        if (!names.add(file.toString().toLowerCase(Locale.ROOT))) {
            throw invalid(name, "is in the archive twice");
        }
        if (Files.isDirectory(file)) {
            throw fileAndFolder(name);
        }
        createFolders(name, file.getParent());
        try (InputStream in = open(zip, entry);
                OutputStream out = Files.newOutputStream(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
            copy(name, in, out);
        }
    }

    private static InputStream open(ZipFile zip, ZipArchiveEntry entry) {
        try {
            return zip.getInputStream(entry);
        } catch (IOException e) {
            throw invalid(entry.getName(), "is damaged");
        }
    }

    private static void createFolders(String name, Path folder) throws IOException {
        try {
            Files.createDirectories(folder);
        } catch (FileAlreadyExistsException e) {
            throw fileAndFolder(name);
        }
    }

    private static SetException.Invalid fileAndFolder(String name) {
        return invalid(name, "needs a folder of the same name as a file");
    }

    private static boolean isPlain(ZipArchiveEntry entry) {
        int type = entry.getUnixMode() & 0170000;
        return type == 0 || type == 0100000 || type == 0040000;
    }

    private static String checkedName(String name) {
        boolean broken = name.isEmpty() || name.getBytes(StandardCharsets.UTF_8).length > LONGEST_NAME || name.startsWith("/") || name.contains("\\")
                || name.contains(":") || name.chars().anyMatch(Character::isISOControl)
                || name.split("/").length > DEEPEST;
        for (String part : name.split("/")) {
            broken |= part.isEmpty() || part.equals(".") || part.equals("..");
        }
        try {
            broken |= Path.of(name).isAbsolute();
        } catch (InvalidPathException e) {
            broken = true;
        }
        if (broken) {
            throw invalid(name, "has a name that is not allowed; use relative names of plain files");
        }
        return name;
    }

    private void copy(String name, InputStream in, OutputStream out) throws IOException {
        byte[] buffer = new byte[1 << 16];
        while (true) {
            int read;
            try {
                read = in.read(buffer);
            } catch (IOException e) {
                throw invalid(name, "is damaged");
            }
            if (read < 0) {
                return;
            }
            bytes += read;
            if (bytes > maxBytes) {
                throw new SetException.TooLarge("The archive unpacks to more than " + maxBytes + " bytes");
            }
            out.write(buffer, 0, read);
        }
    }

    private static SetException.Invalid invalid(String name, String reason) {
        String shown = name.length() > 80 ? name.substring(0, 80) + "..." : name;
        return new SetException.Invalid("The entry \"" + shown.replaceAll("\\p{Cntrl}", "?") + "\" " + reason);
    }
}
