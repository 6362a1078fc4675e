package dev.luq.filecache;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalLong;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CachedFilesTest {

    private static final int BYTES = 1000;
    /** Of a file with so many bytes of embeddings. */
    private static final int FILE_BYTES = BYTES + 84;

    @TempDir
    Path directory;

    private Path mmproj;

    @BeforeEach
    void projector() throws IOException {
        mmproj = Files.writeString(directory.resolve("mmproj.gguf"), "a projector");
    }

    private FileCache folder(long maxBytes) {
        return new FileCache(directory.resolve("data/cached"), maxBytes);
    }

    private CachedFiles files(long maxBytes, String... settings) {
        return files(maxBytes, new EncoderIdentity("model", mmproj, List.of(settings)));
    }

    private CachedFiles files(long maxBytes, Producer producer) {
        return new CachedFiles(folder(maxBytes), producer, "numbers");
    }

    private static ByteBuffer floats(String image) {
        byte[] bytes = new byte[BYTES];
        new Random(image.hashCode()).nextBytes(bytes);
        return ByteBuffer.allocateDirect(BYTES).put(bytes).flip();
    }

    private static void write(CachedFiles files, String image) {
        files.write(image, floats(image));
    }

    /** Whether it is there; what is there must be right. */
    private static boolean has(CachedFiles files, String image) {
        ByteBuffer read = ByteBuffer.allocateDirect(BYTES);
        boolean found = files.read(image, read);
        assertTrue(!found || read.equals(floats(image)));
        return found;
    }

    private List<Path> images() throws IOException {
        try (Stream<Path> all = Files.walk(directory.resolve("data/cached"), 2)) {
            return all.filter(file -> file.getFileName().toString().length() == 64 && Files.isRegularFile(file))
                    .toList();
        }
    }

    @Test
    void whatOneProcessWroteTheNextOneReads() {
        CachedFiles first = files(1 << 20);
        assertFalse(has(first, "cat"));
        write(first, "cat");
        CachedFiles second = files(1 << 20);
        assertTrue(has(second, "cat"));
        assertFalse(has(second, "dog"));
    }

    @Test
    void whatIsThereIsKnownOnceTheFolderIs() {
        write(files(1 << 20), "cat");
        CachedFiles next = files(1 << 20);
        assertFalse(next.isOpen());
        assertFalse(next.has("cat"));
        next.open();
        assertTrue(next.isOpen());
        assertTrue(next.has("cat"));
        assertFalse(next.has("dog"));
        assertEquals(OptionalLong.of(BYTES), next.length("cat"));
        assertEquals(OptionalLong.empty(), next.length("dog"));
    }

    @Test
    void whatIsOfNoUseIsRemoved() throws IOException {
        CachedFiles files = files(1 << 20);
        write(files, "cat");
        write(files, "dog");
        files.remove("cat");
        files.remove("bird");
        assertFalse(has(files, "cat"));
        assertTrue(has(files, "dog"));
    }

    @Test
    void encodersShareOnlyWhatTheyWouldComputeAlike() throws IOException {
        write(files(1 << 20, "build 1", "image-max-tokens 1280"), "cat");
        assertTrue(has(files(1 << 20, "build 1", "image-max-tokens 1280"), "cat"));
        assertFalse(has(files(1 << 20, "build 2", "image-max-tokens 1280"), "cat"));
        assertFalse(has(files(1 << 20, "build 1", "image-max-tokens 640"), "cat"));
        Path copy = Files.copy(mmproj, directory.resolve("copy.gguf"));
        EncoderIdentity same = new EncoderIdentity("other", copy, List.of("build 1", "image-max-tokens 1280"));
        assertTrue(has(files(1 << 20, same), "cat"));
        Files.writeString(mmproj, "B projector");
        assertFalse(has(files(1 << 20, "build 1", "image-max-tokens 1280"), "cat"));
    }

    @Test
    void aProjectorThatWasReplacedSinceItWasOpenedKeepsNothing() throws IOException {
        CachedFiles opened = files(1 << 20);
        Files.writeString(mmproj, "another projector");
        write(opened, "cat");
        assertFalse(has(files(1 << 20), "cat"));
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 4, 8, 40, 72, 80, 84, 84 + BYTES - 1})
    void aFileWithAWrongByteIsRemovedAndWrittenAnew(int place) throws IOException {
        CachedFiles files = files(1 << 20);
        write(files, "cat");
        byte[] bytes = Files.readAllBytes(images().get(0));
        assertEquals(FILE_BYTES, bytes.length);
        bytes[place] ^= 1;
        Files.write(images().get(0), bytes);
        assertFalse(has(files, "cat"));
        assertEquals(List.of(), images());
        write(files, "cat");
        assertTrue(has(files, "cat"));
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 84, FILE_BYTES - 1, FILE_BYTES + 1})
    void aFileOfAnotherLengthIsRemoved(int length) throws IOException {
        CachedFiles files = files(1 << 20);
        write(files, "cat");
        Path file = images().get(0);
        byte[] bytes = Files.readAllBytes(file);
        Files.write(file, Arrays.copyOf(bytes, length));
        assertFalse(has(files, "cat"));
        assertEquals(List.of(), images());
    }

    @Test
    void theLeastRecentlyUsedGoWhenRoomIsShort() throws IOException {
        CachedFiles files = files(4 * FILE_BYTES);
        for (String image : List.of("a", "b", "c", "d")) {
            write(files, image);
            age();
        }
        assertTrue(has(files, "a"));
        write(files, "e");
        assertTrue(has(files, "a"));
        assertFalse(has(files, "b"));
        assertTrue(has(files, "e"));
        assertTrue((long) images().size() * FILE_BYTES <= 4 * FILE_BYTES);
    }

    /** Makes what was used until now a minute older: times of files need not be exact. */
    private void age() throws IOException {
        for (Path file : images()) {
            Files.setLastModifiedTime(
                    file,
                    FileTime.from(Files.getLastModifiedTime(file).toInstant().minusSeconds(60)));
        }
    }

    @Test
    void theBoundIsOfAllEncodersAndMayBecomeSmaller() throws IOException {
        write(files(2 * FILE_BYTES, "one"), "a");
        write(files(2 * FILE_BYTES, "two"), "b");
        age();
        write(files(2 * FILE_BYTES, "three"), "c");
        assertTrue(images().size() <= 2);
        assertTrue(has(files(2 * FILE_BYTES, "three"), "c"));
        files(FILE_BYTES - 1, "three").open();
        assertEquals(List.of(), images());
    }

    @Test
    void anImageLargerThanTheBoundIsNotKept() throws IOException {
        write(files(FILE_BYTES - 1), "cat");
        assertEquals(List.of(), images());
    }

    @Test
    void workersThatWriteAtOnceStayWithinTheBound() throws Exception {
        List<CachedFiles> workers = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            workers.add(files(10 * FILE_BYTES));
        }
        ExecutorService threads = Executors.newFixedThreadPool(workers.size());
        try {
            List<Future<?>> writers = new ArrayList<>();
            for (CachedFiles worker : workers) {
                writers.add(threads.submit(() -> {
                    for (int i = 0; i < 50; i++) {
                        write(worker, "image " + i);
                        has(worker, "image " + i);
                    }
                }));
            }
            for (Future<?> writer : writers) {
                writer.get();
            }
        } finally {
            threads.shutdownNow();
        }
        assertTrue(images().size() <= 10, images().size() + " images");
        assertTrue(has(files(10 * FILE_BYTES), "image 49"));
    }

    @Test
    void onlyTheOwnersAccountMayRead() throws IOException {
        write(files(1 << 20), "cat");
        Path image = images().get(0);
        assertEquals("rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(image)));
        for (Path folder = image.getParent(); !folder.endsWith("data"); folder = folder.getParent()) {
            assertEquals("rwx------", PosixFilePermissions.toString(Files.getPosixFilePermissions(folder)));
        }
        assertFalse(image.toString().contains("cat"));
    }

    @Test
    void whatDeadWritersLeftGoesWhenItIsOld() throws IOException {
        CachedFiles files = files(2 * FILE_BYTES);
        write(files, "a");
        Path encoder = images().get(0).getParent();
        Path dead = Files.write(encoder.resolve("1.part"), new byte[BYTES]);
        Path writing = Files.write(encoder.resolve("2.part"), new byte[BYTES]);
        Files.setLastModifiedTime(dead, FileTime.from(Instant.now().minusSeconds(7200)));
        write(files, "b");
        write(files, "c");
        assertFalse(Files.exists(dead));
        assertTrue(Files.exists(writing));
    }

    @Test
    void embeddingsOfModelsThatAreGoneGo() throws IOException {
        write(files(1 << 20), "cat");
        folder(1 << 20).retain(model -> model.equals("model"));
        assertTrue(has(files(1 << 20), "cat"));
        files(1 << 20, new EncoderIdentity("second", mmproj, List.of())).open();
        folder(1 << 20).retain(model -> model.equals("second"));
        assertTrue(has(files(1 << 20), "cat"));
        folder(1 << 20).retain(model -> false);
        assertEquals(List.of(), images());
    }

    @Test
    void embeddingsOfAProjectorThatWasReplacedGo() throws IOException {
        write(files(1 << 20), "cat");
        Files.writeString(mmproj, "another projector");
        folder(1 << 20).retain(model -> true);
        assertEquals(List.of(), images());
    }

    @Test
    void whatAnotherServerRemovedIsKeptAnew() throws IOException {
        CachedFiles files = files(1 << 20);
        write(files, "cat");
        folder(1 << 20).retain(model -> false);
        assertFalse(has(files, "cat"));
        write(files, "dog");
        assertTrue(has(files, "dog"));
        folder(0).delete();
        write(files, "cat");
        assertTrue(has(files, "cat"));
        folder(1 << 20).retain(model -> model.equals("model"));
        assertTrue(has(files, "cat"));

        Files.writeString(mmproj, "another projector");
        folder(1 << 20).retain(model -> true);
        write(files, "dog");
        assertEquals(List.of(), images(), "nobody will ask for it");
    }

    @Test
    void aFolderThatCannotBeMadeKeepsNothing() throws IOException {
        Files.createDirectories(directory.resolve("data"));
        Files.writeString(directory.resolve("data/cached"), "a file in its place");
        CachedFiles files = files(1 << 20);
        write(files, "cat");
        assertFalse(has(files, "cat"));
    }

    @Test
    void nothingIsThereAfterItWasDeleted() throws IOException {
        write(files(1 << 20), "cat");
        folder(0).delete();
        folder(0).retain(model -> true);
        assertFalse(Files.exists(directory.resolve("data/cached")));
    }
}
