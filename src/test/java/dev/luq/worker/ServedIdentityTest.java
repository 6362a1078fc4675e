package dev.luq.worker;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.luq.gguf.Pooling;
import dev.luq.machine.Kernels;
import dev.luq.machine.KvType;
import dev.luq.protocol.ServerFrame;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ServedIdentityTest {

    private static final FileTime TIME = FileTime.from(Instant.EPOCH);

    @TempDir
    Path folder;

    private Path weights;
    private Path mmproj;
    // of the model that is loaded
    private Kernels kernels = Kernels.FAST;
    private KvType kv = KvType.F16;
    private int imageMaxTokens = 1280;
    private int contextSize = 0;
    private int slotContextSize = 0;
    private Pooling pooling;
    private String chatTemplate;
    private String arithmetic = "1";
    private int slots = 4;
    private int threads = 2;

    @BeforeEach
    void files() throws IOException {
        weights = write("a/model.gguf", 1);
        mmproj = write("a/mmproj.gguf", 2);
    }

    /** As long, and of the same time, as any other. */
    private Path write(String name, long seed) throws IOException {
        byte[] bytes = new byte[1 << 21];
        new Random(seed).nextBytes(bytes);
        Path file = folder.resolve(name);
        Files.createDirectories(file.getParent());
        return Files.setLastModifiedTime(Files.write(file, bytes), TIME);
    }

    private String identity(Path... modelFiles) throws IOException {
        List<String> paths = List.of(modelFiles).stream().map(Path::toString).toList();
        return ServedIdentity.of(
                new ServerFrame.Load(
                        paths,
                        mmproj == null ? null : mmproj.toString(),
                        contextSize,
                        slotContextSize,
                        slots,
                        128,
                        threads,
                        threads,
                        1 << 20,
                        0,
                        0,
                        imageMaxTokens,
                        20,
                        kernels,
                        kv,
                        null,
                        pooling,
                        chatTemplate),
                List.of(modelFiles),
                arithmetic);
    }

    @Test
    void otherFilesOfTheSameNameSizeAndTimeAreAnotherModel() throws IOException {
        String before = identity(weights);
        assertNotEquals(before, identity(write("b/model.gguf", 3)));
        mmproj = write("b/mmproj.gguf", 4);
        assertNotEquals(before, identity(weights));
    }

    @Test
    void aFileThatIsWrittenAgainIsAnotherModel() throws IOException {
        String before = identity(weights);
        Files.setLastModifiedTime(mmproj, FileTime.from(Instant.EPOCH.plusSeconds(1)));
        assertNotEquals(before, identity(weights));
    }

    @Test
    void aModelIsTheSameInAnotherFolderAndAfterARestart() throws IOException {
        String before = identity(weights);
        mmproj = write("b/mmproj.gguf", 2);
        assertEquals(before, identity(write("b/model.gguf", 1)));
        assertTrue(before.matches("[0-9a-f]{32}"), before);
    }

    @Test
    void aProjectorIsNoPartOfTheModel() throws IOException {
        String with = identity(weights);
        Path projector = mmproj;
        mmproj = null;
        assertNotEquals(with, identity(weights));
        assertNotEquals(with, identity(weights, projector));
    }

    @Test
    void eachSettingThatChangesAnswersCounts() throws IOException {
        List<Runnable> changes = List.of(
                () -> kernels = Kernels.STOCK,
                () -> kv = KvType.Q8_0,
                () -> imageMaxTokens = 256,
                () -> contextSize = 4096,
                () -> slotContextSize = 1024,
                () -> pooling = Pooling.MEAN,
                () -> chatTemplate = "vicuna",
                () -> chatTemplate = "{{ jinja }}",
                () -> arithmetic = "2");
        for (Runnable change : changes) {
            String before = identity(weights);
            change.run();
            assertNotEquals(before, identity(weights));
        }
    }

    @Test
    void whatChangesSpeedAloneDoesNotCount() throws IOException {
        String before = identity(weights);
        slots = 1;
        threads = 1;
        assertEquals(before, identity(weights));
    }
}
