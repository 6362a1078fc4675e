package dev.luq.protocol;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * What a child process works on, in memory that it shares with the server and that outlives it: said before each step
 * that could end the process, so that a crash can be traced to what caused it. A step costs less than a microsecond. Each
 * thread has an area of its own for each of its stages; the server reads all when the process is gone.
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
    public record Work(Stage stage, String thread, List<String> subjects) {}

    private static final int AREA = 4096;
    /** More than there are threads that work; one that finds no area is not seen. */
    private static final int AREAS = 16;

    private static final int LENGTH = Integer.BYTES;
    /** Where the stage's number is. */
    private static final int STAGE = LENGTH;

    private static final int TEXT = STAGE + Integer.BYTES;

    /** Null when nothing is kept. */
    private final MappedByteBuffer memory;

    private final Path file;
    private final AtomicInteger taken = new AtomicInteger();
    private final AtomicBoolean unlinked = new AtomicBoolean();
    private final ThreadLocal<Map<Stage, Optional<ByteBuffer>>> own =
            ThreadLocal.withInitial(() -> new EnumMap<>(Stage.class));

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
            // Written, not only made longer: writing to memory that a full disk has no room for ends a process.
            Files.write(file, new byte[AREA * AREAS]);
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
            return new Blackbox(channel.map(FileChannel.MapMode.READ_WRITE, 0, (long) AREA * AREAS), file);
        }
    }

    /** @return null when nothing is kept */
    public Path file() {
        return file;
    }

    /** Removes the file's name, once; whoever has mapped it goes on using it. */
    public void unlink() {
        if (file == null || unlinked.getAndSet(true)) {
            return;
        }
        try {
            Files.deleteIfExists(file);
        } catch (IOException e) {
            System.getLogger(Blackbox.class.getName()).log(System.Logger.Level.DEBUG, "A file is left over", e);
        }
    }

    /** The calling thread begins to work on these, until {@link #idle} or what it says next for this stage. */
    public void working(Stage stage, List<String> subjects) {
        ownArea(stage).ifPresent(area -> write(area, stage, subjects));
    }

    private static void write(ByteBuffer area, Stage stage, List<String> subjects) {
        // Empty while it is written: a process may be killed at any moment.
        area.putInt(0, 0);
        area.putInt(STAGE, stage.ordinal());
        area.position(TEXT);
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

    /** The calling thread does nothing in this stage now. */
    public void idle(Stage stage) {
        ownArea(stage).ifPresent(area -> area.putInt(0, 0));
    }

    /** @return empty when nothing is kept, or other threads have all areas */
    private Optional<ByteBuffer> ownArea(Stage stage) {
        return memory == null
                ? Optional.empty()
                : own.get().computeIfAbsent(stage, first -> {
                    int index = taken.getAndUpdate(count -> Math.min(count + 1, AREAS));
                    return index < AREAS ? Optional.of(area(index)) : Optional.empty();
                });
    }

    /** Whether anything would be known after a death. */
    public boolean isKept() {
        return memory != null;
    }

    /** What was worked on last. The other side may have written anything: what is no record is left out. */
    public List<Work> read() {
        List<Work> works = new ArrayList<>();
        for (int i = 0; memory != null && i < AREAS; i++) {
            int end = area(i).getInt(0);
            int stage = area(i).getInt(STAGE);
            if (end > TEXT && end <= AREA && stage >= 0 && stage < Stage.values().length) {
                byte[] bytes = new byte[end - TEXT];
                area(i).get(TEXT, bytes);
                List<String> lines =
                        new String(bytes, StandardCharsets.UTF_8).lines().toList();
                works.add(new Work(Stage.values()[stage], lines.get(0), lines.subList(1, lines.size())));
            }
        }
        return works;
    }

    private ByteBuffer area(int index) {
        return memory.slice(index * AREA, AREA);
    }
}
