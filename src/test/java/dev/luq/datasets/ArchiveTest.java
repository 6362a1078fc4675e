package dev.luq.datasets;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.luq.files.Folders;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import org.apache.commons.compress.archivers.zip.Zip64Mode;
import org.apache.commons.compress.archivers.zip.ZipArchiveEntry;
import org.apache.commons.compress.archivers.zip.ZipArchiveOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Archives that are not what they say. */
class ArchiveTest {

    private static final int END = 22;
    private static final byte[] ENTRY = {'P', 'K', 1, 2};
    private static final byte[] LINE = "{\"question\": \"a\", \"answer\": \"b\"}\n".getBytes(StandardCharsets.UTF_8);

    @TempDir
    Path folder;

    private Path unpack(byte[] archive) throws IOException {
        Path target = folder.resolve("target");
        Folders.delete(target);
        Path file = Files.write(folder.resolve("upload.zip"), archive);
        return new Archive(1_000_000, 10).unpack(file, Files.createDirectory(target));
    }

    private void refused(String reason, byte[] archive) {
        String message =
                assertThrows(SetException.Invalid.class, () -> unpack(archive)).getMessage();
        assertTrue(message.contains(reason), message);
    }

    private static byte[] zip(String... names) {
        Map<String, byte[]> files = new LinkedHashMap<>();
        for (String name : names) {
            files.put(name, name.endsWith("/") ? new byte[0] : LINE);
        }
        return TestArchives.zip(files);
    }

    /** Where the nth entry of the directory begins. */
    private static int entry(byte[] archive, int n) {
        ByteBuffer bytes = ByteBuffer.wrap(archive).order(ByteOrder.LITTLE_ENDIAN);
        int at = bytes.getInt(archive.length - END + 16);
        for (int i = 0; i < n; i++) {
            at += 46 + bytes.getShort(at + 28) + bytes.getShort(at + 30) + bytes.getShort(at + 32);
        }
        assertEquals(ByteBuffer.wrap(ENTRY).getInt(), ByteBuffer.wrap(archive).getInt(at));
        return at;
    }

    private static byte[] with(byte[] archive, int at, int value) {
        byte[] changed = archive.clone();
        ByteBuffer.wrap(changed).order(ByteOrder.LITTLE_ENDIAN).putInt(at, value);
        return changed;
    }

    @Test
    void foldersAndZip64AreUnderstood() throws IOException {
        Path plain = unpack(zip("a.jsonl", "images/", "b/c.jsonl"));
        assertEquals(
                new String(LINE, UTF_8), Files.readString(plain.resolve("b").resolve("c.jsonl")));
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ZipArchiveOutputStream zip = new ZipArchiveOutputStream(bytes)) {
            zip.setUseZip64(Zip64Mode.Always);
            zip.putArchiveEntry(new ZipArchiveEntry("a.jsonl"));
            zip.write(LINE);
            zip.closeArchiveEntry();
        }
        assertEquals(
                new String(LINE, UTF_8),
                Files.readString(unpack(bytes.toByteArray()).resolve("a.jsonl")));
    }

    @Test
    void aCommentThatLooksLikeAnEndIsNone() throws IOException {
        byte[] archive = zip("a.jsonl");
        byte[] commented = Arrays.copyOf(archive, archive.length + END);
        commented[archive.length - 2] = END;
        System.arraycopy(archive, archive.length - END, commented, archive.length, END);
        commented[commented.length - 2] = 1;
        assertTrue(Files.exists(unpack(commented).resolve("a.jsonl")));
    }

    @Test
    void entriesThatShareBytesAreABomb() {
        byte[] archive = zip("a.jsonl", "b.jsonl");
        refused("lies over another entry", with(archive, entry(archive, 1) + 42, 0));
        refused("lies over another entry", with(archive, entry(archive, 1) + 42, 10));
    }

    @Test
    void aDirectoryThatLiesAboutItselfIsRefused() {
        byte[] archive = zip("a.jsonl", "b.jsonl");
        int end = archive.length - END;
        refused("damaged", with(archive, end + 12, 0x7fffffff));
        refused("damaged", with(archive, end + 16, 0x7fffffff));
        refused("damaged", with(archive, end + 16, -1));
        refused("damaged", with(archive, end + 8, 0x00050005));
        assertThrows(SetException.TooLarge.class, () -> unpack(with(archive, end + 8, 0x7fff7fff)));
        assertThrows(SetException.TooLarge.class, () -> unpack(with(archive, end + 8, -1)));
        refused("damaged", with(archive, entry(archive, 0) + 28, 0x0000ffff));
        refused("damaged", with(archive, entry(archive, 0) + 42, 0x7fffffff));
        refused("damaged", with(archive, entry(archive, 0) + 20, -1));
    }

    @Test
    void contentThatIsNotAsAnnouncedIsRefused() {
        byte[] archive = zip("a.jsonl");
        refused("is damaged", with(archive, entry(archive, 0) + 16, 1234));
        refused("is damaged", with(archive, entry(archive, 0) + 24, LINE.length - 1));
        refused("is damaged", with(archive, entry(archive, 0) + 24, LINE.length + 1));
        refused("is damaged", with(archive, entry(archive, 0) + 20, 3));
    }

    @Test
    void aFileThatIsAFolderTooIsRefused() {
        refused("as a file too", zip("x.png", "x.png/y.png"));
        refused("as a file too", zip("x.png", "x.PNG/"));
        refused("twice", zip("x.png/y.png", "x.png"));
        refused("twice", zip("a.jsonl", "A.JSONL"));
    }

    @Test
    void foldersCountAsFilesDo() {
        String[] deep = IntStream.range(0, 5).mapToObj(i -> i + "/b/c/d/x.png").toArray(String[]::new);
        assertThrows(SetException.TooLarge.class, () -> unpack(zip(deep)));
    }

    @ParameterizedTest
    @CsvSource({"inner.zip,neither", "run.jsonl.sh,neither", "\u00e9,200"})
    void filesOfOtherKindsAndNamesThatNoDiskTakesAreRefused(String name, String reason) {
        boolean repeated = reason.equals("200");
        refused(repeated ? "name that is not allowed" : reason, zip(repeated ? name.repeat(200) + ".png" : name));
    }

    @Test
    void aNameThatIsNoTextIsRefused() {
        byte[] archive = zip("\u00e9.jsonl");
        int name = entry(archive, 0) + 46;
        archive[name] = (byte) 0xff;
        refused("not UTF-8", archive);
    }

    /** Whatever is wrong, it is the archive's fault. */
    @Test
    void noArchiveIsOurFault() throws IOException {
        byte[] good = TestArchives.zip(TestArchives.set());
        Random random = new Random(12);
        int accepted = 0;
        for (int i = 0; i < 500; i++) {
            byte[] changed = good.clone();
            for (int n = random.nextInt(4); n >= 0; n--) {
                changed[random.nextInt(changed.length)] = (byte) random.nextInt();
            }
            try {
                unpack(changed);
                accepted++;
            } catch (SetException refused) {
                // as it should be
            }
        }
        assertTrue(accepted < 400, accepted + " accepted");
    }
}
