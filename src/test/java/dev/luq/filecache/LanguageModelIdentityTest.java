package dev.luq.filecache;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LanguageModelIdentityTest {

    /** So that not all of a file is read. */
    private static final int BYTES = 4 << 20;

    @TempDir
    Path directory;

    private Path mmproj;
    private Path weights;

    @BeforeEach
    void files() throws IOException {
        mmproj = Files.writeString(directory.resolve("mmproj.gguf"), "a projector");
        weights = write("model.gguf", 1);
    }

    /** A file of its own content for each seed. */
    private Path write(String name, long seed) throws IOException {
        byte[] bytes = new byte[BYTES];
        new Random(seed).nextBytes(bytes);
        return Files.write(directory.resolve(name), bytes);
    }

    private String digest(String... settings) throws IOException {
        return identity(List.of(weights), settings).digest();
    }

    private LanguageModelIdentity identity(List<Path> modelFiles, String... settings) {
        EncoderIdentity encoder = new EncoderIdentity("model", mmproj, List.of("build 1"));
        return new LanguageModelIdentity("model", modelFiles, encoder, List.of(settings));
    }

    @Test
    void theSameFilesComputedAlikeAreTheSame() throws IOException {
        assertEquals(digest("kv f16"), digest("kv f16"));
        assertNotEquals(digest("kv f16"), digest("kv q8_0"));
        assertNotEquals(digest("a", "b"), digest("ab"));
    }

    @Test
    void anotherProjectorIsAnotherModel() throws IOException {
        String before = digest();
        Files.writeString(mmproj, "B projector");
        assertNotEquals(before, digest());
    }

    @Test
    void aFileThatIsWrittenAgainIsAnotherModel() throws IOException {
        String before = digest();
        Files.setLastModifiedTime(
                weights, FileTime.fromMillis(Files.getLastModifiedTime(weights).toMillis() + 1));
        assertNotEquals(before, digest());
    }

    @Test
    void otherWeightsWithTheNameSizeAndTimeOfTheFirstAreAnotherModel() throws IOException {
        String before = digest();
        FileTime time = Files.getLastModifiedTime(weights);
        byte[] header = Files.readAllBytes(weights);
        byte[] other = Files.readAllBytes(write("other.gguf", 2));
        System.arraycopy(header, 0, other, 0, 1 << 20);
        Files.write(weights, other);
        Files.setLastModifiedTime(weights, time);
        assertNotEquals(before, digest());
    }

    @Test
    void theSameModelInAnotherFolderIsTheSame() throws IOException {
        Path folder = Files.createDirectory(directory.resolve("moved"));
        Path copy = Files.copy(weights, folder.resolve(weights.getFileName()), StandardCopyOption.COPY_ATTRIBUTES);
        assertEquals(digest(), identity(List.of(copy)).digest());
    }

    @Test
    void eachPartOfASplitModelCounts() throws IOException {
        Path second = write("model-2.gguf", 2);
        String before = identity(List.of(weights, second)).digest();
        assertNotEquals(before, digest());
        assertNotEquals(before, identity(List.of(second, weights)).digest());
    }

    @Test
    void aShortFileIsReadWhole() throws IOException {
        Files.writeString(weights, "short");
        FileTime time = Files.getLastModifiedTime(weights);
        String before = digest();
        Files.writeString(weights, "shorT");
        Files.setLastModifiedTime(weights, time);
        assertNotEquals(before, digest());
    }
}
