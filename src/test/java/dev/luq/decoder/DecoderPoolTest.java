package dev.luq.decoder;

import static dev.luq.Until.completed;
import static dev.luq.Until.until;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.luq.Children;
import dev.luq.Integration;
import dev.luq.decoder.DecoderException.Reason;
import dev.luq.decoder.child.ScriptedDecoder;
import dev.luq.images.ImageException;
import dev.luq.images.ImageHeader;
import dev.luq.images.Pixels;
import dev.luq.images.Tricks;
import java.io.File;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Whatever a decoder does, its image gets an answer, the others theirs, and the next one a decoder. */
@Integration
@Timeout(120)
class DecoderPoolTest {

    private static final String REAL = "dev.luq.decoder.child.DecoderMain";
    private static final String SCRIPTED = ScriptedDecoder.class.getName();

    /** Other tests' servers have decoders of their own. */
    private final List<ProcessHandle> others = Children.with(REAL);

    private final List<Reason> lost = new CopyOnWriteArrayList<>();
    private DecoderPool pool;

    private final DecoderListener listener = new DecoderListener() {
        @Override
        public void decoded(long nanos) {}

        @Override
        public void replaced(Reason reason) {
            lost.add(reason);
        }
    };

    @AfterEach
    void noProcessIsLeft() {
        pool.close();
        until(
                "the end of all decoders",
                () -> own(REAL).isEmpty() && own(SCRIPTED).isEmpty());
    }

    @ParameterizedTest
    @CsvSource({
        "hang, TIME",
        "die, CRASH",
        "exit, CRASH",
        "garbage, CRASH",
        "memory, MEMORY",
        "defect, CRASH",
        "huge, CRASH"
    })
    void aDecoderThatFailsIsReplaced(String script, Reason reason) {
        scripted("1", "1S");
        assertEquals(reason, reasonOf(script));
        assertEquals(List.of(reason), lost);
        assertEquals(1, decode("white").width());
        assertEquals(1, own(SCRIPTED).size());
    }

    @Test
    void othersAreAnsweredWhileOneHangs() throws Exception {
        scripted("2", "5S");
        CompletableFuture<Reason> hanging = CompletableFuture.supplyAsync(() -> reasonOf("hang"));
        until("a decoder", () -> !own(SCRIPTED).isEmpty());
        for (int i = 0; i < 20; i++) {
            assertEquals(1, decode("white").width());
        }
        assertEquals(Reason.TIME, completed("the image that hangs", hanging));
        assertEquals(List.of(Reason.TIME), lost);
    }

    @Test
    void anImageIsNotBlamedForADecoderThatEndedBefore() {
        scripted("1", "5S");
        decode("white");
        long first = own(SCRIPTED).get(0).pid();
        own(SCRIPTED).get(0).destroyForcibly();
        assertEquals(1, decode("white").width());
        assertNotEquals(first, own(SCRIPTED).get(0).pid());
    }

    @Test
    void whatEndsAFreshDecoderIsNotTriedAgain() {
        scripted("1", "5S");
        decode("white");
        assertEquals(Reason.CRASH, reasonOf("exit"));
        assertEquals(List.of(Reason.CRASH, Reason.CRASH), lost, "the one that decoded before, then a new one");
    }

    @Test
    void moreThanMayWaitAreRefused() {
        pool = TestDecoders.pool(
                Map.of("concurrent-decodes", "1", "decode-timeout", "3S", "decode-queue", "1"),
                ScriptedDecoder.class,
                listener);
        List<CompletableFuture<Reason>> all = new ArrayList<>();
        for (int i = 0; i < 6; i++) {
            all.add(CompletableFuture.supplyAsync(() -> reasonOf("hang"), command -> new Thread(command).start()));
        }
        List<Reason> reasons = all.stream().map(CompletableFuture::join).toList();
        assertTrue(reasons.contains(Reason.TIME), reasons.toString());
        assertTrue(reasons.stream().filter(Reason.BUSY::equals).count() >= 3, reasons.toString());
        assertEquals(1, decode("white").width());
    }

    @Test
    void oneClientsSlowImagesLockNobodyOut() {
        scripted("2", "20S");
        for (int i = 0; i < 100; i++) {
            Thread thread = new Thread(() -> reasonOf(() -> decode("hang", 1, "greedy")));
            thread.setDaemon(true);
            thread.start();
        }
        until("two decoders", () -> own(SCRIPTED).size() == 2);
        // One of them has to come to its deadline.
        assertEquals(1, decode("white", 1, "other").width());
        assertEquals(1, decode("white", 1, "other").width(), "and again");
    }

    @Test
    void oneThatTakesMuchMemoryWaitsForTheOther() throws Exception {
        pool = TestDecoders.pool(
                Map.of("concurrent-decodes", "2", "decode-timeout", "6S", "decode-memory", "40000000"),
                ScriptedDecoder.class,
                listener);
        // 2,000 x 1,000 pixels of which nothing is skipped: more than half of the memory.
        CompletableFuture<Reason> large = CompletableFuture.supplyAsync(() -> reasonOf(() -> decode("hang", 2000)));
        until("a decoder", () -> !own(SCRIPTED).isEmpty());
        CompletableFuture<Pixels> second = CompletableFuture.supplyAsync(() -> decode("white", 2000));
        assertEquals(1, decode("white").width());
        assertTrue(!second.isDone(), "it waits; small ones do not");
        assertEquals(Reason.TIME, completed("the large image that hangs", large));
        completed("the image that waited", second.exceptionally(late -> null));
    }

    @Test
    void aDecoderThatCannotBeStarted() {
        pool = TestDecoders.pool(Map.of(), String.class, listener);
        assertEquals(Reason.START, reasonOf("white"));
        assertEquals(List.of(Reason.START), lost);
    }

    @Test
    void anIdleDecoderEnds() throws Exception {
        pool = TestDecoders.pool(Map.of("decoder-idle", "300ms"), ScriptedDecoder.class, listener);
        decode("white");
        until("the end of the idle decoder", () -> own(SCRIPTED).isEmpty());
        assertEquals(1, decode("white").width());
    }

    @Test
    void oneIsStartedAheadOfTheFirstImage() throws Exception {
        scripted("2", "5S");
        pool.prepare();
        until("a decoder", () -> own(SCRIPTED).size() == 1);
    }

    @Test
    void nothingIsLeftOfDecodersThatFailed() {
        scripted("1", "5S");
        decode("white");
        int before = descriptors();
        for (int i = 0; i < 4; i++) {
            reasonOf("exit");
        }
        decode("white");
        assertTrue(descriptors() <= before + 2, before + " descriptors before, " + descriptors() + " after");
        assertEquals(
                1,
                ProcessHandle.current()
                        .children()
                        .filter(child -> child.info().command().isEmpty()
                                || own(SCRIPTED).contains(child))
                        .count(),
                "no zombie");
    }

    @Test
    void aDecoderHasNoKeys() throws Exception {
        pool = TestDecoders.pool(Map.of());
        byte[] png = Tricks.png(
                Tricks.ihdr(4, 4, 8, 2, 0),
                Tricks.chunk("IDAT", Tricks.deflated(4 * 13)),
                Tricks.chunk("IEND", new byte[0]));
        pool.decode(ImageHeader.read(png), png, 1, 100, "client", () -> false);
        long pid = own(REAL).get(0).pid();
        String environment = Files.readString(Path.of("/proc/" + pid + "/environ"), StandardCharsets.ISO_8859_1);
        for (String variable : environment.split("\0")) {
            assertTrue(
                    variable.isEmpty() || variable.matches("(?s)(PATH|HOME|TMPDIR|LANG|LC_ALL|LD_LIBRARY_PATH)=.*"),
                    variable);
        }
    }

    // --- real images ---

    @Test
    void anImageThatTakesTooLong() {
        pool = TestDecoders.pool(Map.of("decode-timeout", "2S"));
        assertEquals(Reason.TIME, reasonOf(() -> decode(Tricks.webp(Tricks.transformed(1500, 1500, 4000)))));
        assertEquals(30, decode(Tricks.webp(Tricks.lossless(30, 20))).width());
    }

    @Test
    void anImageThatTakesMoreMemoryThanItsStructureTells() {
        pool = TestDecoders.pool(Map.of("decode-memory", "67108864"));
        assertEquals(Reason.MEMORY, reasonOf(() -> decode(Tricks.webp(Tricks.metaCodes()))));
        assertEquals(30, decode(Tricks.webp(Tricks.lossless(30, 20))).width());
    }

    @Test
    void aDamagedImageCostsNoDecoder() {
        pool = TestDecoders.pool(Map.of("concurrent-decodes", "1"));
        byte[] damaged = Tricks.png(
                Tricks.ihdr(4, 4, 8, 2, 0), Tricks.chunk("IDAT", new byte[8]), Tricks.chunk("IEND", new byte[0]));
        assertThrows(ImageException.class, () -> decode(damaged));
        long pid = own(REAL).get(0).pid();
        assertThrows(ImageException.class, () -> decode(damaged));
        assertEquals(pid, own(REAL).get(0).pid());
    }

    /** Its decoder would read the last bits again and again, for each of 65,536 tables that are not there. */
    @Test
    void aLosslessWebpWithoutTheTablesThatItAnnounces() {
        pool = TestDecoders.pool(Map.of());
        assertThrows(ImageException.class, () -> decode(Tricks.webp(Tricks.metaCodes(1))));
    }

    private List<ProcessHandle> own(String main) {
        return Children.with(main).stream()
                .filter(child -> !others.contains(child))
                .toList();
    }

    private void scripted(String processes, String timeout) {
        pool = TestDecoders.pool(
                Map.of("concurrent-decodes", processes, "decode-timeout", timeout, "decode-memory", "33554432"),
                ScriptedDecoder.class,
                listener);
    }

    private Pixels decode(String script) {
        return decode(script, 1);
    }

    private Pixels decode(String script, int width) {
        return decode(script, width, "client");
    }

    private Pixels decode(String script, int width, String client) {
        String comment = Tricks.segment("fe", ("<" + script + ">").getBytes(StandardCharsets.US_ASCII));
        byte[] file = Tricks.baseline(width, width == 1 ? 1 : 1000, comment);
        return pool.decode(ImageHeader.read(file), file, 1, 1 << 22, client, () -> false);
    }

    private Pixels decode(byte[] file) {
        ImageHeader header = ImageHeader.read(file);
        return pool.decode(header, file, header.every(1 << 22, pool.memory()), 1 << 22, "client", () -> false);
    }

    private Reason reasonOf(String script) {
        return reasonOf(() -> decode(script));
    }

    private static Reason reasonOf(Executable decoding) {
        return assertThrows(DecoderException.class, decoding).reason();
    }

    private static int descriptors() {
        return new File("/proc/self/fd").list().length;
    }
}
