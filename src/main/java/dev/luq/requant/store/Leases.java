package dev.luq.requant.store;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Locks between processes and within this one. The kernel drops a dead process's locks, so nothing is left locked after
 * a kill. A lock belongs to the whole process, and closing any channel of a file drops it: hence what this process holds
 * is also kept in memory, and its files are opened once.
 */
final class Leases {

    /** Instead of a manifest's id, which begins with a letter or digit: entries that no manifest names yet are needed. */
    static final String BUILDING = ".building";

    private static final String SUFFIX = ".lease";
    private static final String SEPARATOR = "~";
    private static final Map<Path, ReentrantLock> LOCKS = new ConcurrentHashMap<>();
    private static final Set<Path> HELD = ConcurrentHashMap.newKeySet();

    private final Path folder;
    private final Path lockFile;
    private final ReentrantLock lock;

    /** @param root a real path: the same store has the same locks */
    Leases(Path root) {
        this.folder = root.resolve("leases");
        this.lockFile = root.resolve("lock");
        this.lock = LOCKS.computeIfAbsent(root, r -> new ReentrantLock());
    }

    /** Runs an operation while no other thread or process runs one. */
    <T> T alone(StoreFiles.Operation<T> operation) throws IOException {
        lock.lock();
        try {
            if (lock.getHoldCount() > 1) {
                return operation.run();
            }
            try (FileChannel channel = FileChannel.open(lockFile, StandardOpenOption.WRITE, StandardOpenOption.CREATE);
                    FileLock held = channel.lock()) {
                return operation.run();
            }
        } finally {
            lock.unlock();
        }
    }

    /** Must run alone: until it is locked, the new file looks like one left over. */
    StoreLease take(String subject) throws IOException {
        Path file = folder.resolve(subject + SEPARATOR + UUID.randomUUID() + SUFFIX);
        FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE, StandardOpenOption.CREATE_NEW);
        HELD.add(file);
        try {
            channel.lock();
        } catch (IOException e) {
            release(file, channel);
            throw e;
        }
        return () -> release(file, channel);
    }

    private static void release(Path file, FileChannel channel) {
        if (!HELD.remove(file)) {
            return;
        }
        try (channel) {
            Files.deleteIfExists(file);
        } catch (IOException e) {
            // Closed, it counts as left over, and goes when garbage is collected.
        }
    }

    /** What is leased now; removes what dead processes left over. Must run alone. */
    Set<String> subjects() throws IOException {
        Set<String> subjects = new HashSet<>();
        for (Path file : StoreFiles.list(folder, SUFFIX)) {
            if (HELD.contains(file) || isLocked(file)) {
                String name = file.getFileName().toString();
                subjects.add(name.substring(0, name.indexOf(SEPARATOR)));
            } else {
                Files.deleteIfExists(file);
            }
        }
        return subjects;
    }

    private static boolean isLocked(Path file) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE);
                FileLock free = channel.tryLock()) {
            return free == null;
        } catch (NoSuchFileException e) {
            return false;
        } catch (OverlappingFileLockException e) {
            return true; // this process, through another class loader
        }
    }
}
