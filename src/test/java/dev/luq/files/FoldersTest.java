package dev.luq.files;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FoldersTest {

    @TempDir
    Path home;

    private Path folder() throws IOException {
        Path folder = Files.createDirectories(home.resolve("a"));
        Files.writeString(Files.createDirectories(folder.resolve("b/c")).resolve("file"), "text");
        Files.writeString(folder.resolve("file"), "text");
        Files.createDirectory(folder.resolve("empty"));
        return folder;
    }

    private List<Path> left() throws IOException {
        try (Stream<Path> files = Files.list(home)) {
            return files.map(home::relativize).sorted().toList();
        }
    }

    @Test
    void aFolderIsDeletedWithAllInIt() throws IOException {
        Path folder = folder();
        Files.writeString(home.resolve("aside"), "stays");

        Folders.delete(folder);

        assertEquals(List.of(Path.of("aside")), left());
    }

    @Test
    void nothingIsDeletedWhereNothingIs() throws IOException {
        Folders.delete(home.resolve("none"));
        assertEquals(List.of(), left());
    }

    @Test
    void whatLinksPointToStays() throws IOException {
        Path kept =
                Files.writeString(Files.createDirectory(home.resolve("kept")).resolve("file"), "stays");
        Path folder = folder();
        Files.createSymbolicLink(folder.resolve("folder"), kept.getParent());
        Files.createSymbolicLink(folder.resolve("b/link"), kept);
        Path dangling = Files.createSymbolicLink(home.resolve("dangling"), home.resolve("none"));

        Folders.delete(folder);
        Folders.delete(dangling);

        assertEquals(List.of(Path.of("kept")), left());
        assertEquals("stays", Files.readString(kept));
    }

    @Test
    void aFolderIsMadeWithThoseAboveIt() throws IOException {
        Path deep = home.resolve("a").resolve("b").resolve("c");
        assertEquals(deep, Folders.create(deep));
        assertTrue(Files.isDirectory(deep));
        assertEquals(deep, Folders.create(deep));
        Files.writeString(home.resolve("file"), "text");
        assertThrows(
                IOException.class, () -> Folders.create(home.resolve("file").resolve("below")));
    }

    @Test
    void aFolderThatCannotBeReadToItsEndIsAnInputError() throws IOException {
        Path folder = folder();
        assertEquals(3, Folders.list(folder).size());
        assertEquals(
                List.of(folder.resolve("b")),
                Folders.list(folder, file -> file.getFileName().toString().equals("b")));
        IOException broken = new IOException("broken");
        assertSame(
                broken,
                assertThrows(
                        IOException.class,
                        () -> Folders.list(folder, file -> {
                            throw broken;
                        })));
    }

    @Test
    void aFolderMovesWithAllThatIsInIt() throws IOException {
        Folders.forceAll(folder());
        Path target = Files.createDirectory(home.resolve("other")).resolve("moved");
        Folders.move(home.resolve("a"), target);
        assertEquals("text", Files.readString(target.resolve("b").resolve("c").resolve("file")));
        assertEquals(List.of(Path.of("other")), left());
        folder();
        assertThrows(IOException.class, () -> Folders.move(home.resolve("a"), target));
        assertTrue(Files.exists(home.resolve("a").resolve("file")));
    }
}
