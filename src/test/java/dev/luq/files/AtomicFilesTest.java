package dev.luq.files;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AtomicFilesTest {

    @TempDir
    Path folder;

    @Test
    void aFileIsMadeOrReplacedAsAWhole() throws IOException {
        AtomicFiles.write(file(), aside(), "first, the longer one".getBytes(UTF_8));
        assertEquals("first, the longer one", Files.readString(file()));
        AtomicFiles.write(file(), aside(), "second".getBytes(UTF_8));
        assertEquals("second", Files.readString(file()));
        AtomicFiles.write(file(), aside(), new byte[0]);
        assertEquals(0, Files.size(file()));
        left("file");
    }

    @Test
    void whatAProcessThatDiedLeftAsideIsOverwritten() throws IOException {
        Files.writeString(aside(), "half of something long");
        AtomicFiles.write(file(), aside(), "whole".getBytes(UTF_8));
        assertEquals("whole", Files.readString(file()));
        left("file");
    }

    @Test
    void aFailureLeavesTheOldFileAndNothingAside() throws IOException {
        Path taken = Files.createDirectories(folder.resolve("taken").resolve("below"))
                .getParent();
        assertThrows(FileSystemException.class, () -> AtomicFiles.write(taken, aside(), "new".getBytes(UTF_8)));
        left("taken");
        assertThrows(
                NoSuchFileException.class,
                () -> AtomicFiles.write(
                        folder.resolve("none").resolve("file"),
                        folder.resolve("none").resolve("aside"),
                        "new".getBytes(UTF_8)));
    }

    @Test
    void aFileWrittenAsideGetsItsName() throws IOException {
        Files.writeString(file(), "old");
        Files.writeString(aside(), "new");
        AtomicFiles.commit(file(), aside());
        assertEquals("new", Files.readString(file()));
        left("file");
        assertThrows(NoSuchFileException.class, () -> AtomicFiles.commit(file(), aside()));
        assertEquals("new", Files.readString(file()));
    }

    @Test
    void aFileNeedNotBeThereToBeDeleted() throws IOException {
        Files.writeString(file(), "old");
        AtomicFiles.delete(file());
        AtomicFiles.delete(file());
        left();
    }

    /** Relative names have no parent. */
    @Test
    void aNameWithoutAFolderIsOfTheWorkingFolder() throws IOException {
        AtomicFiles.delete(Path.of("no-such-file"));
        Path name = Path.of("target", "atomic-files-test");
        AtomicFiles.write(name, Path.of("target", "atomic-files-test.part"), "x".getBytes(UTF_8));
        AtomicFiles.delete(name);
    }

    private Path file() {
        return folder.resolve("file");
    }

    private Path aside() {
        return folder.resolve("aside");
    }

    private void left(String... names) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            assertEquals(
                    List.of(names),
                    files.map(file -> file.getFileName().toString()).sorted().toList());
        }
    }
}
