package dev.luq.benchmarks.run;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.luq.files.ChannelSlice;
import dev.luq.files.Folders;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import java.util.function.Predicate;

/**
 * The answers of one model to one benchmark, a line each under a header. A line is appended in one piece; what a crash
 * left of one is cut off. One process at a time has the file open. Thread-safe.
 *
 * <p>Closing any channel of a file drops the process's lock of it: hence all is read through the one that is locked, and
 * a file that this process holds is not opened again.
 */
final class AnswersFile implements AutoCloseable {

    private static final ObjectMapper JSON = new ObjectMapper();
    /** Bytes that are searched for the last line's end at a time. */
    private static final int BLOCK = 64 << 10;

    private static final Set<Path> HELD = ConcurrentHashMap.newKeySet();

    private final Path path;
    private final Path held;
    private final FileChannel channel;

    /**
     * Opens a file, or makes it.
     *
     * @throws BenchmarkRunException it is of another run, damaged, or in use
     */
    static AnswersFile open(Path path, RunHeader header) throws IOException {
        Path folder = path.toAbsolutePath().getParent();
        Folders.create(folder);
        Path held = folder.toRealPath().resolve(path.getFileName());
        if (!HELD.add(held)) {
            throw inUse(path);
        }
        try {
            return open(path, held, header);
        } catch (IOException | RuntimeException e) {
            HELD.remove(held);
            throw e;
        }
    }

    private static AnswersFile open(Path path, Path held, RunHeader header) throws IOException {
        FileChannel channel =
                FileChannel.open(path, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
        try {
            lock(channel, path);
            AnswersFile file = new AnswersFile(path, held, channel);
            file.cutTornLine();
            file.check(header);
            return file;
        } catch (IOException | RuntimeException e) {
            channel.close();
            throw e;
        }
    }

    private AnswersFile(Path path, Path held, FileChannel channel) {
        this.path = path;
        this.held = held;
        this.channel = channel;
    }

    /** Held until the channel is closed. */
    private static void lock(FileChannel channel, Path path) throws IOException {
        FileLock lock;
        try {
            lock = channel.tryLock();
        } catch (OverlappingFileLockException e) {
            lock = null;
        }
        if (lock == null) {
            throw inUse(path);
        }
    }

    private static BenchmarkRunException inUse(Path path) {
        return new BenchmarkRunException("Another run writes " + path + "; wait for its end.");
    }

    /** From the beginning to the present end. */
    private BufferedReader lines() throws IOException {
        return new BufferedReader(
                new InputStreamReader(new ChannelSlice(channel, 0, channel.size()), UTF_8.newDecoder()));
    }

    private void cutTornLine() throws IOException {
        long end = channel.size();
        ByteBuffer block = ByteBuffer.allocate(BLOCK);
        while (end > 0) {
            int length = (int) Math.min(BLOCK, end);
            block.clear().limit(length);
            while (block.hasRemaining()) {
                channel.read(block, end - length + block.position());
            }
            for (int i = length - 1; i >= 0; i--) {
                if (block.get(i) == '\n') {
                    channel.truncate(end - length + i + 1);
                    return;
                }
            }
            end -= length;
        }
        channel.truncate(0);
    }

    private void check(RunHeader header) throws IOException {
        if (channel.size() == 0) {
            append(header);
            return;
        }
        try (BufferedReader lines = lines()) {
            RunHeader found = JSON.readValue(lines.readLine(), RunHeader.class);
            if (!found.equals(header)) {
                throw new BenchmarkRunException(path + " has the answers of another run ("
                        + JSON.writeValueAsString(found) + ") than this one (" + JSON.writeValueAsString(header)
                        + "). Remove it, or give another folder with --results.");
            }
        } catch (JsonProcessingException e) {
            throw new BenchmarkRunException(path + " is no file of answers; remove it.", e);
        }
    }

    private synchronized void append(Object line) throws IOException {
        ByteBuffer bytes = ByteBuffer.wrap((JSON.writeValueAsString(line) + "\n").getBytes(UTF_8));
        long end = channel.size();
        try {
            while (bytes.hasRemaining()) {
                channel.write(bytes, end + bytes.position());
            }
        } catch (IOException e) {
            // Others would append to the torn half.
            channel.truncate(end);
            throw e;
        }
    }

    void append(AnswerLine line) throws IOException {
        append((Object) line);
    }

    /** Calls back with each answer, in the order in which they came. */
    void forEach(Consumer<AnswerLine> reader) throws IOException {
        int number = 1;
        try (BufferedReader lines = lines()) {
            lines.readLine();
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                number++;
                reader.accept(JSON.readValue(line, AnswerLine.class));
            }
        } catch (JsonProcessingException e) {
            throw new BenchmarkRunException(path + ", line " + number + " is no answer; remove the line.", e);
        }
    }

    /**
     * Ids of the questions that have an answer; a refused one is asked again.
     *
     * @param counts whether a line is about a question that is asked now
     */
    Set<String> answered(Predicate<AnswerLine> counts) throws IOException {
        Set<String> ids = new HashSet<>();
        forEach(line -> {
            if (line.refused() == null && counts.test(line)) {
                ids.add(line.id());
            }
        });
        return ids;
    }

    @Override
    public void close() throws IOException {
        try (channel) {
            channel.force(true);
        } finally {
            HELD.remove(held);
        }
    }
}
