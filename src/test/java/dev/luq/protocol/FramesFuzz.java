package dev.luq.protocol;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import dev.luq.fuzz.FuzzTarget;
import dev.luq.machine.Kernels;
import dev.luq.machine.KvType;
import dev.luq.protocol.WorkerFrame.ModelInfo;
import dev.luq.protocol.WorkerFrame.Timings;
import dev.luq.protocol.WorkerFrame.TokenLogprob;
import dev.luq.protocol.WorkerFrame.ToolCallDelta;
import dev.luq.requant.spec.Phase;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Map;

/** A stream of frames is read up to the first that is none; what was read is written as it is read again. */
public final class FramesFuzz<T> implements FuzzTarget {

    private static final int LONGEST = 1 << 16;

    private final String name;
    private final Class<T> type;
    private final List<T> frames;

    private FramesFuzz(String name, Class<T> type, List<T> frames) {
        this.name = name;
        this.type = type;
        this.frames = frames;
    }

    public static List<FuzzTarget> all() {
        return List.of(
                new FramesFuzz<>(
                        "frames-to-worker",
                        ServerFrame.class,
                        List.of(
                                new ServerFrame.Load(
                                        List.of("/m.gguf"),
                                        null,
                                        2048,
                                        2,
                                        512,
                                        2,
                                        1,
                                        1 << 20,
                                        0,
                                        0,
                                        20,
                                        Kernels.FAST,
                                        KvType.F16,
                                        new ServerFrame.Load.KeptFiles(
                                                "m", new ServerFrame.Load.CacheFolder("/e", 1), null)),
                                new ServerFrame.Generate(
                                        "1",
                                        "{\"messages\":[]}",
                                        List.of(new ServerFrame.Image(2, 1, "ab", new byte[6])),
                                        new Sampling(1, 1, 0, 0, 0, 0, 1, 7L, Map.of(3, -1f), false),
                                        16,
                                        List.of("a"),
                                        2,
                                        true),
                                new ServerFrame.CountTokens(
                                        "2",
                                        new PromptInput.Raw(
                                                List.of(
                                                        new PromptInput.Piece.Text("a"),
                                                        new PromptInput.Piece.Tokens(new int[] {1, 300}),
                                                        new PromptInput.Piece.Media()),
                                                new PromptInput.Constraint(
                                                        "grammar", "root ::= \"a\"", null, Map.of())),
                                        List.of(new ServerFrame.Image(2, 1, "ab", (byte[]) null)),
                                        "c"),
                                new ServerFrame.ApplyTemplate("3", new PromptInput.Chat("{}"), null),
                                new ServerFrame.Tokenize("4", PromptInput.Raw.of("text"), true, true, true, null),
                                new ServerFrame.Detokenize("5", new int[] {1, 2}, null),
                                new ServerFrame.Embed("7", List.of(PromptInput.Raw.of("text")), List.of(), null, "s"),
                                new ServerFrame.ReadSlots("6", null),
                                new ServerFrame.Cancel("1"),
                                new ServerFrame.ForgetImage("ab"))),
                new FramesFuzz<>(
                        "frames-from-worker",
                        WorkerFrame.class,
                        List.of(
                                new WorkerFrame.Loading(0.5f),
                                new WorkerFrame.Ready(new ModelInfo(
                                        "n",
                                        "qwen2vl",
                                        "F16",
                                        1,
                                        2,
                                        16,
                                        4,
                                        5,
                                        6,
                                        true,
                                        false,
                                        64,
                                        new WorkerFrame.ModelProps("{{ jinja }}", null, "</s>", "b1", List.of(2, 7)))),
                                new WorkerFrame.LoadFailed("code", "message"),
                                new WorkerFrame.Progress("1", WorkerFrame.Phase.PROMPT, 0.5f, 1, 2, 4),
                                new WorkerFrame.Accepted("1", 10, 4, 2),
                                new WorkerFrame.Delta("1", "caf\u00e9", null, null, 300),
                                new WorkerFrame.Delta(
                                        "1",
                                        null,
                                        new ToolCallDelta(0, "c", "f", "{"),
                                        List.of(new TokenLogprob(
                                                1,
                                                "a",
                                                -0.5,
                                                List.of(97),
                                                List.of(new TokenLogprob(2, "b", -1, List.of(98), List.of())))),
                                        1),
                                new WorkerFrame.Finished("1", "stop", "a", 3, new Timings(1, 2, 3, 4)),
                                new WorkerFrame.TokenCount("2", 20, 12),
                                new WorkerFrame.Text("3", "text"),
                                new WorkerFrame.Tokens(
                                        "4", new int[] {1, 300}, new WorkerFrame.Pieces(new byte[] {65}, new int[] {1, 0
                                        })),
                                new WorkerFrame.Embeddings(
                                        "7", List.of(new WorkerFrame.Embedding(2, new float[] {0.5f, -1}))),
                                new WorkerFrame.Slots("6", List.of(new WorkerFrame.Slot("1", 9, 8, 2, 4, 5, 6))),
                                new WorkerFrame.Failed("1", "invalid_request", "message", "messages"))),
                new FramesFuzz<>(
                        "frames-from-job",
                        JobFrame.class,
                        List.of(
                                new JobFrame.Begun(Phase.RANK),
                                new JobFrame.Progress(0.5, 60L),
                                new JobFrame.Note("n"),
                                new JobFrame.Done(),
                                new JobFrame.Cancelled(),
                                new JobFrame.Failed("message"))));
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public List<byte[]> seeds() {
        return frames.stream()
                .map(frame -> {
                    try {
                        return written(frame);
                    } catch (IOException e) {
                        throw new UncheckedIOException(e);
                    }
                })
                .toList();
    }

    @Override
    public void run(byte[] input) throws IOException {
        Frames.Reader<T> reader = reader(input);
        while (true) {
            T frame;
            try {
                frame = reader.read();
            } catch (FrameException refused) {
                return;
            }
            if (frame == null) {
                return;
            }
            byte[] written = written(frame);
            assertArrayEquals(written, written(reader(written).read()));
        }
    }

    private Frames.Reader<T> reader(byte[] stream) {
        return new Frames.Reader<>(type, new ByteArrayInputStream(stream), LONGEST);
    }

    private byte[] written(T frame) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        new Frames.Writer<>(type, out).write(frame);
        return out.toByteArray();
    }
}
