package dev.luq.serving;

import static dev.luq.Until.until;
import static dev.luq.serving.WorkerClient.answer;
import static dev.luq.serving.WorkerClient.ready;
import static dev.luq.serving.WorkerClient.request;
import static dev.luq.serving.WorkerClient.run;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.luq.Integration;
import dev.luq.machine.Kernels;
import dev.luq.machine.KvType;
import dev.luq.protocol.ServerFrame;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The demo model in processes that come and go. */
@Integration
class SeenPicturesTest {

    private static final Path DEMO = Path.of("models/demo").toAbsolutePath();
    private static final String COUNT =
            """
            {"messages":[{"role":"user","content":[{"type":"media_marker"},{"type":"text","text":"Count the shapes."}]}]}""";

    private final ModelProcesses processes = new ModelProcesses();

    @TempDir
    Path directory;

    @AfterEach
    void endWorkers() throws InterruptedException {
        processes.close();
    }

    /** @param maxImageTokens 0: the model's own */
    private SupervisedWorker start(ServerFrame.Load.KeptFiles files, int maxImageTokens) {
        SupervisedWorker worker = processes.start(
                new ServerFrame.Load(
                        List.of(DEMO.resolve("luq-demo-F16.gguf").toString()),
                        DEMO.resolve("mmproj-luq-demo-F16.gguf").toString(),
                        0,
                        2,
                        64,
                        1,
                        1,
                        1 << 20,
                        0,
                        maxImageTokens,
                        0,
                        Kernels.FAST,
                        KvType.F16,
                        files),
                ModelProcesses.CONFIG);
        ready(worker);
        return worker;
    }

    private ServerFrame.Load.KeptFiles kept() {
        return new ServerFrame.Load.KeptFiles("demo", folder("embeddings"), null);
    }

    private ServerFrame.Load.CacheFolder folder(String name) {
        return new ServerFrame.Load.CacheFolder(directory.resolve(name).toString(), 1 << 24);
    }

    private static ServerFrame.Image picture() throws IOException {
        BufferedImage picture = ImageIO.read(DEMO.resolve("examples/count.png").toFile());
        byte[] rgb = new byte[3 * picture.getWidth() * picture.getHeight()];
        for (int i = 0; i < rgb.length / 3; i++) {
            int pixel = picture.getRGB(i % picture.getWidth(), i / picture.getWidth());
            rgb[3 * i] = (byte) (pixel >> 16);
            rgb[3 * i + 1] = (byte) (pixel >> 8);
            rgb[3 * i + 2] = (byte) pixel;
        }
        return new ServerFrame.Image(picture.getWidth(), picture.getHeight(), "c".repeat(64), rgb);
    }

    private static String count(SupervisedWorker worker) throws IOException {
        return answer(run(worker, request(COUNT, 8, picture())));
    }

    private boolean fileIsThere() {
        try (Stream<Path> files = Files.walk(directory, 3)) {
            return files.anyMatch(file ->
                    Files.isRegularFile(file) && file.getFileName().toString().length() == 64);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void encoded(SupervisedWorker worker, int images, int fromFiles) {
        until(
                images + " encoded, " + fromFiles + " from files",
                () -> worker.totals().imagesEncoded() == images
                        && worker.totals().imageFileHits() == fromFiles);
    }

    @Test
    void aPictureIsAnsweredAfterAWorkersDeathWithoutBeingEncodedAgain() throws IOException {
        SupervisedWorker worker = start(kept(), 0);
        assertEquals("4", count(worker));
        encoded(worker, 1, 0);
        until("the picture's file", this::fileIsThere);
        ProcessHandle.of(worker.pid().orElseThrow()).orElseThrow().destroyForcibly();
        until("the death to be noticed", () -> worker.restarts() == 1);
        ready(worker);
        assertEquals("4", count(worker));
        encoded(worker, 1, 1);
    }

    @Test
    void workersOfOneEncoderShareAndThoseOfAnotherBoundDoNot() throws IOException {
        assertEquals("4", count(start(kept(), 0)));
        until("the picture's file", this::fileIsThere);
        SupervisedWorker same = start(kept(), 0);
        assertEquals("4", count(same));
        encoded(same, 0, 1);
        SupervisedWorker other = start(kept(), 1000);
        assertEquals("4", count(other));
        encoded(other, 1, 0);
    }

    @Test
    void aPromptIsAnsweredAfterAWorkersDeathWithoutBeingEvaluatedAgain() throws IOException {
        SupervisedWorker worker = start(new ServerFrame.Load.KeptFiles("demo", null, folder("prompts")), 0);
        assertEquals("4", count(worker));
        encoded(worker, 1, 0);
        until("the prompt's file", this::fileIsThere);
        ProcessHandle.of(worker.pid().orElseThrow()).orElseThrow().destroyForcibly();
        until("the death to be noticed", () -> worker.restarts() == 1);
        ready(worker);
        assertEquals("4", count(worker));
        encoded(worker, 1, 0);
        until("the prompt from its file", () -> worker.totals().promptFileHits() == 1);
        assertEquals(0, worker.totals().imageFileQueries());
    }

    @Test
    void nothingIsKeptWhereThatIsSwitchedOff() throws IOException {
        SupervisedWorker worker = start(null, 0);
        assertEquals("4", count(worker));
        encoded(worker, 1, 0);
        assertEquals(0, worker.totals().imageFileQueries());
        assertEquals(0, worker.totals().promptFileQueries());
        assertEquals(List.of(), Stream.of(directory.toFile().list()).toList());
    }
}
