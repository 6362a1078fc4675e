package dev.luq.engine;

import static dev.luq.Until.reached;
import static dev.luq.Until.until;
import static dev.luq.engine.TinyEngine.LLAVA;
import static dev.luq.engine.TinyEngine.QWEN;
import static dev.luq.engine.TinyEngine.noise;
import static dev.luq.engine.TinyEngine.user;
import static dev.luq.engine.TinyEngine.userWithImages;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.luq.Integration;
import dev.luq.SmallDisk;
import dev.luq.engine.TinyEngine.Outcome;
import dev.luq.filecache.CachedFiles;
import dev.luq.filecache.EncoderIdentity;
import dev.luq.filecache.FileCache;
import dev.luq.filecache.LanguageModelIdentity;
import dev.luq.filecache.Producer;
import dev.luq.machine.KvType;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.stream.Stream;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Engines one after the other with the same files of prompts, and none of embeddings. */
@Integration
class SeenPromptsTest {

    /** In pixels: with the template's tokens more than what is worth keeping. */
    private static final int SIDE = 196;

    /** Of a file, before the state. */
    private static final int HEADER_BYTES = 84;

    @TempDir
    Path directory;

    private static Producer producer(String name, Path mmproj, KvType kv) {
        EncoderIdentity encoder = new EncoderIdentity(name, mmproj, List.of());
        return new LanguageModelIdentity(name, List.of(TinyEngine.file(name)), encoder, List.of(kv.name()));
    }

    private EngineFiles files(Producer producer) {
        FileCache cache = new FileCache(directory.resolve("prompts"), 1 << 24);
        return new EngineFiles(null, new CachedFiles(cache, producer, "prompts"));
    }

    private TinyEngine start(String name, KvType kv) {
        return new TinyEngine(name, files(producer(name, TinyEngine.mmproj(name), kv)), kv);
    }

    private TinyEngine start() {
        return start(QWEN, KvType.F32);
    }

    private static TinyEngine.Ask about(TinyEngine tiny, String question, int... pictures) {
        TinyEngine.Ask ask = tiny.ask(userWithImages(question, pictures.length));
        for (int picture : pictures) {
            ask.image(noise(picture, SIDE));
        }
        return ask;
    }

    private static Outcome describe(TinyEngine tiny, int... pictures) throws Exception {
        return tiny.complete(about(tiny, "Describe.", pictures));
    }

    /**
     * A prompt of which the beginning was read is evaluated in other batches, whose products are summed in another order:
     * 5e-4 on an EPYC with AVX2 alone. A foreign prompt would be off by whole units.
     */
    private static void assertSame(Outcome expected, Outcome actual) {
        assertEquals(expected.tokens(), actual.tokens());
        for (int i = 0; i < expected.logprobs().size(); i++) {
            assertEquals(
                    expected.logprobs().get(i).logprob(),
                    actual.logprobs().get(i).logprob(),
                    5e-3);
        }
    }

    private List<Path> kept() throws IOException {
        try (Stream<Path> all = Files.walk(directory.resolve("prompts"), 2)) {
            return all.filter(file -> file.getFileName().toString().length() == 64 && Files.isRegularFile(file))
                    .toList();
        }
    }

    @ParameterizedTest
    @CsvSource({LLAVA + ", F32", QWEN + ", F32", QWEN + ", F16", QWEN + ", Q8_0"})
    void aPromptSeenBeforeARestartIsNotEvaluatedAgainAndTheAnswerIsTheSame(String name, KvType kv) throws Exception {
        Outcome first;
        Outcome other;
        try (TinyEngine tiny = start(name, kv)) {
            first = describe(tiny, 1);
            assertEquals(0, first.accepted().cachedTokens());
            other = tiny.complete(about(tiny, "What is it?", 1).withoutCache());
        }
        assertEquals(1, kept().size());
        try (TinyEngine tiny = start(name, kv)) {
            Outcome second = describe(tiny, 1);
            assertTrue(second.accepted().cachedTokens() >= second.accepted().imageTokens());
            assertSame(first, second);
            assertEquals(1, tiny.engine.stats().promptFileQueries());
            assertEquals(1, tiny.engine.stats().promptFileHits());
            assertEquals(0, tiny.engine.stats().imagesEncoded());
        }
        try (TinyEngine tiny = start(name, kv)) {
            assertSame(other, tiny.complete(about(tiny, "What is it?", 1)));
            assertEquals(1, tiny.engine.stats().promptFileHits());
        }
    }

    @Test
    void ofTwoPicturesBothComeBackAndOfOneMoreBothBeforeIt() throws Exception {
        Outcome two;
        Outcome three;
        try (TinyEngine tiny = start()) {
            two = describe(tiny, 1, 2);
        }
        try (TinyEngine tiny = start()) {
            three = tiny.complete(about(tiny, "Describe.", 1, 2, 3).withoutCache());
            assertEquals(0, three.accepted().cachedTokens());
        }
        assertEquals(2, kept().size());
        Files.delete(Collections.max(
                kept(), Comparator.comparing(file -> file.toFile().length())));
        try (TinyEngine tiny = start()) {
            assertSame(two, describe(tiny, 1, 2));
            assertEquals(0, tiny.engine.stats().imagesEncoded());
        }
        try (TinyEngine tiny = start()) {
            assertSame(three, describe(tiny, 1, 2, 3));
            assertEquals(1, tiny.engine.stats().imagesEncoded());
            assertEquals(1, tiny.engine.stats().promptFileHits());
        }
    }

    @Test
    void severalWhoAskAboutOnePictureShareWhatIsRead() throws Exception {
        Outcome first;
        try (TinyEngine tiny = start()) {
            first = describe(tiny, 1);
        }
        try (TinyEngine tiny = start()) {
            List<Outcome> all = new ArrayList<>();
            for (int i = 0; i < 6; i++) {
                all.add(tiny.submit(about(tiny, "Describe.", 1)));
            }
            for (Outcome one : all) {
                assertSame(first, one.await());
            }
            assertEquals(1, tiny.engine.stats().promptFileHits());
            assertEquals(0, tiny.engine.stats().imagesEncoded());
        }
    }

    @Test
    void anotherSaltFindsNothing() throws Exception {
        try (TinyEngine tiny = start()) {
            tiny.complete(about(tiny, "Describe.", 1).salt("pepper"));
        }
        try (TinyEngine tiny = start()) {
            assertEquals(0, describe(tiny, 1).accepted().cachedTokens());
            assertEquals(0, tiny.engine.stats().promptFileHits());
            tiny.complete(about(tiny, "What?", 1).salt("pepper"));
            assertEquals(1, tiny.engine.stats().promptFileHits());
        }
    }

    @Test
    void anotherProjectorFindsNothing() throws Exception {
        Outcome first;
        try (TinyEngine tiny = start()) {
            first = describe(tiny, 1);
        }
        Path other = directory.resolve("mmproj.gguf");
        byte[] bytes = Files.readAllBytes(TinyEngine.mmproj(QWEN));
        bytes[bytes.length - 1] ^= 1;
        Files.write(other, bytes);
        try (TinyEngine tiny = new TinyEngine(QWEN, files(producer(QWEN, other, KvType.F32)))) {
            assertSame(first, describe(tiny, 1));
            assertEquals(0, tiny.engine.stats().promptFileHits());
        }
    }

    @Test
    void aDamagedFileIsEvaluatedAnewAndWrittenAgain() throws Exception {
        Outcome first;
        try (TinyEngine tiny = start()) {
            first = describe(tiny, 1);
        }
        byte[] bytes = Files.readAllBytes(kept().get(0));
        bytes[bytes.length / 2] ^= 16;
        Files.write(kept().get(0), bytes);
        try (TinyEngine tiny = start()) {
            assertSame(first, describe(tiny, 1));
            assertEquals(0, tiny.engine.stats().promptFileHits());
        }
        try (TinyEngine tiny = start()) {
            assertSame(first, describe(tiny, 1));
            assertEquals(1, tiny.engine.stats().promptFileHits());
        }
    }

    @Test
    void whatLlamaCppRefusesIsRemovedAndEvaluatedAnew() throws Exception {
        Outcome first;
        Outcome beside;
        try (TinyEngine tiny = start()) {
            first = describe(tiny, 1);
            beside = tiny.complete(tiny.ask(user("Hello.")));
        }
        byte[] state = content(kept().get(0));
        for (byte[] wrong : List.of(
                new byte[0],
                new byte[1000],
                Arrays.copyOf(state, 100),
                Arrays.copyOf(state, state.length / 2),
                Arrays.copyOf(state, state.length + 8))) {
            replaceContent(kept().get(0), wrong);
            try (TinyEngine tiny = start()) {
                assertSame(first, describe(tiny, 1));
                assertSame(beside, tiny.complete(tiny.ask(user("Hello."))));
                assertEquals(1, tiny.engine.stats().promptFileQueries());
                assertEquals(0, tiny.engine.stats().promptFileHits());
            }
            assertArrayEquals(state, content(kept().get(0)), "it was written again");
        }
    }

    private static byte[] content(Path file) throws IOException {
        byte[] bytes = Files.readAllBytes(file);
        return Arrays.copyOfRange(bytes, HEADER_BYTES, bytes.length);
    }

    /** As {@link CachedFiles} would have written it. */
    private static void replaceContent(Path file, byte[] content) throws IOException {
        CRC32C checksum = new CRC32C();
        checksum.update(content);
        ByteBuffer bytes = ByteBuffer.allocate(HEADER_BYTES + content.length).order(ByteOrder.LITTLE_ENDIAN);
        bytes.put(Files.readAllBytes(file), 0, HEADER_BYTES).put(content);
        bytes.putLong(HEADER_BYTES - 12, content.length).putInt(HEADER_BYTES - 4, (int) checksum.getValue());
        Files.write(file, bytes.array());
    }

    @Test
    void whatIsAskedForBeforeTheFolderIsKnownIsFound() throws Exception {
        Outcome first;
        try (TinyEngine tiny = start()) {
            first = describe(tiny, 1);
        }
        CountDownLatch digested = new CountDownLatch(1);
        Producer producer = producer(QWEN, TinyEngine.mmproj(QWEN), KvType.F32);
        Producer slow = new Producer() {
            @Override
            public String model() {
                return producer.model();
            }

            @Override
            public List<Path> files() {
                return producer.files();
            }

            @Override
            public String digest() throws IOException {
                reached("the request to be queued", digested);
                return producer.digest();
            }
        };
        try (TinyEngine tiny = new TinyEngine(QWEN, files(slow))) {
            Outcome second = tiny.submit(about(tiny, "Describe.", 1));
            until("the request to be queued", () -> tiny.engine.stats().waiting() == 1);
            assertSame(tiny.complete(tiny.ask(user("Hello."))), tiny.complete(tiny.ask(user("Hello."))));
            digested.countDown();
            assertSame(first, second.await());
            assertEquals(1, tiny.engine.stats().promptFileHits());
        }
    }

    @Test
    void whatWaitsForAFileIsCancelledLikeAnyOther() throws Exception {
        try (TinyEngine tiny = start()) {
            describe(tiny, 1);
        }
        try (TinyEngine tiny = start()) {
            Outcome leaving = tiny.submit(about(tiny, "Describe.", 1).as("leaving"), event -> {});
            tiny.engine.cancel("leaving");
            leaving.await();
            assertTrue(describe(tiny, 1).finished().completionTokens() > 0);
        }
    }

    @Test
    void onAFullDiskTheAnswerIsTheSame() throws Exception {
        Path folder = directory.resolve("prompts");
        try (SmallDisk disk = SmallDisk.mount(folder, 1 << 14)) {
            Outcome first;
            try (TinyEngine tiny = start()) {
                first = describe(tiny, 1);
            }
            assertEquals(List.of(), kept(), "what is on " + disk + " when a file of a state is written");
            try (TinyEngine tiny = start()) {
                assertSame(first, describe(tiny, 1));
            }
        }
    }
}
