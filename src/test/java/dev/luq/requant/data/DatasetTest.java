package dev.luq.requant.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedWriter;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DatasetTest {

    private static final Path PICTURE = Path.of("src/test/resources/reference/square-70x70.png");

    @TempDir
    Path folder;

    @BeforeEach
    void pictures() throws IOException {
        Files.createDirectory(folder.resolve("sub"));
        Files.copy(PICTURE, folder.resolve("a.png"));
        Files.copy(Path.of("src/test/resources/images/lossy.webp"), folder.resolve("sub/b.webp"));
        Files.copy(Path.of("src/test/resources/images/progressive.jpg"), folder.resolve("c.jpg"));
    }

    private Dataset read(String... lines) throws IOException {
        Files.write(folder.resolve("set.jsonl"), List.of(lines));
        return Dataset.read(folder);
    }

    @Test
    void aLineIsOneExample() throws IOException {
        Dataset set = read(
                "{\"image\": \"a.png\", \"question\": \"What?\", \"answer\": \"A square.\", \"category\": \"shape\"}",
                "",
                "{\"image\": [\"sub/b.webp\", \"c.jpg\"], \"question\": \"Which?\", \"answer\": \"Both.\"}",
                "{\"image\": null, \"question\": \"Why?\", \"answer\": \"So.\"}");
        Path root = folder.toRealPath();
        assertEquals(
                List.of(
                        new Example(
                                "set.jsonl",
                                1,
                                List.of(root.resolve("a.png")),
                                "What?",
                                "A square.",
                                Optional.of("shape")),
                        new Example(
                                "set.jsonl",
                                3,
                                List.of(root.resolve("sub/b.webp"), root.resolve("c.jpg")),
                                "Which?",
                                "Both.",
                                Optional.empty()),
                        new Example("set.jsonl", 4, List.of(), "Why?", "So.", Optional.empty())),
                set.examples());
        assertEquals("set.jsonl:3", set.examples().get(1).id());
        assertTrue(set.examples().get(0).isMultimodal());
        assertFalse(set.examples().get(2).isMultimodal());
    }

    @Test
    void severalFilesFollowTheirNames() throws IOException {
        Files.writeString(folder.resolve("b.jsonl"), "{\"question\": \"2\", \"answer\": \"x\"}");
        Files.writeString(folder.resolve("a.jsonl"), "{\"question\": \"1\", \"answer\": \"x\"}");
        assertEquals(
                List.of("a.jsonl:1", "b.jsonl:1"),
                Dataset.read(folder).examples().stream().map(Example::id).toList());
    }

    @Test
    void theDigestIsThatOfTheContent() throws IOException {
        String line = "{\"image\": \"a.png\", \"question\": \"What?\", \"answer\": \"A square.\"}";
        String digest = read(line).digest();
        Path moved = Files.createDirectory(folder.resolve("moved"));
        Files.copy(folder.resolve("a.png"), moved.resolve("a.png"));
        Files.copy(folder.resolve("set.jsonl"), moved.resolve("other.jsonl"));
        assertEquals(digest, Dataset.read(moved).digest());
        assertNotEquals(digest, read(line.replace("What", "Who")).digest());
        Files.copy(folder.resolve("c.jpg"), folder.resolve("a.png"), StandardCopyOption.REPLACE_EXISTING);
        assertNotEquals(digest, read(line).digest());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "{\"image\": \"a.png\", \"question\": \"What?\"|not one JSON object",
                "{\"question\": \"x\", \"answer\": \"x\"} {}|not one JSON object",
                "{\"question\": \"x\", \"question\": \"y\", \"answer\": \"x\"}|not one JSON object",
                "[1]|not a JSON object",
                "{\"question\": \"x\"}|\"answer\" must be",
                "{\"question\": \" \", \"answer\": \"x\"}|\"question\" must be",
                "{\"question\": 1, \"answer\": \"x\"}|\"question\" must be",
                "{\"imge\": \"a.png\", \"question\": \"x\", \"answer\": \"x\"}|no field \"imge\"",
                "{\"image\": 7, \"question\": \"x\", \"answer\": \"x\"}|\"image\" must be a file name",
                "{\"image\": [7], \"question\": \"x\", \"answer\": \"x\"}|must hold file names",
                "{\"image\": \"none.png\", \"question\": \"x\", \"answer\": \"x\"}|not in the folder",
                "{\"image\": \"sub\", \"question\": \"x\", \"answer\": \"x\"}|not in the folder",
                "{\"image\": \"../a.png\", \"question\": \"x\", \"answer\": \"x\"}|outside the folder",
                "{\"image\": \"/etc/passwd\", \"question\": \"x\", \"answer\": \"x\"}|outside the folder",
                "{\"image\": \"a\\u0000.png\", \"question\": \"x\", \"answer\": \"x\"}|is no file name",
                "{\"image\": \"set.jsonl\", \"question\": \"x\", \"answer\": \"x\"}|no PNG, JPEG or WEBP",
                "{\"image\": \"link.png\", \"question\": \"x\", \"answer\": \"x\"}|is a link",
                "{\"image\": \"linked/a.png\", \"question\": \"x\", \"answer\": \"x\"}|through a link",
            })
    void aWrongLineIsNamedWithWhatIsWrong(String line, String reason) throws IOException {
        Files.createSymbolicLink(folder.resolve("link.png"), folder.resolve("a.png"));
        Files.createSymbolicLink(folder.resolve("linked"), folder);
        String good = "{\"question\": \"x\", \"answer\": \"x\"}";
        DataException e = assertThrows(DataException.InvalidExample.class, () -> read(good, line));
        assertTrue(e.getMessage().startsWith("set.jsonl:2: "), e.getMessage());
        assertTrue(e.getMessage().contains(reason), e.getMessage());
        assertFalse(e.getMessage().contains(folder.toString()), e.getMessage());
    }

    @Test
    void tooMuchIsRefused() throws IOException {
        String names = String.join(",", Collections.nCopies(17, "\"a.png\""));
        assertThrows(
                DataException.InvalidExample.class,
                () -> read("{\"image\": [" + names + "], \"question\": \"x\", \"answer\": \"x\"}"));
        assertThrows(
                DataException.InvalidExample.class,
                () -> read("{\"question\": \"" + "x".repeat(1 << 20) + "\", \"answer\": \"x\"}"));
    }

    @Test
    void aFolderWithoutExamplesIsRefused() throws IOException {
        assertThrows(DataException.InvalidSet.class, () -> Dataset.read(folder));
        assertThrows(DataException.InvalidSet.class, () -> Dataset.read(folder.resolve("missing")));
        Files.write(folder.resolve("latin.jsonl"), new byte[] {'{', (byte) 0xe9, '}'});
        assertThrows(DataException.InvalidExample.class, () -> Dataset.read(folder));
    }

    @Test
    void aLineWithoutAnEndIsNotReadToIt() throws IOException {
        Path file = folder.resolve("set.jsonl");
        Files.writeString(file, "{\"question\": \"a\", \"answer\": \"b\"}\n");
        try (FileChannel endless = FileChannel.open(file, StandardOpenOption.WRITE)) {
            // Two gigabytes of zeros that take no room on the disk.
            endless.write(ByteBuffer.wrap(new byte[] {'x'}), Integer.MAX_VALUE);
        }
        String message = assertThrows(DataException.InvalidExample.class, () -> Dataset.read(folder))
                .getMessage();
        assertTrue(message.startsWith("set.jsonl:2: the line has more than"), message);
    }

    @Test
    void whatIsReadTogetherIsBounded() throws IOException {
        String line = "{\"question\": \"" + "a".repeat(1_000_000) + "\", \"answer\": \"b\"}\n";
        try (BufferedWriter out = Files.newBufferedWriter(folder.resolve("set.jsonl"))) {
            for (int i = 0; i < 34; i++) {
                out.write(line);
            }
        }
        String message = assertThrows(DataException.InvalidSet.class, () -> Dataset.read(folder))
                .getMessage();
        assertTrue(message.contains("take a sample"), message);
    }

    @Test
    void messagesQuoteALittle() {
        String name = "n".repeat(10_000);
        for (String line : List.of(
                "{\"" + name + "\": 1}",
                "{\"image\": \"" + name + "\", \"question\": \"a\", \"answer\": \"b\"}",
                "{\"question\": \"a\", \"answer\": \"b\", \"category\": \"" + name + "\"}",
                name)) {
            String message = assertThrows(DataException.InvalidExample.class, () -> read(line))
                    .getMessage();
            assertTrue(message.length() < 1_000, message);
        }
    }

    @ParameterizedTest
    @CsvSource({"\\n", "\\r\\n", "\\r"})
    void linesEndAsOnAnySystem(String end) throws IOException {
        String text =
                "{\"question\": \"1\", \"answer\": \"x\"}END" + "END" + "{\"question\": \"2\", \"answer\": \"x\"}";
        Files.writeString(folder.resolve("set.jsonl"), text.replace("END", end.translateEscapes()));
        assertEquals(
                List.of(1, 3),
                Dataset.read(folder).examples().stream().map(Example::line).toList());
    }
}
