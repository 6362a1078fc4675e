package dev.luq.worker;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.luq.Signals;
import dev.luq.protocol.Blackbox;
import dev.luq.protocol.ModelInfos;
import dev.luq.protocol.PromptInput;
import dev.luq.protocol.Prompts;
import dev.luq.protocol.ServerFrame;
import dev.luq.protocol.WorkerFrame;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.function.DoubleConsumer;

/**
 * A worker process whose model does what the messages tell it, so that the faults of real ones can be had on demand:
 * <pre>
 * say a b c    answers with the pieces a, b and c
 * pixels       answers with the number of images and the sum of their bytes
 * more n       answers with n pieces
 * refuse       fails before it is accepted
 * queued       nothing at all until it is cancelled, as a request that waits for its turn
 * wait         one piece, then nothing until it is cancelled
 * deaf         as wait, and cannot be cancelled
 * die SIGNAL   one piece, then the process ends by that signal
 * exit         the process ends by itself
 * print        prints as native code does, and answers
 * garbage      writes what is no frame
 * </pre>
 * A query is answered with the number of words and images, except for {@code wait}, {@code die} and {@code refuse}.
 * The model file's name tells what loading does: {@code good}, {@code unusable}, {@code deadly}, {@code slow}, {@code stuck}. A
 * model {@code mute} loads and refuses everything. What is no script, as a swap's question, is answered with a piece.
 */
public final class ScriptedWorker implements ModelHost {

    private final Map<String, Consumer<WorkerFrame.OfRequest>> waiting = new ConcurrentHashMap<>();
    private final AtomicLong tokens = new AtomicLong();
    private volatile boolean mute;
    /** What alone it answers; null for everything. */
    private volatile Class<? extends ServerFrame.OfRequest> only;

    private volatile boolean ranks;
    private final AtomicInteger cancelled = new AtomicInteger();

    private final Blackbox blackbox;
    private static OutputStream pipe;

    private ScriptedWorker(Blackbox blackbox) {
        this.blackbox = blackbox;
    }

    public static void main(String[] arguments) throws IOException {
        pipe = new FileOutputStream("/proc/self/fd/1");
        WorkerLoop.run(new ScriptedWorker(WorkerLoop.blackbox(arguments)));
    }

    @Override
    public WorkerFrame.ModelInfo load(ServerFrame.Load load, DoubleConsumer progress) throws LoadException {
        System.out.println("a stray print");
        WorkerLoop.log("WARN", "loading");
        progress.accept(0.5);
        switch (Path.of(load.modelFiles().get(0)).getFileName().toString()) {
            case "unusable" -> throw new LoadException("invalid_model", "The model is of no use.", null);
            case "deadly" -> Signals.dieOf("KILL");
            case "slow" -> forEver();
            case "stuck" -> {
                blackbox.working(Blackbox.Stage.LOAD, List.of("its chat template"));
                forEver();
            }
            case "mute" -> mute = true;
            case "encoder" -> only = ServerFrame.Embed.class;
            case "reranker" -> {
                only = ServerFrame.Embed.class;
                ranks = true;
            }
            default -> {}
        }
        WorkerFrame.ModelInfo info = info(load);
        return only == null
                ? info
                : ModelInfos.embedding(
                        info, info.vision(), ranks ? null : new WorkerFrame.EmbeddingInfo(4, true), ranks);
    }

    private static WorkerFrame.ModelInfo info(ServerFrame.Load load) {
        return new WorkerFrame.ModelInfo(
                "scripted",
                "script",
                "F16",
                10,
                20,
                16,
                512,
                512,
                load.slots(),
                true,
                false,
                64,
                new WorkerFrame.ModelProps("{{ jinja }}", "<s>", "</s>", "b1", List.of(2, 7)));
    }

    @Override
    public void submit(ServerFrame.Generate request, Consumer<WorkerFrame.OfRequest> events) {
        String id = request.id();
        if (only != null) {
            events.accept(new WorkerFrame.Failed(id, "internal_error", "The model generates nothing.", null));
            return;
        }
        String[] words = Prompts.chat(request).split(" ");
        if (mute || words[0].equals("refuse")) {
            events.accept(new WorkerFrame.Failed(
                    id, "context_length_exceeded", "Too long.", "messages", new WorkerFrame.Overflow(9, 8)));
            return;
        }
        blackbox.working(Blackbox.Stage.STEP, List.of(id));
        if (words[0].equals("exit")) {
            System.exit(7);
        }
        if (words[0].equals("prepare") || words[0].equals("queued")) {
            waiting.put(id, events);
            return;
        }
        events.accept(
                new WorkerFrame.Accepted(id, words.length, request.images().size(), 0));
        switch (words[0]) {
            case "say" -> {
                for (int i = 1; i < words.length; i++) {
                    piece(id, words[i], events);
                }
                finish(id, events);
            }
            case "pixels" -> {
                long sum = 0;
                for (ServerFrame.Image image : request.images()) {
                    for (byte value : image.rgb()) {
                        sum += value & 0xFF;
                    }
                }
                piece(id, request.images().size() + ":" + sum, events);
                finish(id, events);
            }
            case "more" -> {
                for (int i = 0; i < Integer.parseInt(words[1]); i++) {
                    piece(id, "x", events);
                }
                finish(id, events);
            }
            case "wait" -> {
                piece(id, "waiting", events);
                waiting.put(id, events);
            }
            case "deaf" -> piece(id, "deaf", events);
            case "encode" -> waiting.put(id, events);
            case "encode-deaf" -> {}
            case "die" -> {
                piece(id, "dying", events);
                // let the piece out first
                Thread dying = new Thread(() -> {
                    sleep(100);
                    blackbox.working(Blackbox.Stage.STEP, List.of(id));
                    Signals.dieOf(words[1]);
                });
                dying.start();
            }
            case "print" -> {
                try {
                    new ProcessBuilder("echo", "a fatal error")
                            .inheritIO()
                            .start()
                            .waitFor();
                } catch (IOException | InterruptedException e) {
                    throw new IllegalStateException(e);
                }
                piece(id, "printed", events);
                finish(id, events);
            }
            case "garbage" -> {
                try {
                    pipe.write("HTTP/1.1 200 OK\r\n\r\n".getBytes(UTF_8));
                } catch (IOException e) {
                    throw new IllegalStateException(e);
                }
            }
            default -> {
                piece(id, "hello", events);
                finish(id, events);
            }
        }
        if (!words[0].equals("die")) {
            blackbox.idle(Blackbox.Stage.STEP);
        }
    }

    @Override
    public void submit(ServerFrame.Query<?> query, Consumer<WorkerFrame.OfRequest> events) {
        if (query instanceof ServerFrame.Embed embed) {
            boolean pair = embed.prompt().pieces().get(0) instanceof PromptInput.Piece.Pair;
            events.accept(
                    pair == ranks
                            ? new WorkerFrame.Embeddings(query.id(), List.of())
                            : new WorkerFrame.Failed(query.id(), "invalid_request", "No.", "input"));
            return;
        }
        String[] words = Prompts.chat(query).split(" ");
        blackbox.working(Blackbox.Stage.PROMPT, List.of(query.id()));
        switch (words[0]) {
            case "wait" -> waiting.put(query.id(), events);
            case "die" -> Signals.dieOf(words[1]);
            case "refuse" -> events.accept(new WorkerFrame.Failed(query.id(), "invalid_request", "No.", "messages"));
            default ->
                events.accept(new WorkerFrame.TokenCount(
                        query.id(), words.length, query.images().size()));
        }
        blackbox.idle(Blackbox.Stage.PROMPT);
    }

    private void piece(String id, String text, Consumer<WorkerFrame.OfRequest> events) {
        tokens.incrementAndGet();
        events.accept(new WorkerFrame.Delta(id, text, null, null, 1));
    }

    private static void finish(String id, Consumer<WorkerFrame.OfRequest> events) {
        events.accept(new WorkerFrame.Finished(id, "stop", null, 1, new WorkerFrame.Timings(1, 2, 3, 4)));
    }

    @Override
    public void cancel(String id) {
        Consumer<WorkerFrame.OfRequest> events = waiting.remove(id);
        if (events != null) {
            cancelled.incrementAndGet();
            events.accept(new WorkerFrame.Failed(id, "cancelled", "The request was cancelled.", null));
        }
    }

    @Override
    public WorkerFrame.EngineStats stats() {
        return new WorkerFrame.EngineStats(
                0,
                waiting.size(),
                3,
                10,
                0,
                tokens.get(),
                0,
                0,
                0,
                0,
                0,
                0,
                0,
                0,
                0,
                0,
                0,
                cancelled.get(),
                0,
                0,
                0,
                0,
                0,
                0,
                0,
                0,
                0,
                0,
                0,
                0);
    }

    private static void forEver() {
        sleep(Long.MAX_VALUE);
    }

    private static void sleep(long millis) {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }
}
