package dev.luq.protocol;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.dataformat.cbor.databind.CBORMapper;
import dev.luq.machine.Kernels;
import dev.luq.machine.KvType;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.FilterInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class FramesTest {

    private static final long LIMIT = 1 << 20;

    private static final ServerFrame.Generate GENERATE = new ServerFrame.Generate(
            "r1",
            "{\"messages\":[{\"role\":\"user\",\"content\":\"Grüße 🦊\"}]}",
            List.of(),
            new Sampling(0.7f, 0.9f, 40, 0.05f, 0.1f, -0.1f, 1.1f, 42L, Map.of(13, -100f), true),
            100,
            List.of("END"),
            2,
            true);

    static Stream<WorkerFrame> workerFrames() {
        WorkerFrame.TokenLogprob top = new WorkerFrame.TokenLogprob(1, "b", -2.5, List.of(98), List.of());
        return Stream.of(
                new WorkerFrame.Loading(0.25f),
                new WorkerFrame.Ready(new WorkerFrame.ModelInfo(
                        null,
                        "qwen2vl",
                        "F16",
                        1,
                        2,
                        16,
                        3,
                        4,
                        5,
                        true,
                        false,
                        64,
                        new WorkerFrame.ModelProps("{{ jinja }}", null, "</s>", "b1", List.of(2, 7)))),
                new WorkerFrame.LoadFailed("invalid_model", "no"),
                new WorkerFrame.Stats(new WorkerFrame.EngineStats(
                        1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16.5, 17, 18, 19, 20, 21, 22, 23, 24, 25,
                        26.5, 27.5, 28, 29, 30)),
                new WorkerFrame.Progress("a", WorkerFrame.Phase.ENCODING, 0.4f, 1, 2, 5),
                new WorkerFrame.Accepted("a", 10, 5, 2),
                new WorkerFrame.Delta(
                        "a",
                        "text",
                        null,
                        List.of(new WorkerFrame.TokenLogprob(2, "a", -0.5, List.of(0, 255), List.of(top))),
                        1),
                new WorkerFrame.Delta("a", null, "thought", null, null, 22),
                new WorkerFrame.Delta("a", "text", null, null, 23),
                new WorkerFrame.Delta("a", "", null, null, 24),
                new WorkerFrame.Delta("a", null, new WorkerFrame.ToolCallDelta(0, "c", "f", "{"), null, 70_000),
                new WorkerFrame.Finished("a", "stop", null, 7, new WorkerFrame.Timings(1, 2, 3, 4, 5, 6)),
                new WorkerFrame.Finished("a", "stop", "END", 7, new WorkerFrame.Timings(1, 2, 3, 4)),
                new WorkerFrame.TokenCount("a", 20, 12),
                new WorkerFrame.Text("a", "Grüße 🦊"),
                new WorkerFrame.Slots(
                        "a",
                        List.of(
                                new WorkerFrame.Slot(null, 3, 0, 0, 0, 0, 0),
                                new WorkerFrame.Slot("r1", 9, 8, 2, 4, 5, 6))),
                new WorkerFrame.Failed("a", "internal_error", "m", null),
                new WorkerFrame.Failed(
                        "a", "context_length_exceeded", "m", "messages", new WorkerFrame.Overflow(9, 8)));
    }

    @ParameterizedTest
    @MethodSource("workerFrames")
    void everyWorkerFrameArrivesAsItWasSent(WorkerFrame frame) throws IOException {
        assertEquals(
                frame,
                reader(WorkerFrame.class, written(WorkerFrame.class, frame)).read());
    }

    @Test
    void aDeltaOfTextOnlyIsTheSameMessageHoweverLongAndInWhateverScript() throws IOException {
        for (int length : new int[] {0, 1, 22, 23, 24, 25, 84, 85, 127, 128, 254, 255, 256, 300, 70_000}) {
            for (String character : List.of("x", "\"", "\0", "ü", "語", "🦊")) {
                WorkerFrame delta = new WorkerFrame.Delta(
                        "r" + "1".repeat(length % 300), character.repeat(length), null, null, 1 << length % 31);
                byte[] frame = written(WorkerFrame.class, delta);
                assertEquals(delta, reader(WorkerFrame.class, frame).read());
                assertEquals(
                        delta, new CBORMapper().readerFor(WorkerFrame.class).readValue(frame, 4, frame.length - 4));
            }
        }
    }

    /** Longer than what the JSON library takes unless told otherwise. */
    @Test
    void aTextOfAnyLengthArrives() throws IOException {
        ServerFrame.Generate request = new ServerFrame.Generate(
                "r1", "x".repeat(21_000_000), List.of(), Sampling.GREEDY, 0, List.of(), -1, true);
        byte[] frame = written(ServerFrame.class, request);
        assertEquals(
                request,
                new Frames.Reader<>(ServerFrame.class, new ByteArrayInputStream(frame), ServerFrame.LONGEST).read());
    }

    /** What a reader would refuse is never begun, so that its stream goes on. */
    @Test
    void aFrameThatIsTooLongIsNotBegun() throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        Frames.Writer<ServerFrame> writer = new Frames.Writer<>(ServerFrame.class, out, 40);
        writer.write(new ServerFrame.Cancel("first"));
        assertThrows(FrameException.class, () -> writer.write(new ServerFrame.Cancel("x".repeat(100))));
        writer.write(new ServerFrame.Cancel("last"));
        Frames.Reader<ServerFrame> reader =
                new Frames.Reader<>(ServerFrame.class, new ByteArrayInputStream(out.toByteArray()), 40);
        assertEquals(new ServerFrame.Cancel("first"), reader.read());
        assertEquals(new ServerFrame.Cancel("last"), reader.read());
        assertNull(reader.read());
    }

    /** Half of a surrogate pair has no UTF-8: that one frame is not begun, and its stream goes on. */
    @Test
    void aFrameThatHasNoEncodingIsNotBegun() throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        Frames.Writer<ServerFrame> writer = new Frames.Writer<>(ServerFrame.class, out);
        assertThrows(FrameException.class, () -> writer.write(new ServerFrame.Cancel("a\ud800b")));
        writer.write(new ServerFrame.Cancel("last"));
        Frames.Reader<ServerFrame> reader = new Frames.Reader<>(
                ServerFrame.class, new ByteArrayInputStream(out.toByteArray()), ServerFrame.LONGEST);
        assertEquals(new ServerFrame.Cancel("last"), reader.read());
        assertNull(reader.read());
    }

    @Test
    void aDamagedDeltaIsAMessageOrAFrameException() throws IOException {
        WorkerFrame delta = new WorkerFrame.Delta("request", "a text of more than 23 bytes", null, null, 300);
        byte[] whole = written(WorkerFrame.class, delta);
        for (int length = 1; length < whole.length; length++) {
            byte[] cut = Arrays.copyOf(whole, length);
            assertThrows(
                    FrameException.class, () -> reader(WorkerFrame.class, cut).read(), "cut to " + length);
        }
        for (int i = 4; i < whole.length; i++) {
            for (int flip = 1; flip < 256; flip++) {
                byte[] damaged = whole.clone();
                damaged[i] ^= (byte) flip;
                try {
                    assertNotNull(reader(WorkerFrame.class, damaged).read());
                } catch (FrameException e) {
                    // The other permitted outcome.
                }
            }
        }
    }

    @Test
    void framesThatArriveInPiecesOrTogetherAreReadOneByOne() throws IOException {
        WorkerFrame[] frames = new WorkerFrame[3000];
        for (int i = 0; i < frames.length; i++) {
            frames[i] = i % 3 == 0
                    ? new WorkerFrame.Failed("r" + i, "internal_error", "m".repeat(i), null)
                    : new WorkerFrame.Delta("r" + i, "x".repeat(i % 400), null, null, i);
        }
        byte[] stream = written(WorkerFrame.class, frames);
        for (int piece : new int[] {1, 7, 1 << 16, stream.length}) {
            Frames.Reader<WorkerFrame> reader = new Frames.Reader<>(
                    WorkerFrame.class,
                    new FilterInputStream(new ByteArrayInputStream(stream)) {
                        @Override
                        public int read(byte[] target, int offset, int length) throws IOException {
                            return super.read(target, offset, Math.min(length, piece));
                        }
                    },
                    LIMIT);
            for (WorkerFrame frame : frames) {
                assertEquals(frame, reader.read());
            }
            assertNull(reader.read());
        }
    }

    static Stream<ServerFrame> serverFrames() {
        return Stream.of(
                new ServerFrame.Load(
                        List.of("/a", "/b"),
                        null,
                        0,
                        4,
                        512,
                        0,
                        0,
                        1L << 40,
                        0,
                        0,
                        20,
                        Kernels.FAST,
                        KvType.F16,
                        new ServerFrame.Load.KeptFiles(
                                "a", null, new ServerFrame.Load.CacheFolder("/data/prompts", 1L << 31))),
                GENERATE,
                new ServerFrame.Generate(
                        "r2",
                        new PromptInput.Raw(
                                List.of(new PromptInput.Piece.Text("Grüße"), new PromptInput.Piece.Media()),
                                new PromptInput.Constraint("json_schema", null, "{}", Map.of("a", "b"))),
                        List.of(),
                        Sampling.GREEDY,
                        0,
                        List.of(),
                        -1,
                        true,
                        "c",
                        "s"),
                new ServerFrame.CountTokens("q1", new PromptInput.Chat("{}"), List.of(), "c"),
                new ServerFrame.ApplyTemplate("q2", new PromptInput.Chat("{}"), null),
                new ServerFrame.Tokenize("q3", PromptInput.Raw.of("text"), true, false, true, null),
                new ServerFrame.Embed(
                        "q4",
                        List.of(
                                PromptInput.Raw.of("text"),
                                new PromptInput.Raw(List.of(new PromptInput.Piece.Media()), null)),
                        List.of(),
                        "c",
                        "s"),
                new ServerFrame.ReadSlots("q5", null),
                new ServerFrame.Cancel("r1"));
    }

    @ParameterizedTest
    @MethodSource("serverFrames")
    void everyServerFrameArrivesAsItWasSent(ServerFrame frame) throws IOException {
        assertEquals(
                frame,
                reader(ServerFrame.class, written(ServerFrame.class, frame)).read());
    }

    @Test
    void framesFollowEachOtherAndTheStreamMayEndBetweenThem() throws IOException {
        Frames.Reader<ServerFrame> reader = reader(
                ServerFrame.class,
                written(ServerFrame.class, new ServerFrame.Cancel("1"), new ServerFrame.Cancel("2")));
        assertEquals(new ServerFrame.Cancel("1"), reader.read());
        assertEquals(new ServerFrame.Cancel("2"), reader.read());
        assertNull(reader.read());
    }

    @Test
    void pixelsTravelAsBytesWithoutOverhead() throws IOException {
        byte[] small = pixels(3 * 10 * 10);
        byte[] large = pixels(3 * 500 * 400);
        ServerFrame.Generate sent =
                withImages(new ServerFrame.Image(10, 10, "aa", small), new ServerFrame.Image(500, 400, "bb", large));
        byte[] stream = written(ServerFrame.class, sent);
        int textOnly = written(ServerFrame.class, GENERATE).length;
        assertTrue(stream.length < textOnly + small.length + large.length + 200, () -> stream.length + " bytes");

        ServerFrame.Generate received =
                (ServerFrame.Generate) reader(ServerFrame.class, stream).read();
        assertArrayEquals(small, received.images().get(0).rgb());
        assertArrayEquals(large, received.images().get(1).rgb());
        assertEquals(400, received.images().get(1).height());
    }

    @Test
    void tokensTheirBytesAndVectorsArrive() throws IOException {
        int[] tokens = {0, 23, 24, 151_935, 70_000};
        ServerFrame.Detokenize sent = new ServerFrame.Detokenize("q", tokens, null);
        ServerFrame.Detokenize received = (ServerFrame.Detokenize)
                reader(ServerFrame.class, written(ServerFrame.class, sent)).read();
        assertArrayEquals(tokens, received.tokens());
        assertEquals("q", received.id());

        float[] vector = {0.5f, -1e-30f, 3};
        WorkerFrame.Embeddings embeddings = (WorkerFrame.Embeddings) reader(
                        WorkerFrame.class,
                        written(
                                WorkerFrame.class,
                                new WorkerFrame.Embeddings("q", List.of(new WorkerFrame.Embedding(2, vector)))))
                .read();
        assertArrayEquals(vector, embeddings.embeddings().get(0).vector());
        assertEquals(2, embeddings.embeddings().get(0).tokens());

        byte[] half = {(byte) 0xF0, (byte) 0x9F};
        int[] lengths = new int[tokens.length];
        lengths[tokens.length - 1] = half.length;
        WorkerFrame.Tokens pieces = new WorkerFrame.Tokens("q", tokens, new WorkerFrame.Pieces(half, lengths));
        WorkerFrame.Tokens answer = (WorkerFrame.Tokens)
                reader(WorkerFrame.class, written(WorkerFrame.class, pieces)).read();
        assertArrayEquals(tokens, answer.tokens());
        assertArrayEquals(half, answer.pieces().bytes());
        assertArrayEquals(lengths, answer.pieces().lengths());
    }

    @Test
    void piecesOfOtherTokensAreAnError() {
        byte[] two = {65, 66};
        for (int[] lengths : new int[][] {{1}, {3}, {-1, 3}, {2, 0}}) {
            assertThrows(
                    IllegalArgumentException.class,
                    () -> new WorkerFrame.Tokens("q", new int[] {7}, new WorkerFrame.Pieces(two, lengths)),
                    () -> Arrays.toString(lengths));
        }
    }

    /** Half of a surrogate pair, as bytes that are no UTF-8: it could not be written into an answer. */
    @Test
    void textThatIsNoUtf8IsAnError() throws IOException {
        byte[] frame = written(ServerFrame.class, new ServerFrame.Cancel("abc"));
        byte[] half = {(byte) 0xED, (byte) 0xA0, (byte) 0x80};
        int at = new String(frame, StandardCharsets.ISO_8859_1).indexOf("abc");
        System.arraycopy(half, 0, frame, at, half.length);
        assertThrows(
                FrameException.class, () -> reader(ServerFrame.class, frame).read());
    }

    @Test
    void aFrameCutOffAnywhereIsAnError() throws IOException {
        byte[] whole = written(ServerFrame.class, GENERATE);
        for (int length = 1; length < whole.length; length++) {
            byte[] cut = Arrays.copyOf(whole, length);
            assertThrows(
                    FrameException.class, () -> reader(ServerFrame.class, cut).read(), "cut to " + length);
        }
    }

    @Test
    void aFrameLongerThanTheLimitIsRefusedByItsLength() throws IOException {
        byte[] stream = written(ServerFrame.class, new ServerFrame.Cancel("x".repeat(100)));
        int body = stream.length - 4;
        assertEquals(
                new ServerFrame.Cancel("x".repeat(100)),
                new Frames.Reader<>(ServerFrame.class, new ByteArrayInputStream(stream), body).read());
        assertThrows(
                FrameException.class,
                () -> new Frames.Reader<>(ServerFrame.class, new ByteArrayInputStream(stream), body - 1).read());
        byte[] claims = {(byte) 0xFF, (byte) 0xFF, (byte) 0xFF, (byte) 0xFF, 0};
        assertThrows(
                FrameException.class, () -> reader(ServerFrame.class, claims).read());
    }

    @Test
    void aLengthThatDiffersFromItsMessageIsAnError() throws IOException {
        byte[] stream = written(ServerFrame.class, new ServerFrame.Cancel("1"), new ServerFrame.Cancel("2"));
        byte[] longer = stream.clone();
        longer[3]++;
        assertThrows(
                FrameException.class, () -> reader(ServerFrame.class, longer).read());
        byte[] shorter = stream.clone();
        shorter[3]--;
        assertThrows(
                FrameException.class, () -> reader(ServerFrame.class, shorter).read());
        assertThrows(FrameException.class, () -> reader(ServerFrame.class, new byte[4])
                .read());
    }

    @ParameterizedTest
    @ValueSource(strings = {"a stray print\n", "{\"type\":\"cancel\",\"id\":\"1\"}", "\0\0\0\3abc", "\0\0\0\1\1"})
    void whatIsNoFrameIsAnError(String text) {
        assertThrows(FrameException.class, () -> reader(ServerFrame.class, text.getBytes(UTF_8))
                .read());
    }

    @Test
    void aMessageOfAnotherKindIsAnError() throws IOException {
        byte[] stream = written(WorkerFrame.class, new WorkerFrame.Loading(1));
        assertThrows(
                FrameException.class, () -> reader(ServerFrame.class, stream).read());
    }

    @Test
    void noiseNeverYieldsAnythingButAFrameException() {
        Random random = new Random(1);
        for (int i = 0; i < 2000; i++) {
            byte[] noise = new byte[4 + random.nextInt(200)];
            random.nextBytes(noise);
            noise[0] = 0;
            noise[1] = 0;
            noise[2] = 0;
            assertThrows(FrameException.class, () -> {
                Frames.Reader<ServerFrame> reader = reader(ServerFrame.class, noise);
                while (reader.read() != null) {}
                throw new FrameException("ended in order");
            });
        }
    }

    @Test
    void anImageMayComeWithoutItsPixels() throws IOException {
        ServerFrame.Image image = new ServerFrame.Image(20, 10, "aa", pixels(600)).withoutPixels();
        assertEquals(
                withImages(image),
                reader(ServerFrame.class, written(ServerFrame.class, withImages(image)))
                        .read());
        ServerFrame forget = new ServerFrame.ForgetImage("aa");
        assertEquals(
                forget,
                reader(ServerFrame.class, written(ServerFrame.class, forget)).read());
    }

    private static ServerFrame.Generate withImages(ServerFrame.Image... images) {
        return new ServerFrame.Generate(
                GENERATE.id(), Prompts.chat(GENERATE), List.of(images), Sampling.GREEDY, 0, List.of(), -1, true);
    }

    private static byte[] pixels(int count) {
        byte[] pixels = new byte[count];
        new Random(count).nextBytes(pixels);
        return pixels;
    }

    @SafeVarargs
    private static <T> byte[] written(Class<T> type, T... frames) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        Frames.Writer<T> writer = new Frames.Writer<>(type, out);
        for (T frame : frames) {
            writer.write(frame);
        }
        return out.toByteArray();
    }

    private static <T> Frames.Reader<T> reader(Class<T> type, byte[] stream) {
        return new Frames.Reader<>(type, new ByteArrayInputStream(stream), LIMIT);
    }
}
