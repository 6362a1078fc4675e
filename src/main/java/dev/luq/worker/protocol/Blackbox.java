package dev.luq.worker.protocol;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;

/**
 * What a child process works on, in memory that it shares with the server and that outlives it: said before each step
 * that could end the process, so that a death is blamed on what caused it. A step costs less than a microsecond. Each
 * stage is written by one thread at a time, and read by the server when the process is gone.
 */
public final class Blackbox {

    /** Work that goes on beside other work, in the process's order. */
    public enum Stage {
        /** Loading the model; the subject names the part. */
        LOAD,
        /** Preparing a request's prompt. */
        PROMPT,
        /** Encoding an image. */
        IMAGE,
        /** Evaluating a batch and choosing tokens. */
        STEP
    }

    /**
     * What was worked on.
     *
     * @param thread name of the Java thread that did
     * @param subjects ids of requests, or the part that is loaded
     */
    public record Work(Stage stage, String thread, List<String> subjects) {
    }

    private static final int AREA = 4096;
    private static final int LENGTH = Integer.BYTES;

    /** Null when nothing is kept. */
    private final MappedByteBuffer memory;
    private final Path file;

    private Blackbox(MappedByteBuffer memory, Path file) {
        this.memory = memory;
        this.file = file;
    }

    /** One that keeps nothing. */
    public static Blackbox none() {
        return new Blackbox(null, null);
    }

    /**
     * The server's side of a new one.
     *
     * @throws IOException there can be no file in the folder
     */
    public static Blackbox create(Path folder) throws IOException {
        Path file = Files.createTempFile(folder, "luq-", ".work");
        try {
            return map(file);
        } catch (IOException e) {
            Files.deleteIfExists(file);
            throw e;
        }
    }

    /** The child's side of one that the server created. */
    public static Blackbox open(Path file) throws IOException {
        return map(file);
    }

    private static Blackbox map(Path file) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            return new Blackbox(channel.map(FileChannel.MapMode.READ_WRITE, 0, (long) AREA * Stage.values().length), file);
        }
    }

    /** @return null when nothing is kept */
    public Path file() {
        return file;
    }

    /** Removes the file's name; whoever has mapped it goes on using it. */
    public void unlink() {
        try {
            if (file != null) {
                Files.deleteIfExists(file);
            }
        } catch (IOException e) {
            System.getLogger(Blackbox.class.getName()).log(System.Logger.Level.DEBUG, "A file is left over", e);
        }
    }

    /** The calling thread begins to work on these, until {@link #idle} or what it says next for this stage. */
    public void working(Stage stage, List<String> subjects) {
        if (memory == null) {
            return;
        }
        ByteBuffer area = area(stage);
        // Empty while it is written: a process may be killed at any moment.
        area.putInt(0, 0);
        area.position(LENGTH);
        put(area, Thread.currentThread().getName());
        for (String subject : subjects) {
            put(area, subject);
        }
        area.putInt(0, area.position());
    }

    private static void put(ByteBuffer area, String line) {
        byte[] bytes = line.getBytes(StandardCharsets.UTF_8);
        if (area.remaining() > bytes.length) {
            area.put(bytes).put((byte) '\n');
        }
    }

    /** Nothing is done in this stage now. */
    public void idle(Stage stage) {
        if (memory != null) {
            area(stage).putInt(0, 0);
        }
    }

    /** Whether anything would be known after a death. */
    public boolean isKept() {
        return memory != null;
    }

    /** What was worked on last. The other side may have written anything: what is no record is left out. */
    public List<Work> read() {
        List<Work> works = new ArrayList<>();
        for (Stage stage : Stage.values()) {
            int end = memory == null ? 0 : area(stage).getInt(0);
            if (end > LENGTH && end <= AREA) {
                byte[] bytes = new byte[end - LENGTH];
                area(stage).get(LENGTH, bytes);
                List<String> lines = new String(bytes, StandardCharsets.UTF_8).lines().toList();
                works.add(new Work(stage, lines.get(0), lines.subList(1, lines.size())));
            }
        }
        return works;
    }

    private ByteBuffer area(Stage stage) {
        return memory.slice(stage.ordinal() * AREA, AREA);
    }
}
