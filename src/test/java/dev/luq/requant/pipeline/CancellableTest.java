package dev.luq.requant.pipeline;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CancellableTest {

    @TempDir
    Path folder;

    /** As where progress is written: the file is closed by the interrupt, and the one who writes wraps what says so. */
    @Test
    void aFileThatIsWrittenWhenTheInterruptComesDoesNotBlameTheDisk() {
        AtomicBoolean cancelled = new AtomicBoolean();
        assertThrows(
                RequantizationException.Cancelled.class,
                () -> Cancellable.run(cancelled::get, () -> {
                    cancelled.set(true);
                    while (!Thread.currentThread().isInterrupted()) {
                        Thread.onSpinWait();
                    }
                    try (FileChannel file = FileChannel.open(
                            folder.resolve("status"), StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
                        file.write(ByteBuffer.allocate(1));
                    } catch (IOException e) {
                        throw new IllegalStateException(new UncheckedIOException(e));
                    }
                    return null;
                }));
        assertFalse(Thread.interrupted(), "nothing is left of the cancelling");
    }

    @Test
    void otherFaultsStayWhatTheyAre() {
        IOException full = new IOException("disk");
        UncheckedIOException wrapped = assertThrows(
                UncheckedIOException.class,
                () -> Cancellable.run(() -> false, () -> {
                    throw full;
                }));
        assertSame(full, wrapped.getCause());
        IllegalStateException defect = new IllegalStateException();
        assertSame(
                defect,
                assertThrows(
                        IllegalStateException.class,
                        () -> Cancellable.run(() -> false, () -> {
                            throw defect;
                        })));
    }
}
