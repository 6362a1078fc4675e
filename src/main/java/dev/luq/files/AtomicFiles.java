package dev.luq.files;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;

/**
 * Files that are whole or absent at every moment, also after a power cut: written aside, forced to the disk, renamed, and
 * the folder forced, because a rename is durable once its folder is. The name aside is the caller's: a fixed one where
 * one writer at a time is sure, otherwise one that nobody else takes.
 */
public final class AtomicFiles {

    private AtomicFiles() {}

    /**
     * Makes a file of these bytes; durable when it returns.
     *
     * @param file replaced if it exists
     * @param aside in the same folder; overwritten if it exists, gone afterwards, also after a failure
     */
    public static void write(Path file, Path aside, byte[] bytes) throws IOException {
        try {
            try (FileChannel channel = FileChannel.open(
                    aside, StandardOpenOption.CREATE, StandardOpenOption.TRUNCATE_EXISTING, StandardOpenOption.WRITE)) {
                ByteBuffer buffer = ByteBuffer.wrap(bytes);
                while (buffer.hasRemaining()) {
                    channel.write(buffer);
                }
            }
            commit(file, aside);
        } catch (IOException | RuntimeException e) {
            Files.deleteIfExists(aside);
            throw e;
        }
    }

    /**
     * Gives a file that was written aside its name; durable when it returns.
     *
     * @param file replaced if it exists
     * @param aside complete and closed, in the same folder; still there when this fails before the rename
     */
    public static void commit(Path file, Path aside) throws IOException {
        try (FileChannel channel = FileChannel.open(aside, StandardOpenOption.WRITE)) {
            channel.force(true);
        }
        Files.move(aside, file, StandardCopyOption.ATOMIC_MOVE);
        Folders.force(parent(file));
    }

    /** Deletes a file if it is there; durable when it returns. */
    public static void delete(Path file) throws IOException {
        if (Files.deleteIfExists(file)) {
            Folders.force(parent(file));
        }
    }

    private static Path parent(Path file) {
        return file.toAbsolutePath().getParent();
    }
}
