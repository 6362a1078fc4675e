package dev.luq.requant.feed;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.luq.Integration;
import dev.luq.images.Tricks;
import dev.luq.requant.data.Example;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A set's pictures are judged as those of requests are, and what is wrong with one is said with its name. */
@Integration
class ExampleImagesTest {

    @TempDir
    private Path folder;

    @Test
    void aPictureThatIsNotDecodedIsNamed() throws IOException {
        assertUnusable("lossless", Tricks.jpeg(Tricks.frame("c3", 8, 6300, 6300, "011100")));
        assertUnusable("too many scans", Tricks.progressive(64, 64, 101));
        assertUnusable("at most 40000000", Tricks.gif(65_535, 65_535, 0, 0, 1, 1, Tricks.growingCodes(4)));
        assertUnusable("does not fit its canvas", Tricks.webp(Tricks.canvas(0, 1, 1), Tricks.lossless(6000, 6000)));
        assertUnusable(
                "damaged",
                Tricks.png(
                        Tricks.ihdr(4, 4, 8, 2, 0),
                        Tricks.chunk("IDAT", new byte[8]),
                        Tricks.chunk("IEND", new byte[0])));
        assertUnusable("no PNG, JPEG, WEBP or GIF", new byte[20]);
    }

    @Test
    void othersAreDecoded() throws IOException {
        assertEquals(
                30,
                ExampleImages.read(example(Tricks.webp(Tricks.lossless(30, 20))))
                        .get(0)
                        .width());
    }

    private void assertUnusable(String part, byte[] file) throws IOException {
        Example example = example(file);
        FeedException refused = assertThrows(FeedException.Unusable.class, () -> ExampleImages.read(example));
        assertTrue(
                refused.getMessage().toLowerCase(Locale.ROOT).contains(part.toLowerCase(Locale.ROOT)),
                refused.getMessage());
        assertTrue(refused.getMessage().contains("picture.bin"), refused.getMessage());
    }

    private Example example(byte[] file) throws IOException {
        Path picture = Files.write(folder.resolve("picture.bin"), file);
        return new Example("a.jsonl", 1, List.of(picture), "?", "!", Optional.empty());
    }
}
