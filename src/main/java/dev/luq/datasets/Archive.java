package dev.luq.datasets;

import dev.luq.files.ChannelSlice;
import dev.luq.files.Folders;
import java.io.BufferedInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.zip.CRC32;
import java.util.zip.Inflater;
import java.util.zip.InflaterInputStream;
import java.util.zip.ZipException;

/**
 * Unpacks an uploaded zip into an empty folder. Only what a set consists of is taken: plain files with the endings of
 * examples and pictures. Refused as a whole: names that lead elsewhere, links, devices, files twice, encrypted entries,
 * entries that share bytes of the archive, more bytes or files than allowed, counted as they are written and not as the
 * archive announces them.
 */
final class Archive {

    private static final Set<String> ENDINGS = Set.of("jsonl", "png", "jpg", "jpeg", "webp");
    private static final int LONGEST_NAME = 255;
    private static final int DEEPEST = 8;
    private static final int LOCAL_SIGNATURE = 0x04034b50;
    private static final int LOCAL_BYTES = 30;
    private static final int STORED = 0;
    private static final int DEFLATED = 8;
    /** Encrypted, as a patch, strongly encrypted, with a hidden directory. */
    private static final int UNUSUAL_FLAGS = 1 | 1 << 5 | 1 << 6 | 1 << 13;

    private final long maxBytes;
    private final int maxFiles;
    /** What was unpacked; in lower case, because some disks do not tell it from upper case. */
    private final Set<String> files = new HashSet<>();

    private final Set<String> folders = new HashSet<>();
    private long bytes;

    /**
     * @param maxBytes unpacked, of all files together
     * @param maxFiles most entries, and most files and folders
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
        try (FileChannel zip = FileChannel.open(archive, StandardOpenOption.READ)) {
            long free = 0;
            for (ZipDirectory.Entry entry : ZipDirectory.read(zip, maxFiles)) {
                long data = data(zip, entry, free);
                free = data + entry.packed();
                if (!isLeftOut(entry)) {
                    unpack(zip, entry, data, target);
                }
            }
        }
        List<Path> top = Folders.list(target);
        return top.size() == 1 && Files.isDirectory(top.get(0)) ? top.get(0) : target;
    }

    /**
     * Where an entry's bytes begin.
     *
     * @param free the archive's first byte that no entry before has
     */
    private static long data(FileChannel zip, ZipDirectory.Entry entry, long free) throws IOException {
        if (entry.offset() < free) {
            throw invalid(entry.name(), "lies over another entry");
        }
        try {
            ByteBuffer head = ZipDirectory.bytes(new ChannelSlice(zip, entry.offset(), LOCAL_BYTES), LOCAL_BYTES);
            long data =
                    entry.offset() + LOCAL_BYTES + ZipDirectory.unsigned(head, 26) + ZipDirectory.unsigned(head, 28);
            if (head.getInt(0) != LOCAL_SIGNATURE || data > zip.size() - entry.packed()) {
                throw ZipDirectory.damaged();
            }
            return data;
        } catch (EOFException e) {
            throw ZipDirectory.damaged();
        }
    }

    /** What archivers of some systems add by themselves. */
    private static boolean isLeftOut(ZipDirectory.Entry entry) {
        String name = entry.name();
        return name.startsWith("__MACOSX/") || name.endsWith(".DS_Store") || name.endsWith("Thumbs.db");
    }

    private void unpack(FileChannel zip, ZipDirectory.Entry entry, long data, Path target) throws IOException {
        String name = entry.name();
        Path file = target.resolve(checkedName(name)).normalize();
        if (!file.startsWith(target)) {
            throw invalid(name, "leads out of the archive");
        }
        if (!isPlain(entry)) {
            throw invalid(name, "is a link or device; put plain files into the archive");
        }
        if (entry.isFolder()) {
            enter(name, file, target);
            return;
        }
        String ending = name.substring(name.lastIndexOf('.') + 1).toLowerCase(Locale.ROOT);
        if (!name.contains(".") || !ENDINGS.contains(ending)) {
            throw invalid(name, "is neither .jsonl nor a PNG, JPEG or WEBP picture");
        }
        if ((entry.flags() & UNUSUAL_FLAGS) != 0 || entry.method() != STORED && entry.method() != DEFLATED) {
            throw invalid(name, "is encrypted or compressed in an unusual way; use a plain zip");
        }
        enter(name, file.getParent(), target);
        String key = key(target, file);
        if (folders.contains(key) || !files.add(key)) {
            throw invalid(name, "is in the archive twice");
        }
        try (OutputStream out = Files.newOutputStream(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
            copy(entry, new BufferedInputStream(new ChannelSlice(zip, data, entry.packed()), 1 << 16), out);
        }
    }

    /** Makes a folder, and those between it and the target. */
    private void enter(String name, Path folder, Path target) throws IOException {
        for (Path each = folder; !each.equals(target); each = each.getParent()) {
            if (files.contains(key(target, each))) {
                throw invalid(name, "is in a folder that is in the archive as a file too");
            }
            folders.add(key(target, each));
        }
        if (folders.size() + files.size() > maxFiles) {
            throw new SetException.TooLarge("The archive holds more than " + maxFiles + " files and folders");
        }
        Files.createDirectories(folder);
    }

    private static String key(Path target, Path file) {
        return target.relativize(file).toString().toLowerCase(Locale.ROOT);
    }

    private static boolean isPlain(ZipDirectory.Entry entry) {
        int type = entry.unixMode() & 0170000;
        return type == 0 || type == 0100000 || type == 0040000;
    }

    private static String checkedName(String name) {
        boolean broken = name.isEmpty()
                || name.length() > LONGEST_NAME
                || name.startsWith("/")
                || name.contains("\\")
                || name.contains(":")
                || name.chars().anyMatch(Character::isISOControl)
                || name.split("/").length > DEEPEST;
        for (String part : name.split("/")) {
            broken |= part.isEmpty()
                    || part.equals(".")
                    || part.equals("..")
                    || part.getBytes(StandardCharsets.UTF_8).length > LONGEST_NAME;
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

    private void copy(ZipDirectory.Entry entry, InputStream packed, OutputStream out) throws IOException {
        Inflater inflater = new Inflater(true);
        try {
            InputStream in = entry.method() == STORED ? packed : new InflaterInputStream(packed, inflater, 1 << 16);
            CRC32 crc = new CRC32();
            byte[] buffer = new byte[1 << 16];
            long size = 0;
            for (int read = read(entry, in, buffer); read >= 0; read = read(entry, in, buffer)) {
                bytes += read;
                size += read;
                if (bytes > maxBytes) {
                    throw new SetException.TooLarge("The archive unpacks to more than " + maxBytes + " bytes");
                }
                if (size > entry.size()) {
                    throw damaged(entry);
                }
                crc.update(buffer, 0, read);
                out.write(buffer, 0, read);
            }
            if (size != entry.size() || crc.getValue() != entry.crc()) {
                throw damaged(entry);
            }
        } finally {
            inflater.end();
        }
    }

    private static int read(ZipDirectory.Entry entry, InputStream in, byte[] buffer) throws IOException {
        try {
            return in.read(buffer);
        } catch (ZipException | EOFException e) {
            throw damaged(entry);
        }
    }

    private static SetException.Invalid damaged(ZipDirectory.Entry entry) {
        return invalid(entry.name(), "is damaged");
    }

    private static SetException.Invalid invalid(String name, String reason) {
        String shown = name.length() > 80 ? name.substring(0, 80) + "..." : name;
        return new SetException.Invalid("The entry \"" + shown.replaceAll("\\p{Cntrl}", "?") + "\" " + reason);
    }
}
