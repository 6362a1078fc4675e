package dev.luq.engine;

import static dev.luq.Until.until;
import static dev.luq.engine.TinyEngine.LLAVA;
import static dev.luq.engine.TinyEngine.QWEN;
import static dev.luq.engine.TinyEngine.noise;
import static dev.luq.engine.TinyEngine.userWithImages;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.luq.Integration;
import dev.luq.engine.TinyEngine.Outcome;
import dev.luq.filecache.CachedFiles;
import dev.luq.filecache.EncoderIdentity;
import dev.luq.filecache.FileCache;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Engines one after the other with the same files of embeddings. */
@Integration
class SeenImagesTest {

    @TempDir
    Path directory;

    private TinyEngine start(String name) {
        FileCache cache = new FileCache(directory.resolve("embeddings"), 1 << 20);
        EncoderIdentity encoder = new EncoderIdentity(name, TinyEngine.mmproj(name), List.of());
        return new TinyEngine(name, new EngineFiles(new CachedFiles(cache, encoder, "embeddings of images"), null));
    }

    private static Outcome describe(TinyEngine tiny, int... pictures) throws Exception {
        TinyEngine.Ask ask = tiny.ask(userWithImages("Describe.", pictures.length));
        for (int picture : pictures) {
            ask.image(noise(picture));
        }
        return tiny.complete(ask);
    }

    private List<Path> images() {
        try (Stream<Path> all = Files.walk(directory)) {
            return all.filter(file -> file.getFileName().toString().length() == 64 && Files.isRegularFile(file))
                    .filter(file -> !file.getParent().endsWith("users"))
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {LLAVA, QWEN})
    void aPictureSeenBeforeARestartIsNotEncodedAgainAndTheAnswerIsTheSame(String name) throws Exception {
        Outcome first;
        try (TinyEngine tiny = start(name)) {
            first = describe(tiny, 1, 2);
            assertEquals(2, tiny.engine.stats().imagesEncoded());
            assertEquals(2, tiny.engine.stats().imageFileQueries());
            assertEquals(0, tiny.engine.stats().imageFileHits());
            until("the pictures' files", () -> images().size() == 2);
        }
        try (TinyEngine tiny = start(name)) {
            Outcome second = describe(tiny, 1, 2);
            assertEquals(first.text(), second.text());
            assertEquals(first.logprobs(), second.logprobs());
            assertEquals(0, tiny.engine.stats().imagesEncoded());
            assertEquals(2, tiny.engine.stats().imageFileHits());
            assertEquals(0, second.finished().timings().imageEncodeMillis());
            describe(tiny, 3);
            assertEquals(1, tiny.engine.stats().imagesEncoded());
        }
    }

    @Test
    void aDamagedFileIsEncodedAnewAndWrittenAgain() throws Exception {
        Outcome first;
        try (TinyEngine tiny = start(QWEN)) {
            first = describe(tiny, 1);
        }
        assertEquals(1, images().size());
        byte[] bytes = Files.readAllBytes(images().get(0));
        bytes[bytes.length / 2] ^= 16;
        Files.write(images().get(0), bytes);
        try (TinyEngine tiny = start(QWEN)) {
            assertEquals(first.logprobs(), describe(tiny, 1).logprobs());
            assertEquals(1, tiny.engine.stats().imagesEncoded());
            assertEquals(0, tiny.engine.stats().imageFileHits());
        }
        try (TinyEngine tiny = start(QWEN)) {
            assertEquals(first.logprobs(), describe(tiny, 1).logprobs());
            assertEquals(1, tiny.engine.stats().imageFileHits());
        }
    }

    @Test
    void modelsWithDifferentEncodersDoNotShare() throws Exception {
        try (TinyEngine tiny = start(LLAVA)) {
            describe(tiny, 1);
        }
        try (TinyEngine tiny = start(QWEN)) {
            describe(tiny, 1);
            assertEquals(1, tiny.engine.stats().imagesEncoded());
            assertEquals(0, tiny.engine.stats().imageFileHits());
        }
    }

    @Test
    void whatWaitsForAFileIsCancelledLikeAnyOther() throws Exception {
        try (TinyEngine tiny = start(QWEN)) {
            Outcome leaving = tiny.submit(
                    tiny.ask(userWithImages("Describe.", 1)).image(noise(1)).as("leaving"), event -> {});
            tiny.engine.cancel("leaving");
            leaving.await();
            assertTrue(describe(tiny, 1).finished().completionTokens() > 0);
        }
    }
}
