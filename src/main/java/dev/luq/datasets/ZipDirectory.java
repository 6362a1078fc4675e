package dev.luq.datasets;

import dev.luq.files.ChannelSlice;
import java.io.BufferedInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * The directory at the end of a zip archive, ZIP64 included, read within bounds: as many entries as are allowed, and of
 * each no more than is used. The archive's other records are looked at where its entries are read.
 */
final class ZipDirectory {

    private static final int END_SIGNATURE = 0x06054b50;
    private static final int END_BYTES = 22;
    private static final int LONGEST_COMMENT = 0xffff;
    private static final int ZIP64_LOCATOR_SIGNATURE = 0x07064b50;
    private static final int ZIP64_LOCATOR_BYTES = 20;
    private static final int ZIP64_END_SIGNATURE = 0x06064b50;
    private static final int ZIP64_END_BYTES = 56;
    private static final int ENTRY_SIGNATURE = 0x02014b50;
    private static final int ENTRY_BYTES = 46;
    private static final int ZIP64_EXTRA = 1;
    private static final int UNIX = 3;
    private static final int SHORT_UNKNOWN = 0xffff;
    private static final long UNKNOWN = 0xffffffffL;
    private static final int LONGEST_NAME = 1024;
    /** Bytes of all names together, which are held in memory. */
    private static final long MOST_NAMES = 16 << 20;

    private ZipDirectory() {}

    /**
     * What the directory says of an entry.
     *
     * @param name as it stands there, unchecked
     * @param unixMode type and permissions; 0 when another system made the archive
     * @param flags general purpose bits
     * @param method of compression
     * @param crc of the content, unsigned
     * @param packed bytes in the archive
     * @param size bytes of the content
     * @param offset of the entry's own header
     */
    record Entry(String name, int unixMode, int flags, int method, long crc, long packed, long size, long offset) {

        boolean isFolder() {
            return name.endsWith("/");
        }
    }

    /** Where the directory lies. */
    private record End(long entries, long bytes, long offset) {}

    /**
     * @param most entries that are allowed
     * @return in the order in which they lie in the archive
     * @throws SetException.Invalid when it is no archive, or a damaged one
     * @throws SetException.TooLarge when there are more entries
     */
    static List<Entry> read(FileChannel archive, int most) throws IOException {
        End end = end(archive);
        if (end.entries > most) {
            throw new SetException.TooLarge("The archive has more than " + most + " files");
        }
        List<Entry> entries = new ArrayList<>();
        try {
            InputStream in = new BufferedInputStream(new ChannelSlice(archive, end.offset, end.bytes), 1 << 16);
            long names = 0;
            for (long i = 0; i < end.entries; i++) {
                Entry entry = entry(in);
                names += entry.name.length();
                if (names > MOST_NAMES) {
                    throw new SetException.TooLarge(
                            "The names in the archive are longer than " + MOST_NAMES + " bytes together");
                }
                entries.add(entry);
            }
        } catch (EOFException e) {
            throw damaged();
        }
        entries.sort(Comparator.comparingLong(Entry::offset));
        return entries;
    }

    private static End end(FileChannel archive) throws IOException {
        long size = archive.size();
        int length = (int) Math.min(size, END_BYTES + LONGEST_COMMENT);
        ByteBuffer tail = bytes(archive, size - length, length);
        for (int at = length - END_BYTES; at >= 0; at--) {
            // A comment behind it ends with the file: what only looks like the end of the directory may stand in one.
            if (tail.getInt(at) == END_SIGNATURE && at + END_BYTES + unsigned(tail, at + 20) == length) {
                long where = size - length + at;
                End end = new End(unsigned(tail, at + 10), unsignedInt(tail, at + 12), unsignedInt(tail, at + 16));
                if (end.entries == SHORT_UNKNOWN || end.bytes == UNKNOWN || end.offset == UNKNOWN) {
                    end = zip64(archive, where, end);
                }
                if (end.entries < 0 || end.bytes < 0 || end.offset < 0 || end.offset > where - end.bytes) {
                    throw damaged();
                }
                return end;
            }
        }
        throw damaged();
    }

    /** @return what the record of ZIP64 says, or what the plain one says where there is none */
    private static End zip64(FileChannel archive, long where, End plain) throws IOException {
        if (where < ZIP64_LOCATOR_BYTES + ZIP64_END_BYTES) {
            return plain;
        }
        ByteBuffer locator = bytes(archive, where - ZIP64_LOCATOR_BYTES, ZIP64_LOCATOR_BYTES);
        if (locator.getInt(0) != ZIP64_LOCATOR_SIGNATURE) {
            return plain;
        }
        long at = locator.getLong(8);
        if (at < 0 || at > where - ZIP64_LOCATOR_BYTES - ZIP64_END_BYTES) {
            throw damaged();
        }
        ByteBuffer end = bytes(archive, at, ZIP64_END_BYTES);
        if (end.getInt(0) != ZIP64_END_SIGNATURE) {
            throw damaged();
        }
        return new End(end.getLong(32), end.getLong(40), end.getLong(48));
    }

    private static Entry entry(InputStream in) throws IOException {
        ByteBuffer head = bytes(in, ENTRY_BYTES);
        int nameLength = unsigned(head, 28);
        if (head.getInt(0) != ENTRY_SIGNATURE || nameLength > LONGEST_NAME) {
            throw damaged();
        }
        String name = name(bytes(in, nameLength));
        ByteBuffer extra = bytes(in, unsigned(head, 30));
        in.skipNBytes(unsigned(head, 32));
        long size = unsignedInt(head, 24);
        long packed = unsignedInt(head, 20);
        long offset = unsignedInt(head, 42);
        if (size == UNKNOWN || packed == UNKNOWN || offset == UNKNOWN) {
            ByteBuffer wide = zip64(extra);
            // Those that did not fit, in this order.
            size = size == UNKNOWN ? next(wide) : size;
            packed = packed == UNKNOWN ? next(wide) : packed;
            offset = offset == UNKNOWN ? next(wide) : offset;
        }
        int unixMode = unsigned(head, 4) >> 8 == UNIX ? unsigned(head, 40) : 0;
        return new Entry(
                name, unixMode, unsigned(head, 8), unsigned(head, 10), unsignedInt(head, 16), packed, size, offset);
    }

    private static ByteBuffer zip64(ByteBuffer extra) {
        int at = 0;
        while (at + 4 <= extra.limit()) {
            int length = unsigned(extra, at + 2);
            if (at + 4 + length > extra.limit()) {
                break;
            }
            if (unsigned(extra, at) == ZIP64_EXTRA) {
                return extra.slice(at + 4, length).order(ByteOrder.LITTLE_ENDIAN);
            }
            at += 4 + length;
        }
        throw damaged();
    }

    private static long next(ByteBuffer wide) {
        long value = wide.remaining() < Long.BYTES ? -1 : wide.getLong();
        if (value < 0) {
            throw damaged();
        }
        return value;
    }

    private static String name(ByteBuffer bytes) {
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .onMalformedInput(CodingErrorAction.REPORT)
                    .decode(bytes)
                    .toString();
        } catch (CharacterCodingException e) {
            throw new SetException.Invalid(
                    "The archive has a name that is not UTF-8; rename the file, or use an archiver that"
                            + " writes UTF-8");
        }
    }

    /** @throws EOFException when there are fewer */
    static ByteBuffer bytes(InputStream in, int count) throws IOException {
        byte[] bytes = in.readNBytes(count);
        if (bytes.length < count) {
            throw new EOFException();
        }
        return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    private static ByteBuffer bytes(FileChannel archive, long offset, int count) throws IOException {
        return bytes(new ChannelSlice(archive, offset, count), count);
    }

    static int unsigned(ByteBuffer bytes, int at) {
        return Short.toUnsignedInt(bytes.getShort(at));
    }

    private static long unsignedInt(ByteBuffer bytes, int at) {
        return Integer.toUnsignedLong(bytes.getInt(at));
    }

    static SetException.Invalid damaged() {
        return new SetException.Invalid("The body is no zip archive, or a damaged one");
    }
}
