package dev.luq.files;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ProcessLockTest {

    @TempDir
    Path folder;

    @Test
    void oneHasItAndOthersWait() throws Exception {
        Path file = folder.resolve("lock");
        AtomicInteger told = new AtomicInteger();
        AtomicInteger asked = new AtomicInteger();
        try (ProcessLock first =
                ProcessLock.take(file, () -> false, told::incrementAndGet).orElseThrow()) {
            assertEquals(0, told.get());
            assertEquals(
                    Optional.empty(),
                    ProcessLock.take(file, () -> asked.incrementAndGet() == 3, told::incrementAndGet));
            assertEquals(1, told.get(), "once, however long it waits");
        }
        try (ProcessLock next =
                ProcessLock.take(file, () -> true, told::incrementAndGet).orElseThrow()) {
            assertEquals(1, told.get());
        }
        assertTrue(file.toFile().exists(), "another one may be waiting for this very file");
    }

    @Test
    void whoDoesNotWaitHasItWhenNobodyElseHas() throws Exception {
        Path file = folder.resolve("lock");
        try (ProcessLock first = ProcessLock.tryTake(file).orElseThrow()) {
            assertEquals(Optional.empty(), ProcessLock.tryTake(file));
            assertTrue(first.isHeld());
        }
        try (ProcessLock next = ProcessLock.tryTake(file).orElseThrow()) {
            assertTrue(next.isHeld());
        }
    }
}
